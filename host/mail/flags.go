package mail

import (
	"slices"
	"strings"
)

// System is a set of the IMAP system flags (RFC 9051 section 2.3.2). \Recent is
// never carried: it belongs to a session, not to a message.
type System uint8

// The system flags, in the order in which they are printed.
const (
	Answered System = 1 << iota
	Deleted
	Draft
	Flagged
	Seen
)

var systemNames = [...]struct {
	bit  System
	name string
}{
	{Answered, `\Answered`}, {Deleted, `\Deleted`}, {Draft, `\Draft`}, {Flagged, `\Flagged`}, {Seen, `\Seen`},
}

// Flags is a set of system flags and keywords. It is comparable with ==; the
// zero value is the empty set. Keywords are compared without case, as servers
// do, and kept as first written.
type Flags struct {
	System   System
	keywords string // sorted, joined by a space, which no keyword can hold
}

// NewFlags returns the set of the given flags. Names are system flags with their
// backslash, or keywords; \Recent, \* and unknown system flags are left out.
func NewFlags(names ...string) Flags {
	var f Flags
	var keywords []string
	for _, name := range names {
		if strings.HasPrefix(name, `\`) {
			f.System |= systemFlag(name)
		} else if name != "" && !strings.ContainsAny(name, " \r\n\x00") {
			keywords = append(keywords, name)
		}
	}
	f.keywords = joinKeywords(keywords)
	return f
}

func systemFlag(name string) System {
	for _, s := range systemNames {
		if strings.EqualFold(s.name, name) {
			return s.bit
		}
	}
	return 0
}

func joinKeywords(list []string) string {
	if len(list) == 0 {
		return ""
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, compareFold)
	list = slices.CompactFunc(list, strings.EqualFold)
	return strings.Join(list, " ")
}

func compareFold(a, b string) int {
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}

// Keywords returns the keywords, sorted.
func (f Flags) Keywords() []string {
	if f.keywords == "" {
		return nil
	}
	return strings.Split(f.keywords, " ")
}

// OnlyKeywords returns the flags without the system flags.
func (f Flags) OnlyKeywords() Flags { return Flags{keywords: f.keywords} }

// Strings returns every flag by name, system flags first.
func (f Flags) Strings() []string {
	var out []string
	for _, s := range systemNames {
		if f.System&s.bit != 0 {
			out = append(out, s.name)
		}
	}
	return append(out, f.Keywords()...)
}

func (f Flags) String() string { return strings.Join(f.Strings(), " ") }

// Empty reports whether no flag is set.
func (f Flags) Empty() bool { return f == Flags{} }

// Has reports whether all the given system flags are set.
func (f Flags) Has(s System) bool { return f.System&s == s }

// Union returns the flags set in either.
func (f Flags) Union(g Flags) Flags {
	out := Flags{System: f.System | g.System, keywords: f.keywords}
	if g.keywords != "" && g.keywords != f.keywords {
		out.keywords = joinKeywords(append(f.Keywords(), g.Keywords()...))
	}
	return out
}

// Minus returns the flags of f that are not in g.
func (f Flags) Minus(g Flags) Flags {
	out := Flags{System: f.System &^ g.System, keywords: f.keywords}
	if f.keywords != "" && g.keywords != "" {
		drop := g.Keywords()
		out.keywords = joinKeywords(slices.DeleteFunc(f.Keywords(), func(k string) bool {
			return slices.ContainsFunc(drop, func(d string) bool { return strings.EqualFold(d, k) })
		}))
	}
	return out
}

// Intersect returns the flags set in both.
func (f Flags) Intersect(g Flags) Flags { return f.Minus(f.Minus(g)) }

// Equal reports whether both hold the same flags, keywords compared without case.
func (f Flags) Equal(g Flags) bool {
	return f.System == g.System && strings.EqualFold(f.keywords, g.keywords)
}
