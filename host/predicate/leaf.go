package predicate

import (
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
)

func unknown(missing Needs) (Verdict, error) { return Verdict{Truth: Unknown, Missing: missing}, nil }

func known(b bool) (Verdict, error) { return Verdict{Truth: truth(b)}, nil }

func (n *node) evalLeaf(v *View) (Verdict, error) {
	switch n.Op {
	case All:
		return known(true)
	case Folder:
		return known(naming.Match(n.Name, v.Folder))
	case UID:
		return known(n.Keys.Contains(v.Meta.Key))
	case Recent:
		return known(v.Recent)
	case Keyword:
		return known(!mail.NewFlags(n.Name).Intersect(v.Meta.Flags).Empty())
	case Larger, Smaller:
		if v.Meta.Size < 0 {
			return unknown(NeedSize)
		}
		return known(n.Op == Larger && v.Meta.Size > n.N || n.Op == Smaller && v.Meta.Size < n.N)
	case Older, Newer:
		if v.Meta.Date.IsZero() {
			return unknown(NeedDate)
		}
		older := v.Now.Sub(v.Meta.Date) > time.Duration(n.N)*time.Second
		return known(older == (n.Op == Older))
	case Fn:
		return n.evalFn(v)
	case Body, Text, HasAttachment:
		return n.evalBody(v)
	}
	if flag, ok := systemLeaves[n.Op]; ok {
		return known(v.Meta.Flags.Has(flag))
	}
	return n.evalHeader(v)
}

var systemLeaves = map[Op]mail.System{
	Seen: mail.Seen, Flagged: mail.Flagged, Answered: mail.Answered, Draft: mail.Draft, Deleted: mail.Deleted,
}

func (n *node) evalFn(v *View) (Verdict, error) {
	var missing Needs
	if v.Meta.Size < 0 {
		missing |= NeedSize
	}
	if v.Meta.Date.IsZero() {
		missing |= NeedDate
	}
	if v.Header == nil {
		missing |= NeedHeader
	}
	if missing != 0 {
		return unknown(missing)
	}
	if v.Call == nil {
		return Verdict{}, fault.New(fault.Internal, "ask a predicate", "nobody runs the function %q here", n.Name)
	}
	yes, err := v.Call(n.Name, v)
	if err != nil {
		return Verdict{}, err
	}
	return known(yes)
}

// fieldOf is the field that a leaf is about.
var fieldOf = map[Op]string{From: "From", To: "To", Cc: "Cc", Bcc: "Bcc", Subject: "Subject", List: "List-Id"}

func (n *node) evalHeader(v *View) (Verdict, error) {
	h := v.parsed()
	if h == nil {
		return unknown(NeedHeader)
	}
	switch n.Op {
	case Reply:
		return known(h.has("In-Reply-To") || h.has("References"))
	case Auto:
		return known(h.automatic())
	case SentBefore:
		sent, ok := h.date()
		return known(ok && sent.Unix() < n.N)
	case Header:
		if n.Match == (Match{}) {
			return known(h.has(n.Name))
		}
		return n.match(h.values(n.Name)...)
	}
	return n.match(h.values(fieldOf[n.Op])...)
}

// match reports whether one of the texts matches.
func (n *node) match(texts ...string) (Verdict, error) {
	for _, text := range texts {
		if n.re == nil {
			if strings.Contains(strings.ToLower(text), n.needle) {
				return known(true)
			}
		} else if found := n.re.FindStringSubmatch(text); found != nil {
			return Verdict{Truth: True, Captures: found}, nil
		}
	}
	return known(false)
}

func (n *node) evalBody(v *View) (Verdict, error) {
	h := v.parsed()
	switch n.Op {
	case Text:
		if h == nil {
			return unknown(NeedHeader)
		}
		if got, err := n.match(h.all()); err != nil || got.Truth == True {
			return got, err
		}
	case HasAttachment:
		if h == nil {
			return unknown(NeedHeader)
		}
		if !h.multipart() { // the header says it all
			name, kind, attached := h.attachment()
			return known(attached && n.extension(name, kind))
		}
	}
	c, err := v.read()
	if err != nil || c == nil {
		return Verdict{Truth: Unknown, Missing: NeedBody}, err
	}
	if n.Op != HasAttachment {
		return n.match(c.text)
	}
	for _, a := range c.attachments {
		if n.extension(a.name, a.kind) {
			return known(true)
		}
	}
	return known(false)
}

// extension reports whether an attachment is of the kind asked for: by the end
// of its name, or by its media subtype.
func (n *node) extension(name, kind string) bool {
	ext := strings.ToLower(strings.TrimPrefix(n.Name, "."))
	_, subtype, _ := strings.Cut(kind, "/")
	return ext == "" || strings.HasSuffix(strings.ToLower(name), "."+ext) || strings.EqualFold(subtype, ext)
}
