package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// checkState compares what the state knows with what both sides hold, and changes
// nothing. What a sync has to repair, or the user to settle, is a failure of the
// report; what a sync merely has to do is counted.
func (e *Engine) checkState(ctx context.Context) error {
	if e.doubt != "" {
		e.report.fail(fault.New(fault.EpochChanged, "check state", "%s", e.doubt).WithHint("the next sync pairs the messages anew, and removes nothing"))
	}
	listed := map[state.Side]map[string]mail.Folder{}
	for _, side := range []state.Side{state.Far, state.Near} {
		folders, err := e.store(side).Folders(ctx)
		if err != nil {
			return err
		}
		listed[side] = map[string]mail.Folder{}
		for _, f := range folders {
			listed[side][f.Name] = f
		}
	}
	names := slices.Sorted(maps.Keys(e.known))
	return e.eachLane(ctx, len(names), func(ctx context.Context, i int) error {
		known := e.known[names[i]]
		p := pair{name: names[i], known: &known}
		for side, at := range map[state.Side]**mail.Folder{state.Far: &p.far, state.Near: &p.near} {
			if f, ok := listed[side][names[i]]; ok {
				*at = &f
			}
		}
		if e.Once.Folders != nil && !slices.Contains(e.Once.Folders, p.name) {
			return nil
		}
		return e.folderFailed(ctx, p.name, e.checkFolder(ctx, p))
	})
}

// checkFolder checks one folder that the state knows.
func (e *Engine) checkFolder(ctx context.Context, p pair) error {
	problem := func(format string, args ...any) *fault.Error {
		return fault.New(fault.Partial, "check", format, args...).InFolder(p.name)
	}
	if p.known.Ambiguous > 0 {
		e.report.fail(problem("%d messages may or may not be each other's copies", p.known.Ambiguous).WithHint("imapfw state pair lists them, and settles it"))
	}
	if p.known.Refused > 0 {
		e.report.fail(problem("%d messages were refused by the other side", p.known.Refused).WithHint("a sync names each of them"))
	}
	if p.known.Open > 0 {
		e.report.fail(problem("%d deliveries were begun and not recorded as done", p.known.Open).WithHint("the next sync finds out what became of them"))
	}
	for side, folder := range map[state.Side]*mail.Folder{state.Far: p.far, state.Near: p.near} {
		if folder == nil {
			return problem("the folder is not on the %s side", side)
		}
	}
	r := &reading{e: e, p: p, results: map[state.Side]mail.Result{}, deltas: map[state.Side]Delta{}}
	if err := r.recallAll(ctx); err != nil {
		return err
	}
	for _, side := range []state.Side{state.Far, state.Near} {
		c := newComparer(r.rows, side)
		res, err := e.store(side).Changes(ctx, mail.Ref{Name: p.name}, "", c.add)
		if err != nil {
			return err
		}
		r.results[side], r.deltas[side] = res, c.finish(res)
		switch epoch := r.epoch(side); {
		case epoch == distrusted:
			e.told(p.name, "the next sync pairs it anew, and removes nothing")
			return nil
		case epoch != "" && res.Epoch != "" && epoch != res.Epoch:
			return problem("the folder was replaced on the %s side: its epoch was %s, and is %s", side, epoch, res.Epoch).
				WithHint("the next sync pairs it anew, and removes nothing")
		}
	}
	wrong, looked, err := r.wrongPairs(ctx)
	if err != nil {
		return err
	}
	for _, row := range wrong {
		e.report.fail(problem("%s and %s are two messages, and are paired", shownKey(row.Far), row.Near).
			WithHint("imapfw state rebuild has the next sync pair the folder anew"))
	}
	v := wire.Map{"folder": p.name, "rows": int64(len(r.rows)), "looked_at": int64(looked), "wrong": int64(len(wrong))}
	for side, d := range r.deltas {
		name := "_" + side.String()
		v["new"+name], v["gone"+name], v["flags"+name] = int64(d.New.Len()), int64(len(d.Gone)), int64(len(d.Flags))
	}
	e.Emit("checked", v)
	return nil
}

// wrongPairs looks at a sample of the pairs, and returns those that are of two
// messages.
func (r *reading) wrongPairs(ctx context.Context) (wrong []state.Row, looked int, err error) {
	var pairs []state.Row
	for _, row := range r.rows {
		if row.Status == state.StatusPair && row.Far != "" && row.Near != "" &&
			!r.deltas[state.Far].Gone[row.ID] && !r.deltas[state.Near].Gone[row.ID] {
			pairs = append(pairs, row)
		}
	}
	sample, _ := spread(pairs, verifySample)
	found := map[state.Side]map[mail.Key]seen{}
	for _, side := range []state.Side{state.Far, state.Near} {
		found[side] = map[mail.Key]seen{}
		var keys mail.KeySet
		for _, row := range sample {
			keys.Add(row.Key(side))
		}
		if keys.Empty() {
			continue
		}
		err := r.e.store(side).Describe(ctx, refOf(r.p.name, r.results[side]), keys, mail.WantHeader, func(ds []mail.Description) error {
			for _, d := range ds {
				found[side][d.Key] = seen{HeaderIdentity(d.Header, -1), likenessOf(d.Header)}
			}
			return nil
		})
		if _, partial := driver.AsPartial(err); err != nil && !partial {
			return nil, 0, err
		}
	}
	for _, row := range sample {
		far, farSeen := found[state.Far][row.Far]
		near, nearSeen := found[state.Near][row.Near]
		if !farSeen || !nearSeen {
			continue // it went away meanwhile
		}
		looked++
		if far.id.Header != near.id.Header && !far.like.of(near.like) {
			wrong = append(wrong, row)
		}
	}
	return wrong, looked, nil
}

// shownKey is a key as people write it.
func shownKey(k mail.Key) string {
	if uid, ok := k.UID(); ok {
		return fmt.Sprint(uid)
	}
	return string(k)
}
