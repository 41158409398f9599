package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// A document is applied by planning again, and leaving in the new plan only what
// the document has. What it has and the new plan has not means that the world
// moved: then nothing is done.

// matching compares the plan of today with a document.
type matching struct {
	doc   *PlanDocument
	plan  *Plan
	moved []string // what is not as it was, by folder
}

// foresee checks what can be checked before anything is planned: that it is the
// same state, with the same options.
func (e *Engine) foresee(doc *PlanDocument) error {
	options, err := e.options()
	switch {
	case err != nil:
		return err
	case doc.State.Run != e.info.Run, doc.State.Run > 0 && doc.State.ID != e.info.Account:
		return outdated("the state is at run %d, it was at run %d: another run was at work since", e.info.Run, doc.State.Run)
	case doc.Options != options:
		return outdated("the options of the account are not those that it was made with")
	}
	return nil
}

func outdated(format string, args ...any) error {
	return fault.New(fault.Guard, "apply", "the plan is out of date: "+format, args...).WithHint("nothing was written; make a new plan")
}

// narrowTo leaves in a plan what a document has. Where the run has begun to apply
// it already, what is missing was done; else it is refused.
func (e *Engine) narrowTo(doc *PlanDocument, plan *Plan) error {
	m := &matching{doc: doc, plan: plan}
	m.match()
	if len(m.moved) > 0 && !e.begun {
		text := strings.Join(m.moved[:min(len(m.moved), 3)], "; ")
		if more := len(m.moved) - 3; more > 0 {
			text += fmt.Sprintf("; and %d more", more)
		}
		return outdated("%s", text)
	}
	return nil
}

func (m *matching) note(folder Text, format string, args ...any) {
	m.moved = append(m.moved, fmt.Sprintf("%q: ", folder)+fmt.Sprintf(format, args...))
}

func (m *matching) match() {
	plans := map[string]*FolderPlan{}
	for _, fp := range m.plan.Folders {
		plans[fp.Name] = fp
	}
	for i := range m.doc.Folders {
		part := &m.doc.Folders[i]
		fp := plans[string(part.Name)]
		delete(plans, string(part.Name))
		if fp == nil {
			if len(part.Steps)+len(part.Pairs)+len(part.Rows) > 0 {
				m.note(part.Name, "there is nothing to do in it any more")
			}
			continue
		}
		m.folder(part, fp)
	}
	for _, fp := range plans {
		m.leave(fp)
	}
}

// leave leaves a folder that is not in the document to the next run. Messages may
// still be moved to it.
func (m *matching) leave(fp *FolderPlan) {
	target := false
	for i := range m.doc.Folders {
		for _, s := range m.doc.Folders[i].Steps {
			target = target || string(s.To) == fp.Name
		}
	}
	if target && fp.reset {
		m.note(Text(fp.Name), "whether its keys can be believed has changed")
	}
	fp.Steps, fp.put, fp.drop = nil, nil, nil
	fp.left = !target
	fp.blocked.Store(true)
}

func (m *matching) folder(part *DocPart, fp *FolderPlan) {
	for _, side := range []struct {
		name state.Side
		was  DocSide
		is   string
	}{{state.Far, part.Far, fp.record.FarEpoch}, {state.Near, part.Near, fp.record.NearEpoch}} {
		if string(side.was.Epoch) != side.is {
			if side.was.Epoch == "" {
				m.note(part.Name, "the %s side has it by now", side.name)
			} else {
				m.note(part.Name, "it was replaced on the %s side", side.name)
			}
			return
		}
	}
	if part.Anew != fp.reset {
		m.note(part.Name, "whether its keys can be believed has changed")
		return
	}
	taken := map[int]bool{}
	for i := range part.Steps {
		m.step(part, &part.Steps[i], fp, taken)
	}
	for _, s := range slices.Clone(fp.Steps) {
		if !taken[s.ID] {
			m.plan.Drop(s.ID, nil, "it is not in the plan that is applied")
		}
	}
	m.records(part, fp)
}

