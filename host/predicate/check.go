package predicate

import (
	"regexp"

	"github.com/imapfw/imapfw/host/fault"
)

// check refuses a tree that cannot be evaluated, naming the line of the leaf.
func (e *Expr) check(depth int) error {
	if depth > maxDepth {
		return tooDeep()
	}
	least, most := 0, 0
	switch e.Op {
	case And, Or:
		least, most = 1, len(e.Args)
	case AndNot:
		least, most = 2, len(e.Args)
	case Not:
		least, most = 1, 1
	}
	if len(e.Args) < max(least, 0) || len(e.Args) > max(most, least) {
		return e.wrong("it has %d arguments", len(e.Args))
	}
	for _, arg := range e.Args {
		if arg == nil {
			return e.wrong("an argument is missing")
		}
		if err := arg.check(depth + 1); err != nil {
			return err
		}
	}
	return e.checkLeaf()
}

func (e *Expr) checkLeaf() error {
	switch e.Op {
	case And, Or, AndNot, Not, All, Seen, Flagged, Answered, Draft, Deleted, Recent, Reply, Auto, HasAttachment, UID, SentBefore:
	case From, To, Cc, Bcc, Subject, List, Body, Text:
		if e.Match == (Match{}) {
			return e.wrong("it needs a text")
		}
	case Header, Folder, Keyword, Fn:
		if e.Name == "" {
			return e.wrong("it needs a name")
		}
	case Larger, Smaller, Older, Newer:
		if e.N < 0 {
			return e.wrong("%d is negative", e.N)
		}
	default:
		return e.wrong("there is no such predicate")
	}
	if e.Match.Substring != "" && e.Match.Regexp != "" {
		return e.wrong("it has both a text and a regular expression")
	}
	if e.Match.Regexp != "" {
		if _, err := regexp.Compile(e.Match.Regexp); err != nil {
			return &fault.Error{Code: fault.Config, Op: string(e.Op), At: e.At, Err: err}
		}
	}
	return nil
}

func (e *Expr) wrong(format string, args ...any) error {
	err := fault.New(fault.Config, string(e.Op), format, args...)
	err.At = e.At
	return err
}
