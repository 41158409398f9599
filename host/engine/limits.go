package engine

import "time"

// Trash says where messages go before they are expunged. A side without a
// folder expunges them right away.
type Trash struct {
	Far, Near string // near names of folders; empty where there is none
	// NewOnly are the sides on which only messages that the other side never
	// had are kept in the trash.
	NewOnly Sides
	// FromOther are the sides whose trash also takes the messages that are
	// expunged on the other side before they were copied.
	FromOther Sides
}

// FlagRule says how one flag or keyword is merged.
type FlagRule string

// The values of `flags`.
const (
	FlagMerge FlagRule = "merge" // three-way: a change on either side wins over none
	FlagFar   FlagRule = "far"   // as it is far
	FlagNear  FlagRule = "near"  // as it is near
	FlagUnion FlagRule = "union" // set where either side has it
)

// Guard says how much a run may remove before it stops and asks. Its zero value
// never stops.
type Guard struct {
	// Max and Share stop a run that removes more than Max messages of a folder
	// on one side, when that is more than Share of what the folder holds there.
	Max   int
	Share float64
	Hard  int // removals in one folder on one side, whatever the share
	// Account is the limit for the whole account.
	Account int
	// New is how many messages may be uploaded when there is no state and both
	// sides hold mail.
	New int
	On  bool
}

// DefaultGuard is the guard of an account that says nothing about it.
func DefaultGuard() Guard {
	return Guard{Max: 100, Share: 0.5, Hard: 1000, Account: 2000, New: 100, On: true}
}

// Undo says how long what a run destroys is kept.
type Undo struct {
	On   bool
	Keep time.Duration // since it was destroyed
	Size int64         // octets in all; the oldest go first
	// Path is the folder of the spool; empty: below the state's.
	Path string
}

// DefaultUndo is what an account that says nothing about it keeps.
func DefaultUndo() Undo { return Undo{On: true, Keep: 7 * 24 * time.Hour, Size: 1 << 30} }
