// Package wire is what may cross a channel between two workers: values, the
// handles that are worth encoding as themselves, faults, and the frames that
// carry them to another process.
//
// A Value is encoded as one tag byte and its content: numbers as varints,
// strings and content as length and bytes, lists and maps as count and items.
// Strings are bytes all the way; nothing assumes UTF-8. The format is spoken
// between two runs of one binary and kept nowhere, so it has no versions.
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

// The limits of one Value.
const (
	// MaxDepth is how deep lists and maps may be nested. A cycle is deeper
	// than any limit, which is how it is found.
	MaxDepth = 64
	// MaxSize is the largest encoded Value in bytes. Content of any size
	// crosses in pieces, on a stream.
	MaxSize = 16 << 20
)

// Check reports whether v may cross a channel. The error has the code
// fault.Config and names the path of what may not, as Lua would count it:
// "value.list[3].fn: a func() cannot cross a channel".
func Check(v Value) error { return CheckAs("value", v) }

// CheckAs is Check for a Value that the sender knows by a name ("args").
func CheckAs(name string, v Value) error {
	_, err := SizeAs(name, v)
	return err
}

// Size returns the number of bytes v takes when it is encoded, or the error of
// Check.
func Size(v Value) (int, error) { return SizeAs("value", v) }

// SizeAs is Size for a Value that the sender knows by a name.
func SizeAs(name string, v Value) (int, error) {
	e := encoder{dry: true}
	if err := e.value(v, 0); err != nil {
		return 0, err.named(name)
	}
	return e.size, nil
}

// Encode returns v in its encoded form, or the error of Check.
func Encode(v Value) ([]byte, error) { return AppendAs(nil, "value", v) }

// AppendAs appends the encoded form of a Value that the sender knows by a name.
// When it fails it returns dst as it was.
func AppendAs(dst []byte, name string, v Value) ([]byte, error) {
	e := encoder{buf: dst}
	if err := e.value(v, 0); err != nil {
		return dst, err.named(name)
	}
	return e.buf, nil
}

// Clone returns v as it looks after crossing a border: an equal Value that
// shares nothing with v.
func Clone(v Value) (Value, error) { return CloneAs("value", v) }

// CloneAs is Clone for a Value that the sender knows by a name.
func CloneAs(name string, v Value) (Value, error) {
	b, err := AppendAs(nil, name, v)
	if err != nil {
		return nil, err
	}
	return Decode(b)
}
