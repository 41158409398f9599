package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
)

// Ops is a set of the operations that may be carried in one direction.
type Ops uint8

// The operations of `pull` and `push`.
const (
	OpNew Ops = 1 << iota
	OpUpgrade
	OpFlags
	OpDelete

	OpsNone Ops = 0
	OpsAll      = OpNew | OpUpgrade | OpFlags | OpDelete
)

var opNames = map[string]Ops{"new": OpNew, "upgrade": OpUpgrade, "flags": OpFlags, "delete": OpDelete}

// ParseOps reads the words of a `pull` or `push` option: "all", "none", or
// operations.
func ParseOps(words ...string) (Ops, error) {
	var ops Ops
	for _, word := range words {
		switch {
		case word == "all":
			ops |= OpsAll
		case word == "none":
		case opNames[word] != 0:
			ops |= opNames[word]
		default:
			return 0, fault.New(fault.Config, "", "%q is no operation", word).
				WithHint(`one of "all", "none", "new", "upgrade", "flags", "delete"`)
		}
	}
	return ops, nil
}

// Sides is a set of sides, as in `expunge` and `create`.
type Sides uint8

// The values of an option that names sides.
const (
	NoSide   Sides = 0
	FarSide  Sides = 1
	NearSide Sides = 2
	Both           = FarSide | NearSide
)

func sidesOf(side state.Side) Sides {
	if side == state.Far {
		return FarSide
	}
	return NearSide
}

// Has reports whether a side is in the set.
func (s Sides) Has(side state.Side) bool {
	if side == state.Far {
		return s&FarSide != 0
	}
	return s&NearSide != 0
}

// ParseSides reads "none", "far", "near" or "both".
func ParseSides(word string) (Sides, error) {
	switch word {
	case "none":
		return NoSide, nil
	case "far":
		return FarSide, nil
	case "near":
		return NearSide, nil
	case "both":
		return Both, nil
	}
	return 0, fault.New(fault.Config, "", "%q is no side", word).WithHint(`one of "none", "far", "near", "both"`)
}

// Conflict says what wins when a message was removed on one side and its flags
// were changed on the other.
type Conflict string

// The values of `conflict`.
const (
	ConflictRemove Conflict = "remove"
	ConflictKeep   Conflict = "keep"
	ConflictFar    Conflict = "far"
	ConflictNear   Conflict = "near"
)

// keeps reports whether a message removed on one side is brought back there.
func (c Conflict) keeps(removedOn state.Side) bool {
	switch c {
	case ConflictKeep:
		return true
	case ConflictFar:
		return removedOn == state.Near
	case ConflictNear:
		return removedOn == state.Far
	}
	return false
}

// Policy is what an engine may do, settled by the options of the account.
type Policy struct {
	Pull, Push Ops // far -> near, near -> far
	// Mirror is the side that is only written: changes made there are undone.
	// Zero where both sides have a say.
	Mirror    state.Side
	Expunge   Sides // where a removal removes; elsewhere it marks
	Create    Sides // where missing folders are created
	Remove    Sides // where folders are removed that were removed on the other side
	Subscribe Sides // where created folders are subscribed
	Trash     Trash
	// MaxSize is the size in octets from which on a far message is kept near as
	// a placeholder; 0 is without limit.
	MaxSize int64
	// MaxMessages is how many messages of a folder are kept near, the newest;
	// 0 is without limit. Unread ones beyond it stay unless ExpireUnread.
	MaxMessages  int
	ExpireUnread bool
	Conflict     Conflict
	Flags        map[string]FlagRule // by flag or keyword; FlagMerge where it is not named
	Guard        Guard
	CopyDate     bool
	Undo         Undo
}

// DefaultPolicy is what an account without options gets.
func DefaultPolicy() Policy {
	return Policy{
		Pull: OpsAll, Push: OpsAll, Expunge: Both, Create: Both, Subscribe: Both,
		Conflict: ConflictRemove, CopyDate: true, Guard: DefaultGuard(), Undo: DefaultUndo(),
	}
}

// toward returns the operations allowed when a side is written.
func (p Policy) toward(side state.Side) Ops {
	if side == state.Near {
		return p.Pull
	}
	return p.Push
}

// Fingerprint identifies what a folder was brought in step with. extra names
// whatever else decides which messages are seen (filters, renames). What only
// says when to stop (the guard) or what to keep of what was done (undo) is left
// out: it changes nothing about which messages are in step.
func (p Policy) Fingerprint(extra string) string {
	b := fmt.Appendf(nil, "%d %d %d %d %s %q %d %d %t", p.Pull, p.Push, p.Mirror, p.Expunge, p.Conflict,
		[]any{p.Trash.Far, p.Trash.Near, p.Trash.NewOnly, p.Trash.FromOther}, p.MaxSize, p.MaxMessages, p.ExpireUnread)
	for _, name := range slices.Sorted(maps.Keys(p.Flags)) {
		b = fmt.Appendf(b, " %q=%s", name, p.Flags[name])
	}
	sum := sha256.Sum256(append(b, extra...))
	return hex.EncodeToString(sum[:8])
}
