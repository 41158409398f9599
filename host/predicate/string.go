package predicate

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// String returns the expression as a script would write it.
func (e *Expr) String() string {
	var b strings.Builder
	e.write(&b, 0)
	return b.String()
}

// How tightly an operator binds, as in Lua.
const (
	bindsSum = iota + 1
	bindsProduct
	bindsSign
)

func (e *Expr) binds() int {
	switch {
	case e == nil || len(e.Args) == 0:
		return bindsSign + 1
	case (e.Op == And || e.Op == Or) && len(e.Args) == 1:
		return e.Args[0].binds()
	case e.Op == Or || e.Op == AndNot:
		return bindsSum
	case e.Op == And:
		return bindsProduct
	case e.Op == Not:
		return bindsSign
	}
	return bindsSign + 1
}

// write writes e where at least so much must bind.
func (e *Expr) write(b *strings.Builder, least int) {
	if e == nil || len(e.Args) == 0 { // also of a tree that check refuses
		b.WriteString(e.leaf())
		return
	}
	own := e.binds()
	if own < least {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	switch e.Op {
	case Or, And, AndNot:
		sign := map[Op]string{Or: " + ", And: " * ", AndNot: " - "}[e.Op]
		for i, arg := range e.Args {
			switch {
			case len(e.Args) == 1:
				arg.write(b, least)
			case i == 0:
				arg.write(b, own)
			default:
				b.WriteString(sign)
				arg.write(b, own+1) // what stands to the right is a group of its own
			}
		}
	case Not:
		b.WriteByte('-')
		e.Args[0].write(b, bindsSign)
	default:
		b.WriteString(e.leaf())
	}
}

// leaf returns a leaf as a call, or a bare name where it has no argument.
func (e *Expr) leaf() string {
	if e == nil {
		return "nothing"
	}
	var args []string
	switch e.Op {
	case From, To, Cc, Bcc, Subject, List, Body, Text:
		args = append(args, e.Match.String())
	case Header:
		args = append(args, strconv.Quote(e.Name))
		if e.Match != (Match{}) {
			args = append(args, e.Match.String())
		}
	case Folder, Keyword, Fn:
		args = append(args, strconv.Quote(e.Name))
	case HasAttachment:
		args = append(args, strconv.Quote(e.Name))
		if e.Name == "" {
			args[0] = ""
		}
	case Larger, Smaller:
		args = append(args, strconv.FormatInt(e.N, 10))
	case Older, Newer:
		args = append(args, strconv.Quote(age(e.N)))
	case SentBefore:
		args = append(args, strconv.Quote(time.Unix(e.N, 0).UTC().Format(time.DateTime)))
	case UID:
		args = append(args, fmt.Sprintf("%d messages", e.Keys.Len()))
	}
	if args == nil {
		return string(e.Op)
	}
	return string(e.Op) + "(" + strings.Join(args, ", ") + ")"
}

// age writes seconds in the largest unit of the options that fits.
func age(seconds int64) string {
	for _, u := range [...]struct {
		unit string
		n    int64
	}{{"d", 24 * 60 * 60}, {"h", 60 * 60}, {"m", 60}} {
		if seconds != 0 && seconds%u.n == 0 {
			return strconv.FormatInt(seconds/u.n, 10) + u.unit
		}
	}
	return strconv.FormatInt(seconds, 10) + "s"
}

func (m Match) String() string {
	if m.Regexp != "" {
		return "re " + strconv.Quote(m.Regexp)
	}
	return strconv.Quote(m.Substring)
}
