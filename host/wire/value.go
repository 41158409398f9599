// Package wire is what may cross a channel between two workers: values, the
// handles that are worth encoding as themselves, faults, and the frames that
// carry them to another process.
package wire

// Value is one of: nil, bool, int64, float64, string (bytes, not necessarily
// UTF-8), []byte (a piece of content), []any (a list of Values), map[string]any
// (of Values), and the handles mail.KeySet, mail.Flags, []mail.Meta, time.Time
// and *fault.Error. Nothing else crosses a channel: no functions, no pointers
// to anything shared.
//
// Whoever sends a Value gives it away and does not touch it again.
type Value = any

// Map is a Value that holds named Values.
type Map = map[string]any

// List is a Value that holds Values in order.
type List = []any
