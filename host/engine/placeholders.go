package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// look notes what a near message is a placeholder of.
func (r *reading) look(d mail.Description) *Identity {
	if r.looked == nil {
		r.looked = map[mail.Key]*Identity{}
	}
	var of *Identity
	if id, ok := placeholderOf(d.Header); ok {
		of = &id
	}
	r.looked[d.Key] = of
	return of
}

// lookAt looks at those near messages that nobody looked at yet.
func (r *reading) lookAt(ctx context.Context, keys mail.KeySet) error {
	var left mail.KeySet
	for k := range keys.All() {
		if _, known := r.looked[k]; !known {
			left.Add(k)
		}
	}
	if left.Empty() {
		return nil
	}
	err := r.e.Near.Describe(ctx, refOf(r.p.name, r.results[state.Near]), left, mail.WantHeader, func(ds []mail.Description) error {
		for _, d := range ds {
			r.look(d)
		}
		return nil
	})
	if _, partial := driver.AsPartial(err); partial {
		return nil // reading the message will tell what is wrong with it
	}
	return err
}

// lookAtDelivered finds out which of the near copies that a run had delivered when
// it was cut short are placeholders. One that names another message than it was
// delivered for is a message that somebody made look like one.
func (r *reading) lookAtDelivered(ctx context.Context, rows []state.Row) error {
	var near, far mail.KeySet
	for _, row := range rows {
		near.Add(row.Near)
	}
	if err := r.lookAt(ctx, near); err != nil {
		return err
	}
	at := map[mail.Key]*state.Row{}
	for i := range rows {
		if of := r.looked[rows[i].Near]; of != nil {
			at[rows[i].Far] = &rows[i]
			far.Add(rows[i].Far)
		}
	}
	if far.Empty() {
		return nil
	}
	return r.e.Far.Describe(ctx, refOf(r.p.name, r.results[state.Far]), far, mail.WantHeader, func(ds []mail.Description) error {
		for _, d := range ds {
			row := at[d.Key]
			if of := r.looked[row.Near]; HeaderIdentity(d.Header, -1).Header == of.Header {
				row.Status, row.Size, row.Ident = state.StatusPlaceholder, of.Size, of.Header
			}
		}
		return nil
	})
}

// standIns pairs near placeholders with the far messages that they stand for.
// Two messages with the same header and size have equal placeholders: which is
// whose does not matter.
func standIns(far, near []described) [][2]mail.Meta {
	by := map[string][]described{}
	var out [][2]mail.Meta
	for _, n := range near {
		if n.standsFor == nil {
			continue
		}
		if len(by) == 0 {
			for _, f := range far {
				by[f.id.Header] = append(by[f.id.Header], f)
			}
		}
		for i, f := range by[n.standsFor.Header] {
			if f.id.Size == n.standsFor.Size || f.id.Size < 0 || n.standsFor.Size < 0 {
				out = append(out, [2]mail.Meta{f.meta, n.meta})
				list := by[n.standsFor.Header]
				by[n.standsFor.Header] = append(list[:i:i], list[i+1:]...)
				break
			}
		}
	}
	return out
}

// sortOut gives what is larger than max_size a step of its own, and looks for
// placeholders among the messages that are about to be pushed. One that lies
// beside its message goes; what else becomes of them is decided when the whole
// account is planned.
func (r *reading) sortOut(ctx context.Context, plan *FolderPlan, doubt bool) error {
	if max := r.e.Policy.MaxSize; max > 0 {
		for _, s := range plan.Steps {
			if s.Op == OpPull && s.Form == FormMessage {
				if err := r.e.fillAll(ctx, plan, s); err != nil {
					return err
				}
			}
		}
		plan.bySize(max)
	}
	var keys mail.KeySet
	for _, s := range plan.Steps {
		if s.Op == OpPush {
			keys.AddSet(s.Keys())
		}
	}
	if err := r.lookAt(ctx, keys); err != nil {
		return err
	}
	for _, of := range r.looked {
		if of != nil { // its message may be any
			if err := r.whole(ctx); err != nil {
				return err
			}
			break
		}
	}
	for _, s := range plan.Steps {
		if s.Op != OpPush {
			continue
		}
		beside := map[mail.Key]bool{}
		for i, it := range s.items.all() {
			stands := r.looked[it.meta.Key]
			if stands == nil {
				continue
			}
			it.also().standsFor = stands
			s.items.setMore(i, it.more)
			if !doubt && r.beside(*stands) {
				beside[it.meta.Key] = true
				r.leftOver = append(r.leftOver, it.meta)
			}
		}
		s.without(func(k mail.Key) bool { return beside[k] })
	}
	plan.leftOver(r.leftOver, r.deltas[state.Near].Count)
	return nil
}

// beside reports whether a message that has a near copy is the one that a
// placeholder stands for: the run that replaced it was cut short.
func (r *reading) beside(of Identity) bool {
	found := false
	for _, row := range r.rows {
		if row.Ident != of.Header || row.Far == "" {
			continue
		}
		gone := row.Near == "" || r.deltas[state.Near].Gone[row.ID]
		switch {
		case row.Status == state.StatusPlaceholder && gone:
			return false // it is that one, under another name
		case row.Status == state.StatusPair && !gone:
			found = true
		}
	}
	return found
}

// placeholderItem reports whether what a step does is done to a placeholder.
func placeholderItem(s *Step, it item) bool {
	return s.Side == state.Near && it.row != nil && it.row.Status == state.StatusPlaceholder
}

// holdBack takes from a plan the placeholders that are about to be pushed: those
// that nobody found out more about. And what they stand for is not removed: they
// were not removed, they are elsewhere.
func (e *Engine) holdBack(ctx context.Context, plan *Plan) error {
	held := map[string]bool{}
	for _, fp := range plan.Folders {
		n := 0
		for _, s := range fp.Steps {
			if s.Op != OpPush {
				continue
			}
			n += s.items.drop(func(it item) bool {
				stands := it.extra().standsFor
				if stands != nil {
					held[stands.Header] = true
				}
				return stands != nil
			})
		}
		if n == 0 {
			continue
		}
		fp.dropEmpty()
		fp.blocked.Store(true)
		err := fault.New(fault.Partial, "push", "%d placeholders are not where they were put, and are no messages that could be sent", n).
			InFolder(fp.Name).WithHint("put them back into their folder to keep their messages, or remove them to be rid of them")
		if err := e.folderFailed(ctx, fp.Name, err); err != nil {
			return err
		}
	}
	for _, fp := range plan.Folders {
		for _, s := range fp.Steps {
			if s.Side != state.Far || !s.removes() {
				continue
			}
			n := s.items.drop(func(it item) bool {
				return it.row != nil && it.row.Status == state.StatusPlaceholder && held[it.row.Ident]
			})
			if n > 0 {
				fp.blocked.Store(true)
			}
		}
		fp.dropEmpty()
	}
	return nil
}

// dropEmpty takes out the steps that concern no message any more.
func (fp *FolderPlan) dropEmpty() {
	steps := fp.Steps[:0]
	for _, s := range fp.Steps {
		if s.ofFolder() || s.items.len() > 0 {
			steps = append(steps, s)
		}
	}
	fp.Steps = steps
}