// step finds a step of the document in the plan of today, and narrows it to the
// messages that the document has.
func (m *matching) step(part *DocPart, d *DocStep, fp *FolderPlan, taken map[int]bool) {
	wanted, _ := d.messages() // checked when it was read
	var s *Step
	for _, one := range fp.Steps {
		if !taken[one.ID] && d.is(one) {
			s = one
		}
	}
	if s == nil {
		m.note(part.Name, "%s is not to be done any more", d.words())
		return
	}
	taken[s.ID] = true
	if s.ofFolder() {
		return
	}
	var extra, there mail.KeySet
	for _, it := range s.items.all() {
		key := it.meta.Key
		i := slices.IndexFunc(wanted, func(p planned) bool { return p.keys.Contains(key) })
		if i < 0 {
			extra.Add(key)
			continue
		}
		there.Add(key)
		if !wanted[i].flags.Equal(it.meta.Flags) {
			m.note(part.Name, "message %s has other flags than it had (%s)", showKey(key), it.meta.Flags)
		}
	}
	if there.Len() < d.Count {
		m.missing(part, d, wanted, there)
		return
	}
	if !extra.Empty() {
		m.plan.Drop(s.ID, &extra, "they are not in the plan that is applied")
	}
	if n := d.Narrowed; n != nil {
		if err := m.plan.Narrow(s.ID, mail.NewFlags(n.Add...), mail.NewFlags(n.Remove...), "as in the plan that is applied"); err != nil {
			m.note(part.Name, "%v", err)
		}
	}
}

// missing notes what a step of today lacks.
func (m *matching) missing(part *DocPart, d *DocStep, wanted []planned, there mail.KeySet) {
	for _, group := range wanted {
		for key := range group.keys.All() {
			if !there.Contains(key) {
				m.note(part.Name, "message %s: %s is not to be done any more (nor of %d others)", showKey(key), d.words(), d.Count-there.Len()-1)
				return
			}
		}
	}
}

// is reports whether a step of today is the one that was planned, whatever
// messages it has.
func (d *DocStep) is(s *Step) bool {
	return d.Op == s.Op && d.Side == s.Side.String() && string(d.To) == s.To && d.Expiry == s.Expiry && d.Form == s.Form &&
		mail.NewFlags(d.Add...).Equal(s.Add) && mail.NewFlags(d.Remove...).Equal(s.Remove)
}

func (d *DocStep) words() string {
	text := string(d.Op) + " " + d.Side
	if d.To != "" {
		text += fmt.Sprintf(" to %q", d.To)
	}
	return text
}

// records leaves of what is recorded what the document has.
func (m *matching) records(part *DocPart, fp *FolderPlan) {
	wanted := map[string]bool{}
	for _, list := range [][]DocRow{part.Pairs, part.Rows} {
		for _, r := range list {
			wanted[r.name()] = true
		}
	}
	var kept []*state.Row
	for _, row := range fp.put {
		d := docRow(row)
		if name := d.name(); wanted[name] {
			kept = append(kept, row)
			delete(wanted, name)
		}
	}
	if len(wanted) > 0 {
		m.note(part.Name, "%d messages are not as they were found", len(wanted))
	}
	if !same(part.Settle, fp.settle) || len(fp.settle) > 0 && len(kept) < len(fp.put) {
		m.note(part.Name, "deliveries of a run that was cut short look different now")
	}
	gone := map[int64]bool{}
	for _, id := range fp.drop {
		gone[id] = true
	}
	ours := map[int64]bool{}
	for _, id := range part.Forget {
		ours[id] = true
		if !gone[id] {
			m.note(part.Name, "a message came back that was gone")
		}
	}
	drop := slices.DeleteFunc(slices.Clone(fp.drop), func(id int64) bool { return id > 0 && !ours[id] })
	if len(kept) < len(fp.put) || len(drop) < len(fp.drop) {
		fp.put, fp.drop = kept, drop
		fp.blocked.Store(true)
	}
}

func same(a, b []int64) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// name is what a row is recognised by; its flags may be agreed on by then.
func (r DocRow) name() string {
	return fmt.Sprintf("%d %q %q %s %q", r.ID, r.Far, r.Near, r.Status, r.Flags)
}

// showKey is a key as people know it.
func showKey(k mail.Key) string {
	if uid, ok := k.UID(); ok {
		return fmt.Sprint(uid)
	}
	return fmt.Sprintf("%q", string(k))
}
