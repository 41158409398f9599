package predicate

import (
	"slices"
	"time"

	"github.com/imapfw/imapfw/host/mail"
)

// Op is what an expression says, as api.match calls it.
type Op string

// The operators.
const (
	And    Op = "and"     // a * b
	Or     Op = "or"      // a + b
	AndNot Op = "and_not" // a - b - c
	Not    Op = "not"     // -a
)

// The leaves about the header. They match decoded text (RFC 2047).
const (
	From       Op = "from"
	To         Op = "to"
	Cc         Op = "cc"
	Bcc        Op = "bcc"
	Subject    Op = "subject"
	List       Op = "list"   // List-Id
	Header     Op = "header" // the field called Name; without a text: it is there
	Reply      Op = "reply"  // it answers another message
	Auto       Op = "auto"   // a machine sent it
	SentBefore Op = "sent_before"
)

// The leaves about the content.
const (
	Body          Op = "body" // the readable text
	Text          Op = "text" // header or readable text
	HasAttachment Op = "has_attachment"
)

// The leaves about what a store knows without reading the message.
const (
	All      Op = "all"
	Folder   Op = "folder" // a pattern of LIST, in Name
	UID      Op = "uid"
	Larger   Op = "larger"
	Smaller  Op = "smaller"
	Older    Op = "older" // arrived longer ago than N seconds
	Newer    Op = "newer" // arrived at most N seconds ago
	Keyword  Op = "keyword"
	Seen     Op = "seen"
	Flagged  Op = "flagged"
	Answered Op = "answered"
	Draft    Op = "draft"
	Deleted  Op = "deleted"
	Recent   Op = "recent" // it came since the last run; see View.Recent
)

// Fn is a function of the script, called by its id in Name.
const Fn Op = "fn"

// Expr is one node of a predicate. It is plain data and is not changed once it
// was made: trees may share nodes.
type Expr struct {
	Op    Op
	Args  []*Expr     // And and Or: one or more; AndNot: two or more, the first and none of the others; Not: one
	Name  string      // Header: the field; Folder: the pattern; Keyword; HasAttachment: the extension, or empty; Fn: the id
	Match Match       // of leaves about text
	N     int64       // Larger and Smaller: octets; Older and Newer: seconds; SentBefore: Unix time
	Keys  mail.KeySet // of UID
	At    string      // file:line where a leaf was written, for explain
}

// Match is how a leaf looks at text: for a substring without regard to case, or
// for a regular expression in the syntax of Go. Both empty match any text.
type Match struct {
	Substring string
	Regexp    string
}

// Leaf returns a leaf without arguments, such as Seen or All.
func Leaf(op Op) *Expr { return &Expr{Op: op} }

// OnText returns a leaf about text. name is that of the field, for Header.
func OnText(op Op, name string, m Match) *Expr { return &Expr{Op: op, Name: name, Match: m} }

// OnName returns a leaf whose argument is a name: Folder, Keyword,
// HasAttachment, Fn.
func OnName(op Op, name string) *Expr { return &Expr{Op: op, Name: name} }

// OnSize returns Larger or Smaller than a number of octets.
func OnSize(op Op, octets int64) *Expr { return &Expr{Op: op, N: octets} }

// OnAge returns Older or Newer than an age, in whole seconds.
func OnAge(op Op, age time.Duration) *Expr { return &Expr{Op: op, N: int64(age / time.Second)} }

// Before returns SentBefore a moment, in whole seconds.
func Before(t time.Time) *Expr { return &Expr{Op: SentBefore, N: t.Unix()} }

// OnKeys returns UID: the message is one of these.
func OnKeys(keys mail.KeySet) *Expr { return &Expr{Op: UID, Keys: keys} }

// Where returns e as it was written at file:line.
func (e *Expr) Where(at string) *Expr {
	out := *e
	out.At = at
	return &out
}

// And returns e * f.
func (e *Expr) And(f *Expr) *Expr { return join(And, e, f) }

// Or returns e + f.
func (e *Expr) Or(f *Expr) *Expr { return join(Or, e, f) }

// Minus returns e - f: e and not f.
func (e *Expr) Minus(f *Expr) *Expr { return join(AndNot, e, f) }

// Not returns -e.
func (e *Expr) Not() *Expr { return &Expr{Op: Not, Args: []*Expr{e}} }

// join keeps a long chain flat, as it is read: one made of a list of a thousand
// addresses is one node with a thousand leaves, not a tree a thousand deep.
func join(op Op, e, f *Expr) *Expr {
	if e.Op == op && e.At == "" {
		return &Expr{Op: op, Args: append(slices.Clip(e.Args), f)}
	}
	return &Expr{Op: op, Args: []*Expr{e, f}}
}

// Equal reports whether both trees say the same in the same way.
func (e *Expr) Equal(f *Expr) bool {
	if e == nil || f == nil {
		return e == f
	}
	return e.Op == f.Op && e.Name == f.Name && e.Match == f.Match && e.N == f.N && e.At == f.At &&
		slices.Equal(e.Keys.UIDs(), f.Keys.UIDs()) && slices.Equal(e.Keys.Names(), f.Keys.Names()) &&
		slices.EqualFunc(e.Args, f.Args, (*Expr).Equal)
}
