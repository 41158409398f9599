package mail

import "time"

// Meta is what a store knows of a message without reading it.
type Meta struct {
	Key   Key
	Flags Flags
	// Size is in octets as the store keeps the message; -1 where telling it
	// would need one more system call or command per message.
	Size int64
	// Date is the arrival date (INTERNALDATE, a file's mtime), in whole
	// seconds; zero where it was not asked for.
	Date time.Time
	// Hidden marks a message that a filter keeps out of the sync. It exists:
	// the engine neither copies nor removes it, nor its counterpart.
	Hidden bool
	// Excluded marks a message that is not to be kept near. It is not copied
	// there, and a copy of it that is there is removed; far it stays.
	Excluded bool
}

// Items says what Describe is to find out.
type Items uint8

// The items of Describe. Flags always come along where they are free.
const (
	WantSize Items = 1 << iota
	WantDate
	WantHeader
	// WantCRLFSize asks for the size the message has in CRLF form. A store
	// that keeps LF must read the whole message for it.
	WantCRLFSize
)

// Description is a message's meta and, where asked for, its header: the bytes
// up to and including the empty line, as stored.
type Description struct {
	Meta
	Header   []byte
	CRLFSize int64 // set when WantCRLFSize was asked for
}

// Result is the answer to "what changed since".
type Result struct {
	// Epoch is the folder's UIDVALIDITY or Maildir stamp now.
	Epoch string
	// ID is what Folder.ID is, where the store tells it of a folder that is read from
	// the beginning, and not in its listing.
	ID string
	// Cursor is where the folder stands after this reading. It is stored with
	// the state once everything that was read is dealt with.
	Cursor Cursor
	// Complete reports that every message of the folder was handed out or is
	// in Present: a message in neither is gone. Otherwise only Gone is gone.
	Complete bool
	Present  KeySet
	Gone     KeySet
	// Rewound reports that the folder went back in time (a restored backup):
	// counters are below those in the cursor that was given. Keys may now name
	// other messages.
	Rewound bool
	// Unsure reports that the reading raced with another program and its
	// removals must not be believed. Everything else in it is good.
	Unsure bool
	// Filtered reports that messages may be Hidden. Of those that were not
	// handed out, because nothing changed about them, nobody has told.
	Filtered bool
}

// Reservation is what a store says before messages are delivered to a folder,
// so that a crash can be resolved afterwards.
type Reservation struct {
	Epoch string
	// Keys are the keys the deliveries will get, one for each, where the store
	// lets us choose them (Maildir). Otherwise empty.
	Keys []Key
	// Next is a lower bound for the keys that the store will give (UIDNEXT).
	Next Key
}

// Placed is the outcome of one delivery.
type Placed struct {
	// Key is the new message's key; empty when the store did not tell (IMAP
	// without UIDPLUS): then it is found again by identity.
	Key Key
	// Flags are those the store kept.
	Flags Flags
	// Dropped are those that it was given and cannot keep.
	Dropped Flags
	// Mark is what the message adds to the mark of its folder, where the store
	// has such marks in its cursors.
	Mark Mark
	// Altered is set when a controller changed the content before it was kept.
	Altered *Altered
	// Err is set when this one message was refused. The others are there.
	Err error
}

// Altered is what a controller made of a message. The rest of the content is as
// it was.
type Altered struct {
	Header []byte // as kept, up to and including the empty line
	Grown  int64  // octets that the message grew by, in CRLF form
}

// ChangeOp is what is to be done to a message that is there.
type ChangeOp uint8

// The operations of Change.
const (
	// ChangeFlags adds and removes flags.
	ChangeFlags ChangeOp = iota + 1
	// ChangeRemove removes the message for good.
	ChangeRemove
	// ChangeMove moves the message to another folder of the same store.
	ChangeMove
)

// Change is one change to one message. Flags are given as what to add and what
// to take away, never as the whole set: another client may be changing the
// others meanwhile.
type Change struct {
	Key    Key
	Op     ChangeOp
	Add    Flags
	Remove Flags
	To     string // folder, for ChangeMove
}

// Outcome is what became of one Change.
type Outcome struct {
	Key Key
	// Flags are the message's flags afterwards, as far as the store tells.
	Flags Flags
	// Dropped are those that were to be added, or to move along, and that the
	// store cannot keep there. One that is in neither was not set, for whatever
	// reason: it may be another time.
	Dropped Flags
	// NewKey is the key in the other folder after a move, where the store tells.
	NewKey Key
	// Mark is what the change added to the mark of the folder, where the store has
	// such marks in its cursors.
	Mark Mark
	// Gone reports that the message was not there any more.
	Gone bool
	// Err is set when this one change was refused. The others are done.
	Err error
}
