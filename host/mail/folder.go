package mail

import "strings"

// Inbox is the one folder name that every store knows (RFC 9051 section 5.1).
const Inbox = "INBOX"

// Cursor is where a store stood when it was last read. Only the driver that
// made it can read it; everybody else compares its place, advances it by the marks
// of changes of their own, and keeps it. The empty cursor means "never read".
type Cursor string

// Folder is a folder as a store lists it.
type Folder struct {
	// Name is UTF-8 with "/" between the levels; the inbox is "INBOX".
	Name string
	// Raw is the name as the store itself writes it.
	Raw string
	// Attrs are the attributes of LIST (RFC 9051 section 7.3.1, RFC 6154),
	// with their backslash.
	Attrs []string
	// Subscribed reports whether the store has it among the subscriptions.
	Subscribed bool
	// Count is the number of messages, -1 where it is not known.
	Count int
	// Epoch and Cursor are set where the store can tell them without opening
	// the folder. A cursor of the same place as the one of the last run means that nothing
	// changed since.
	Epoch  string
	Cursor Cursor
	// Limit is the size in octets of the largest message the folder takes; 0
	// where the store does not tell, or has no limit.
	Limit int64
	// ID names the folder whatever it is called: it stays when the folder is
	// renamed, and no other folder of the store ever has it. Empty where the
	// store has no such thing, or has it in Result.ID.
	ID string
	// Hidden marks a folder that a filter keeps out of the sync. It exists: the
	// engine neither reads it nor takes it for removed.
	Hidden bool
	// Fault tells why the folder cannot be kept in step (a name that the other
	// side cannot hold, two names that meet). Empty when all is well.
	Fault string
}

// HasAttr reports whether the folder has an attribute, compared without case.
func (f Folder) HasAttr(attr string) bool {
	for _, a := range f.Attrs {
		if strings.EqualFold(a, attr) {
			return true
		}
	}
	return false
}

// Selectable reports whether the folder can hold messages.
func (f Folder) Selectable() bool {
	return !f.HasAttr(`\Noselect`) && !f.HasAttr(`\NonExistent`)
}

// Ref points at a folder, and pins the epoch its keys are valid in. A store
// refuses a call whose epoch is not the folder's with fault.EpochChanged; an
// empty epoch is not checked.
type Ref struct {
	Name  string
	Epoch string
}
