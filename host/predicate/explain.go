package predicate

import (
	"fmt"
	"strings"
	"time"
)

// Line is the part that one leaf has in a verdict.
type Line struct {
	Depth int
	Truth Truth
	Text  string // the leaf, or the operator
	Saw   string // what it looked at
	At    string // file:line
}

// Explain asks every leaf, also those that cannot change the verdict, and says
// what each one saw, in the order in which they were written.
func (p *Predicate) Explain(v *View) ([]Line, Verdict, error) {
	verdict, err := p.Eval(v)
	if err != nil {
		return nil, verdict, err
	}
	lines, err := explain(nil, p.expr, v, 0)
	return lines, verdict, err
}

func explain(lines []Line, e *Expr, v *View, depth int) ([]Line, error) {
	n := compile(e)
	got, err := n.eval(v)
	if err != nil {
		return lines, err
	}
	line := Line{Depth: depth, Truth: got.Truth, At: e.At}
	if len(e.Args) == 0 {
		line.Text, line.Saw = e.String(), n.saw(v)
		return append(lines, line), nil
	}
	line.Text = map[Op]string{And: "all of", Or: "any of", AndNot: "the first, and none of the others", Not: "not"}[e.Op]
	lines = append(lines, line)
	for _, arg := range e.Args {
		if lines, err = explain(lines, arg, v, depth+1); err != nil {
			return lines, err
		}
	}
	return lines, nil
}

// longestSaw keeps what a leaf saw on one line.
const longestSaw = 120

// saw says what a leaf looked at.
func (n *node) saw(v *View) string {
	h := v.parsed()
	switch n.Op {
	case All, Fn:
		return ""
	case Folder:
		return quote(v.Folder)
	case UID:
		return string(v.Meta.Key)
	case Recent:
		return fmt.Sprint(v.Recent)
	case Seen, Flagged, Answered, Draft, Deleted, Keyword:
		return "flags " + quote(v.Meta.Flags.String())
	case Larger, Smaller:
		return fmt.Sprintf("%d octets", v.Meta.Size)
	case Older, Newer:
		if v.Meta.Date.IsZero() {
			return "no date"
		}
		return v.Meta.Date.UTC().Format(time.DateTime)
	}
	if h == nil {
		return "no header"
	}
	switch n.Op {
	case Reply:
		if h.has("In-Reply-To") || h.has("References") {
			return "In-Reply-To or References"
		}
		return "no In-Reply-To"
	case Auto:
		return quote(strings.TrimSpace(h.raw("Auto-Submitted") + " " + h.raw("Precedence")))
	case SentBefore:
		return quote(h.raw("Date"))
	case HasAttachment:
		return n.sawParts(v)
	case Body, Text:
		if v.content == nil {
			return "the header"
		}
		return quote(v.content.text)
	case Header:
		return quote(strings.Join(h.values(n.Name), " | "))
	}
	return quote(strings.Join(h.values(fieldOf[n.Op]), " | "))
}

func (n *node) sawParts(v *View) string {
	if v.content == nil {
		return "one part"
	}
	names := make([]string, len(v.content.attachments))
	for i, a := range v.content.attachments {
		if names[i] = a.name; a.name == "" {
			names[i] = a.kind
		}
	}
	return quote(strings.Join(names, " | "))
}

func quote(s string) string {
	if len(s) > longestSaw {
		s = strings.ToValidUTF8(s[:longestSaw], "") + "..."
	}
	return fmt.Sprintf("%q", s)
}
