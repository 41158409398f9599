// Package state keeps what one account knows about both of its sides between
// two runs: which far message is which near message, the flags they last agreed
// on, where each folder stood, and what a run was about to deliver. It is served
// as a worker like any other repository.
package state

import (
	"context"
	"time"

	"github.com/imapfw/imapfw/host/mail"
)

// Store is durable sync state. Every Commit is one transaction, durable when it
// returns unless it says Later. A Store may be called from several goroutines at once.
type Store interface {
	// Open takes the lock of the account and opens or creates the state. A
	// second instance gets fault.Busy at once; state of another account is
	// refused.
	Open(ctx context.Context) error
	Close() error

	// Info and SetInfo read and replace what concerns the whole account. A Pending
	// higher than before is durable when SetInfo returns; else what is replaced is as
	// a Change with Later.
	Info(ctx context.Context) (Info, error)
	SetInfo(ctx context.Context, info Info) error

	// Folders returns all the folders the state knows, ordered by far name.
	Folders(ctx context.Context) ([]Folder, error)
	// Load hands out the rows of a folder in batches, ordered by the key of one
	// side; rows without a key on that side come first. They are the rows as
	// they were when Load began, whatever fn or another goroutine commits
	// meanwhile. A batch is fn's to keep.
	Load(ctx context.Context, folder string, by Side, fn func([]Row) error) error
	// Known hands out what the rows of a folder tell of the messages that one side
	// has, in no order, otherwise as Load does.
	Known(ctx context.Context, folder string, side Side, fn func([]Known) error) error
	// Find returns some rows of a folder, without reading the others.
	Find(ctx context.Context, folder string, wanted Wanted) (Found, error)
	// Intents returns the deliveries of a folder that were begun and not
	// recorded as done.
	Intents(ctx context.Context, folder string) ([]Intent, error)
	// Commit applies a change to one folder, all of it or nothing. It fills in
	// the IDs of new rows and intents in place; no ID is ever given twice. A
	// folder that is not known yet gets a record with its far name.
	//
	// A message is in one row of its folder at most: a change after which two
	// rows have the same key on a side is refused with fault.Exists, and one
	// that replaces a row that is not there with fault.NotFound.
	Commit(ctx context.Context, folder string, c *Change) error

	Journal
}

// Side is one of the two sides of an account.
type Side uint8

// The sides.
const (
	Far Side = iota + 1
	Near
)

func (s Side) String() string {
	if s == Far {
		return "far"
	}
	return "near"
}

// Other returns the other side.
func (s Side) Other() Side { return Far + Near - s }

// Info is what the state keeps about the whole account.
type Info struct {
	Account string // random, made with the state; also in the near side's stamp
	// Run is the number that the stores were last marked with, at the beginning
	// and at the end of every run that changes anything. Pending is the number
	// they are being marked with; it is equal to Run but for that moment.
	Run, Pending int64
	// FarMark and NearMark are the numbers that each side was last marked with.
	// A side that a run must not write keeps an older one; 0 was never marked.
	FarMark, NearMark int64
}

// Mark returns the number that a side was last marked with.
func (i Info) Mark(s Side) int64 {
	if s == Far {
		return i.FarMark
	}
	return i.NearMark
}

// Folder is what is kept of a pair of folders. Far is its name in the state.
type Folder struct {
	Far, Near             string
	FarEpoch, NearEpoch   string
	FarCursor, NearCursor mail.Cursor
	// Policy is a digest of the options that the folder was last brought in
	// step with. When it differs, both sides are read in full again, so that
	// what an earlier run left alone is caught up.
	Policy string
	// FarID and NearID name the folders across renames (MAILBOXID, RFC 8474),
	// where the stores have such names; empty where they do not.
	FarID, NearID string
	// Open is the number of Intents, Messages is the number of rows, Refused and
	// Ambiguous are those of them that are StatusRefused and StatusAmbiguous; all
	// are filled in by Folders.
	Open, Messages, Refused, Ambiguous int
}

// Status says what a row stands for.
type Status string

// The values of Row.Status.
const (
	// StatusPair is a message and its copy. An empty key means that it is gone
	// on that side and that its removal was not carried to the other.
	StatusPair Status = ""
	// StatusExpired is a far message that is not kept near any more: Near is
	// empty, and that is nobody's wish to remove it far. Near names the copy
	// only while it is being removed.
	StatusExpired Status = "expired"
	// StatusPlaceholder is a far message whose near copy is a placeholder. Size
	// and Ident are those of the far message.
	StatusPlaceholder Status = "placeholder"
	// StatusRefused is a message that the other side refused for good: only the
	// key of its source is set, and Note is the answer.
	StatusRefused Status = "refused"
	// StatusAmbiguous is a message that may be one of the other side's, and
	// nobody can tell: only its own key is set. Rows with the same Note are those
	// that may be each other.
	StatusAmbiguous Status = "ambiguous"
)

// Row is a message that was on both sides, or still is on one of them.
type Row struct {
	ID int64 // made by Commit
	// Far and Near are the keys. An empty one means that the message is gone
	// on that side and its removal was not carried to the other: it is neither
	// copied again nor forgotten.
	Far, Near mail.Key
	Flags     mail.Flags // last agreed on
	// FarOnly and NearOnly are flags that a message has on that side and that
	// the other side does not keep: a keyword too many, one that its server does
	// not take. They are neither given to it again nor taken for removed there.
	FarOnly, NearOnly mail.Flags
	Size              int64     // in CRLF form; -1 when it is not known
	Date              time.Time // arrival, whole seconds
	Ident             string    // digest of the header; see engine.Identity
	Status            Status
	// Note says why, where the status needs a reason; for an expired row, the
	// option that does not keep the message near. On a pair it names the option
	// that would not, but for the message's flags.
	Note string
}

// Key returns the row's key on a side.
func (r Row) Key(s Side) mail.Key {
	if s == Far {
		return r.Far
	}
	return r.Near
}

// Had returns the flags that the message had on a side when it was last looked at
// and dealt with.
func (r Row) Had(s Side) mail.Flags {
	if s == Far {
		return r.Flags.Union(r.FarOnly)
	}
	return r.Flags.Union(r.NearOnly)
}

// Intent is a delivery that is about to happen. It is durable before the first
// byte is sent, and is removed in the same transaction that records the pair.
type Intent struct {
	ID     int64
	To     Side
	Source mail.Key
	// Target is the key that was chosen beforehand; empty where the store
	// chooses it: then it is Next or later, in Epoch.
	Target mail.Key
	Next   mail.Key
	Epoch  string
	Flags  mail.Flags
	Size   int64
	Date   time.Time
	Ident  string
}

// Change is one transaction on one folder. It is applied in the order of its
// fields.
//
// A change of rows takes the marks from the cursors of the folder's record: they
// are of what the rows said before. Taken for that of what they say now, a mark
// would hide a message that came with the change and went after it.
type Change struct {
	Forget bool    // drop all that is known of the folder, intents included
	Folder *Folder // replace the folder's record; another Far renames it, rows and all
	Intend []Intent
	Settle []int64 // intents that are resolved; those that are not there are ignored
	Put    []Row   // an ID of 0 makes a new row, else it is replaced
	Drop   []int64 // rows that are to be forgotten; those that are not there are ignored
	// Journal tells what was done. Its events are in the folder of the change
	// whatever their Folder says.
	Journal []Event
	// Later reports that nothing depends on the change: what it records is found
	// out again where a power failure takes it away. It is atomic as any other, and
	// is durable with the next change that is, or when the Store is closed while no
	// other program has it open.
	Later bool
}
