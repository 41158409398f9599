package engine

import (
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// The reasons of what max_size makes of messages.
const (
	whyPlaceholder = "larger than max_size: a placeholder stands for it"
	whyFlagged     = "flagged: it replaces its placeholder"
	whyFits        = "max_size lets it in now: it replaces its placeholder"
	whyLeftOver    = "its message is here"
)

// upgrade reports whether the placeholder of a row is to be replaced by its
// message, and why. flags are those that both sides are to have.
func (d *differ) upgrade(r state.Row, flags mail.Flags) (why string, wanted bool) {
	switch {
	case r.Status != state.StatusPlaceholder || d.Policy.Pull&OpUpgrade == 0:
		return "", false
	case flags.Has(mail.Flagged):
		why = whyFlagged
	case d.Policy.MaxSize == 0 || r.Size >= 0 && r.Size <= d.Policy.MaxSize:
		why = whyFits
	default:
		return "", false
	}
	if r.ID < 0 {
		// Two sides that were paired just now: nothing is removed in this run,
		// not even a placeholder.
		d.plan.again |= FarSide
		return "", false
	}
	return why, true
}

// deliverWhole plans that the message of a row replaces its placeholder, which
// has the flags near, of which add and remove are changed.
func (d *differ) deliverWhole(why string, row *state.Row, near, add, remove mail.Flags) {
	it := item{meta: mail.Meta{Key: row.Far, Flags: near.Union(add).Minus(remove), Size: row.Size, Date: row.Date}, row: row,
		more: &extra{agreed: row.Flags.Union(add).Minus(remove), placeholder: near}}
	d.stepFor(OpPull, state.Near, why, func(s *Step) { s.Form = FormUpgrade }).add(it)
	d.plan.partly = true
}

// bySize gives messages that are larger than max_size a step of their own, in
// which placeholders are delivered. Sizes are known. A message that is flagged
// already comes as it is.
func (fp *FolderPlan) bySize(max int64) {
	var out []*Step
	for _, s := range fp.Steps {
		out = append(out, s)
		if s.Op != OpPull || s.Form != FormMessage {
			continue
		}
		large := *s
		large.Form, large.Reason, large.items = FormPlaceholder, whyPlaceholder, items{}
		s.items.drop(func(it item) bool {
			if it.meta.Size <= max || it.meta.Flags.Has(mail.Flagged) {
				return false
			}
			large.items.add(it)
			return true
		})
		if s.items.len() == 0 {
			out = out[:len(out)-1]
		}
		if large.items.len() > 0 {
			out = append(out, &large)
		}
	}
	fp.Steps = out
}

// leftOver plans the removal of near placeholders whose messages are near.
func (fp *FolderPlan) leftOver(metas []mail.Meta, count int) {
	if len(metas) == 0 {
		return
	}
	s := &Step{Op: OpRemove, Folder: fp.Name, Side: state.Near, Expiry: true, FolderCount: count, Reason: whyLeftOver}
	for _, m := range metas {
		s.add(item{meta: m, row: &state.Row{Near: m.Key}})
	}
	fp.Steps = append(fp.Steps, s)
	fp.partly = true
}
