package predicate

import (
	"cmp"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/mail"
)

// Truth is an answer.
type Truth uint8

// The answers. Unknown says that something must be fetched first.
const (
	False Truth = iota
	True
	Unknown
)

func (t Truth) String() string { return [...]string{"false", "true", "unknown"}[t] }

func truth(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Needs is what an answer hangs on beyond folder, key and flags.
type Needs uint8

// The needs.
const (
	NeedSize Needs = 1 << iota
	NeedDate
	NeedHeader
	NeedBody
)

// Items returns what Describe is to be asked for; it cannot tell a body.
func (n Needs) Items() mail.Items {
	var items mail.Items
	if n&NeedSize != 0 {
		items |= mail.WantSize
	}
	if n&NeedDate != 0 {
		items |= mail.WantDate
	}
	if n&NeedHeader != 0 {
		items |= mail.WantHeader
	}
	return items
}

// View is a message as a predicate sees it. It is for one goroutine, and keeps
// what it has parsed.
type View struct {
	// Meta is what the store knows. A size of -1 and a zero date are not known.
	Meta   mail.Meta
	Folder string
	Now    time.Time
	// Header is the header in any form, nil when it was not fetched.
	Header []byte
	// Body gives the whole message from its first byte, at most once. Nil when
	// it cannot be had.
	Body func() (io.Reader, error)
	// Recent tells that the message came since the last run.
	Recent bool
	// Call runs a function of the script. It is called when flags, size, date
	// and header are there.
	Call func(id string, v *View) (bool, error)

	header  *header
	content *content
}

// Verdict is what a predicate says about a message.
type Verdict struct {
	Truth Truth
	// Missing is what is to be fetched for a better answer than Unknown.
	Missing Needs
	// Captures are those of the first regular expression that matched: the
	// whole match, then the groups.
	Captures []string
}

// Predicate is an expression that is ready to be asked. It is immutable and safe
// for use by several goroutines.
type Predicate struct {
	root *node
	expr *Expr
}

// node is a compiled expression. The arguments of And and Or are in the order of
// what they cost.
type node struct {
	*Expr
	args   []*node
	needle string
	re     *regexp.Regexp
	needs  Needs // of the whole subtree
	cost   int
}

// Compile makes an expression ready. The error names the line of the leaf that
// cannot be used.
func Compile(e *Expr) (*Predicate, error) {
	if err := e.check(0); err != nil {
		return nil, err
	}
	return &Predicate{root: compile(e), expr: e}, nil
}

func compile(e *Expr) *node {
	n := &node{Expr: e, needle: strings.ToLower(e.Match.Substring)}
	if e.Match.Regexp != "" {
		n.re = regexp.MustCompile(e.Match.Regexp) // check has compiled it before
	}
	n.needs, n.cost = price(e)
	for _, arg := range e.Args {
		a := compile(arg)
		n.args = append(n.args, a)
		n.needs |= a.needs
		n.cost = max(n.cost, a.cost)
	}
	if e.Op == And || e.Op == Or {
		slices.SortStableFunc(n.args, func(a, b *node) int { return cmp.Compare(a.cost, b.cost) })
	}
	return n
}

// What it takes to answer a leaf, from nothing to reading the message.
const (
	costFree = iota
	costMeta
	costHeader
	costFn
	costBody
)

func price(e *Expr) (Needs, int) {
	switch e.Op {
	case Larger, Smaller:
		return NeedSize, costMeta
	case Older, Newer:
		return NeedDate, costMeta
	case From, To, Cc, Bcc, Subject, List, Header, Reply, Auto, SentBefore:
		return NeedHeader, costHeader
	case Fn:
		return NeedSize | NeedDate | NeedHeader, costFn
	case Body, Text, HasAttachment:
		return NeedHeader | NeedBody, costBody
	}
	return 0, costFree
}

// Expr returns the expression.
func (p *Predicate) Expr() *Expr { return p.expr }

func (p *Predicate) String() string { return p.expr.String() }

// Needs returns everything that an answer may hang on.
func (p *Predicate) Needs() Needs { return p.root.needs }

// Timed reports whether the answer changes as time goes by.
func (p *Predicate) Timed() bool { return p.root.any(Older, Newer) }

// Mentions reports whether an operator occurs in the expression.
func (p *Predicate) Mentions(op Op) bool { return p.root.any(op) }

// HasFn reports whether the answer is up to a function of the script.
func (p *Predicate) HasFn() bool { return p.root.any(Fn) }

func (n *node) any(ops ...Op) bool {
	return slices.Contains(ops, n.Op) || slices.ContainsFunc(n.args, func(a *node) bool { return a.any(ops...) })
}

// Eval asks about one message. The error is one of Body or Call; then there is
// no verdict.
func (p *Predicate) Eval(v *View) (Verdict, error) { return p.root.eval(v) }

func (n *node) eval(v *View) (Verdict, error) {
	switch n.Op {
	case And, Or:
		return n.evalList(v, n.args, truth(n.Op == Or))
	case Not:
		got, err := n.args[0].eval(v)
		return Verdict{Truth: negate(got.Truth), Missing: got.Missing}, err
	case AndNot:
		first, err := n.args[0].eval(v)
		if err != nil || first.Truth == False {
			return Verdict{}, err
		}
		if first.Truth == Unknown && n.cost >= costFn {
			return first, nil // nothing dear is asked while a cheap answer is out
		}
		rest, err := n.evalList(v, n.args[1:], True)
		if err != nil || rest.Truth == True {
			return Verdict{}, err
		}
		if first.Truth == Unknown || rest.Truth == Unknown {
			return Verdict{Truth: Unknown, Missing: first.Missing | rest.Missing}, nil
		}
		return first, nil
	}
	return n.evalLeaf(v)
}

func negate(t Truth) Truth {
	switch t {
	case True:
		return False
	case False:
		return True
	}
	return Unknown
}

// evalList asks one after the other until an answer settles it: True settles an
// Or, False an And.
func (n *node) evalList(v *View, args []*node, settles Truth) (Verdict, error) {
	out := Verdict{Truth: negate(settles)}
	for _, arg := range args {
		if out.Truth == Unknown && arg.cost >= costFn {
			continue
		}
		got, err := arg.eval(v)
		switch {
		case err != nil:
			return Verdict{}, err
		case got.Truth == settles:
			return got, nil
		case got.Truth == Unknown:
			out.Truth = Unknown
			out.Missing |= got.Missing
		}
		if out.Captures == nil {
			out.Captures = got.Captures
		}
	}
	if out.Truth != True {
		out.Captures = nil
	}
	return out, nil
}
