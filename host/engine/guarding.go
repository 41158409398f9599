package engine

import (
	"context"
	"mime"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// guardPlan stops the run when a plan goes beyond what the account allows, unless
// a script says to go on. Nothing was written yet.
func (e *Engine) guardPlan(ctx context.Context, plan *Plan) (*Alarm, error) {
	facts := guardFacts{allow: e.Once.AllowRemovals, paired: e.info.Run == 0 || e.doubt != ""}
	for _, side := range []state.Side{state.Far, state.Near} {
		facts.trash[side], _ = e.trashOf(side) // what removes has told that there is none
	}
	if e.Policy.Guard.On {
		for _, side := range []state.Side{state.Far, state.Near} {
			var err error
			if facts.lost[side], err = e.lost(ctx, plan, side); err != nil {
				return nil, err
			}
			facts.doubt[side] = e.doubted.Has(side)
		}
	}
	alarm := e.Policy.guard(plan, facts)
	if alarm == nil || e.Hooks.OnGuard == nil {
		return alarm, nil
	}
	goOn, reason, err := e.Hooks.OnGuard(ctx, plan, alarm)
	if err != nil {
		return nil, err
	}
	if goOn {
		e.told("", "the guard stood aside for the script (%s): %s", reason, alarm)
		return nil, nil
	}
	return alarm, nil
}

// raise tells of an alarm, with what helps to judge it, and returns the error
// that stops the run.
func (e *Engine) raise(ctx context.Context, plan *Plan, alarm *Alarm) error {
	var last state.Run
	if runs, err := e.State.Runs(ctx, 1); err == nil && len(runs) > 0 {
		last = runs[0]
	}
	e.Emit("guard", alarm.value(last, e.examples(ctx, plan)))
	err := alarm.err()
	err.Worker = e.Name
	return err
}

// lost returns how many messages the state knows on a side that holds none any
// more, in any folder; 0 where the side holds mail. It looks beyond the plan
// only when all of that is empty.
func (e *Engine) lost(ctx context.Context, plan *Plan, side state.Side) (int, error) {
	planned, known := map[string]bool{}, 0
	for _, fp := range plan.Folders {
		planned[fp.Name] = true
		if fp.census.now[side] > 0 {
			return 0, nil
		}
		known += fp.census.known[side]
	}
	if known == 0 {
		return 0, nil // what there is did not change
	}
	for name := range e.known {
		if planned[name] {
			continue
		}
		n, err := e.countKnown(ctx, name, side)
		if err != nil {
			return 0, err
		}
		if f := e.listed[side][name]; f != nil && n > 0 {
			return 0, nil // as it was
		}
		known += n
	}
	return known, nil
}

// countKnown returns how many messages the state knows on a side of a folder.
func (e *Engine) countKnown(ctx context.Context, folder string, side state.Side) (n int, err error) {
	err = e.State.Load(ctx, folder, side, func(rows []state.Row) error {
		for _, row := range rows {
			if row.Key(side) != "" {
				n++
			}
		}
		return nil
	})
	return n, err
}

// vanished stops a run over a side on which there is none of the folders that
// the state knows mail in, nor any other: a disk that is not mounted, a server
// that shows nothing. It is found out before anything is made there.
func (e *Engine) vanished(ctx context.Context) error {
	if !e.Policy.Guard.On {
		return nil
	}
	for _, side := range []state.Side{state.Far, state.Near} {
		usable := false
		for _, f := range e.listed[side] {
			usable = usable || f.Fault == ""
		}
		if usable {
			continue
		}
		n := 0
		for name := range e.known {
			known, err := e.countKnown(ctx, name, side)
			if err != nil {
				return err
			}
			n += known
		}
		if n > 0 {
			alarm := &Alarm{Limits: e.Policy.Guard, Allowed: e.Once.AllowRemovals}
			alarm.add(DangerVanished, "", side, n, n)
			return e.raise(ctx, nil, alarm)
		}
	}
	return nil
}

// examples reads the headers of a few messages that a plan removes, where the
// messages still are. What cannot be read is left out.
func (e *Engine) examples(ctx context.Context, plan *Plan) []example {
	if plan == nil {
		return nil
	}
	for _, s := range plan.Steps("", "", 0) {
		if !s.removes() {
			continue
		}
		var keys mail.KeySet
		for _, it := range s.items.slice(max(s.items.len()-shownExamples, 0), s.items.len()) {
			keys.Add(it.meta.Key)
		}
		var out []example
		err := e.store(s.Side).Describe(ctx, plan.ref(s), keys, mail.WantHeader|mail.WantDate, func(ds []mail.Description) error {
			for _, d := range ds {
				head := fields(d.Header, "from", "subject")
				out = append(out, example{folder: s.Folder, from: readable(head["from"], 30), subject: readable(head["subject"], 60), date: d.Date})
			}
			return nil
		})
		if _, partial := driver.AsPartial(err); err != nil && !partial {
			return nil // there is an alarm to tell; this only adorns it
		}
		return out
	}
	return nil
}

// ref is where the messages of a step are.
func (p *Plan) ref(s *Step) mail.Ref {
	for _, fp := range p.Folders {
		if fp.Name == s.Folder {
			return fp.refs[s.source()]
		}
	}
	return mail.Ref{Name: s.Folder}
}

// readable decodes a header field for a line of text.
func readable(field string, most int) string {
	text, err := new(mime.WordDecoder).DecodeHeader(field)
	if err != nil {
		text = field
	}
	return plain(text, most)
}
