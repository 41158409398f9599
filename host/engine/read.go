package engine

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// reading is one folder while it is being planned.
type reading struct {
	e    *Engine
	p    pair
	rows []state.Row // all of the folder but those beyond
	rowsKept
	intents []state.Intent
	results map[state.Side]mail.Result
	deltas  map[state.Side]Delta
	notes   []string
	names   map[mail.Key]string        // the Message-IDs of what was paired, by far key
	apart   [state.Near + 1]mail.Flags // flags that a side is known not to keep
	touched map[int64]bool             // rows that a run that was cut short has completed
	// looked holds the near messages that were looked at, each with the message
	// that it is a placeholder of, or nil.
	looked   map[mail.Key]*Identity
	leftOver []mail.Meta // near placeholders beside their messages

	unread [state.Near + 1]bool // the sides that were not read, since nothing changed

	adopted []state.Row // pairs that were made while planning

	strays []lost // copies that were under way to each other, as far as intents tell

	mu      sync.Mutex
	altered []*state.Row // rows whose two copies differ, to be recorded
}

// planFolder reads what changed in one folder and plans it. It returns nil when
// there is nothing to do and nothing to record.
func (e *Engine) planFolder(ctx context.Context, p pair) (*FolderPlan, error) {
	r := &reading{e: e, p: p, results: map[state.Side]mail.Result{}, deltas: map[state.Side]Delta{}}
	if err := r.recall(ctx); err != nil {
		return nil, err
	}
	doubt, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	var plan *FolderPlan
	if doubt {
		plan, err = r.pairAnew(ctx)
	} else {
		plan, err = r.plan(ctx)
	}
	if err != nil {
		return nil, err
	}
	r.complete(plan)
	if !doubt {
		r.noteAltered(plan)
	}
	if err := r.sortOut(ctx, plan, doubt); err != nil {
		return nil, err
	}
	if !doubt && r.nothing(plan) {
		return nil, nil
	}
	for _, text := range r.notes {
		e.told(p.name, "%s", text)
	}
	return plan, nil
}

// recall loads what the state knows of the folder, as far as it is sure to be
// needed.
func (r *reading) recall(ctx context.Context) error {
	if r.p.known == nil {
		return nil
	}
	if err := r.recallIntents(ctx); err != nil {
		return err
	}
	if r.few() {
		r.awaiting = true
		return nil
	}
	return r.recallAll(ctx)
}

// recallIntents loads what a run that was cut short had under way.
func (r *reading) recallIntents(ctx context.Context) (err error) {
	if r.p.known.Open > 0 {
		r.intents, err = r.e.State.Intents(ctx, r.p.recorded())
	}
	return err
}

// recallAll loads all that the state knows of the folder.
func (r *reading) recallAll(ctx context.Context) error {
	err := r.load(ctx, &r.rows)
	r.apart = apartIn(r.rows)
	if known := r.p.known.Policy; known != "" && known != r.e.policyOf(&r.p) {
		for i := range r.rows { // the side may be set up otherwise: offer them again
			r.rows[i].FarOnly = r.rows[i].FarOnly.Intersect(deletedFlag)
			r.rows[i].NearOnly = r.rows[i].NearOnly.Intersect(deletedFlag)
		}
	}
	return err
}

// since returns where to begin reading a side: at the recorded cursor, or from
// the start when anything casts doubt on it.
func (r *reading) since(side state.Side) mail.Cursor {
	k := r.p.known
	if k == nil || r.e.doubt != "" || len(r.intents) > 0 || k.Policy != r.e.policyOf(&r.p) {
		return ""
	}
	if side == state.Far {
		return k.FarCursor
	}
	return k.NearCursor
}

func (r *reading) listed(side state.Side) *mail.Folder {
	if side == state.Far {
		return r.p.far
	}
	return r.p.near
}

// read reads both sides at once, and reports whether the keys of either cannot
// be trusted any more: the folder is to be paired anew.
func (r *reading) read(ctx context.Context) (doubt bool, err error) {
	if err := r.settle(ctx); err != nil {
		return false, err
	}
	if r.e.doubt != "" && r.keys() {
		return true, nil
	}
	group, gctx := errgroup.WithContext(ctx)
	var results [2]mail.Result
	var sides [2]*gathering
	var stale [2]bool
	both := []state.Side{state.Far, state.Near}
	for i, side := range both {
		sides[i] = r.gather(side)
		guarded(group, "read a folder", func() (err error) {
			if one := r.prefetched(gctx, side, r.since(side)); one != nil {
				sides[i], results[i], stale[i] = one.g, one.res, one.stale
				return nil
			}
			results[i], stale[i], err = r.readSide(gctx, side, r.since(side), sides[i].add(gctx))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return false, err
	}
	if err := r.meetRows(ctx, sides, results); err != nil {
		return false, err
	}
	group, gctx = errgroup.WithContext(ctx)
	for i, side := range both {
		r.results[side], r.deltas[side] = results[i], sides[i].c.finish(sides[i].result(results[i]))
		delta := r.deltas[side]
		if stale[i] || r.unread[side] || r.listed(side) == nil {
			continue
		}
		guarded(group, "look at the last messages", func() (err error) {
			stale[i], err = r.reused(gctx, side, r.rows, delta, results[i])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return false, err
	}
	for i, side := range both {
		if stale[i] && r.keys() {
			r.notes = append(r.notes, "the "+side.String()+" folder was replaced or restored; "+
				"its messages are paired anew, and nothing is removed in this run")
			doubt = true
		}
	}
	if doubt {
		err = r.whole(ctx)
	}
	return doubt, err
}

// keys reports whether the state knows any key of the folder.
func (r *reading) keys() bool { return len(r.rows)+r.beyond+len(r.intents) > 0 || r.awaiting }

// sure refuses to pair messages when the reading of one of the sides may have
// missed some: what was missed would be copied to where it is.
func (r *reading) sure(sides ...state.Side) error {
	for _, side := range sides {
		if r.results[side].Unsure {
			return fault.New(fault.Busy, "sync folder", "another program is changing the folder on the %s side just now", side).
				InFolder(r.p.name).WithHint("the next run looks at it again").AsTemporary()
		}
	}
	return nil
}

// readSide reads what changed on one side. stale reports that the side's keys
// are not those the rows hold.
func (r *reading) readSide(ctx context.Context, side state.Side, since mail.Cursor, add func([]mail.Meta) error) (res mail.Result, stale bool, err error) {
	folder := r.listed(side)
	if folder == nil { // about to be created: keys it ever had name nothing
		return mail.Result{Complete: true}, r.keys() && r.p.removed != side, nil
	}
	epoch := r.epoch(side)
	if !r.keys() { // no key to trust or distrust
		since, epoch = "", ""
	}
	if since != "" && still(folder, epoch, since) {
		r.unread[side] = true
		return mail.Result{Epoch: epoch, Cursor: since}, false, nil
	}
	if since != "" && side == state.Far {
		r.e.news.tell()
	}
	if folder.Epoch != "" && epoch != "" && folder.Epoch != epoch {
		return res, true, nil
	}
	res, err = r.e.store(side).Changes(ctx, mail.Ref{Name: r.p.name}, since, add)
	if err != nil {
		return res, false, err
	}
	return res, res.Rewound || epoch != "" && res.Epoch != "" && res.Epoch != epoch, nil
}

// epoch is the epoch the rows were recorded in.
func (r *reading) epoch(side state.Side) string {
	switch {
	case r.p.known == nil:
		return ""
	case side == state.Far:
		return r.p.known.FarEpoch
	}
	return r.p.known.NearEpoch
}

// plan plans a folder whose keys are good.
func (r *reading) plan(ctx context.Context) (*FolderPlan, error) {
	var paired []state.Row
	var settled []int64
	var err error
	if len(r.intents) > 0 {
		if err := r.sure(state.Far, state.Near); err != nil {
			return nil, err
		}
		if paired, settled, err = r.recover(ctx); err != nil {
			return nil, err
		}
	}
	if mail := r.deltas[state.Near].New; r.e.Convert && len(r.rows) == 0 && mail.Len() > 0 && len(paired) < mail.Len() {
		return nil, fault.New(fault.Guard, "convert", "the near side holds %d messages that did not come from here",
			mail.Len()-len(paired)).InFolder(r.p.name).WithHint("a conversion fills an empty side; use a sync for two filled ones")
	}
	if !r.keys() {
		// Two sides that were never in step: what is on both is found by
		// identity. With one side empty there is nothing to find.
		for _, side := range []state.Side{state.Far, state.Near} {
			if other := r.deltas[side.Other()]; other.New.Len() == 0 {
				continue
			}
			if err := r.sure(side); err != nil {
				return nil, err
			}
		}
		found, err := r.pairNew(ctx)
		if err != nil {
			return nil, err
		}
		found.hold(r.p.known == nil)
		paired = found.rows
	} else {
		met, err := r.meet(ctx, paired)
		if err != nil {
			return nil, err
		}
		met.hold(false)
		paired = append(paired, met.rows...)
	}
	paired = r.adopt(paired)
	settled, late := r.outlast(settled, paired)
	in := Input{Folder: r.p.name, Rows: append(r.rows, paired...),
		Far: r.deltas[state.Far], Near: r.deltas[state.Near], Policy: r.e.Policy,
		Again: r.worthAnotherTry(), Touched: r.touched, Keep: r.e.keepRules(), Pairing: r.pairing()}
	if err := r.checkMirror(); err != nil {
		return nil, err
	}
	if r.hasRoom(in) {
		if err := r.readAgain(ctx, state.Far); err != nil {
			return nil, err
		}
		in.Far = r.deltas[state.Far]
	}
	if in.Settled, err = r.askConflicts(ctx, in); err != nil {
		return nil, err
	}
	plan := Diff(in)
	again, err := r.lookAgain(ctx, plan)
	if err != nil {
		return nil, err
	}
	if again {
		in.Rows = append(r.rows, paired...)
		in.Far, in.Near = r.deltas[state.Far], r.deltas[state.Near]
		plan = Diff(in)
	}
	plan.settle, plan.late, plan.strays = settled, late, r.strays
	return plan, nil
}

// askConflicts lets a script settle conflicts one by one.
func (r *reading) askConflicts(ctx context.Context, in Input) (map[int64]Conflict, error) {
	if r.e.Hooks.OnConflict == nil || r.e.Policy.Mirror != 0 {
		return r.e.decided.of(r.p.name), nil
	}
	settled := map[int64]Conflict{}
	for id, c := range Conflicts(in) {
		r.e.asking.Lock()
		answer, err := r.e.Hooks.OnConflict(ctx, c)
		r.e.asking.Unlock()
		if err != nil {
			return nil, err
		}
		if answer != "" {
			settled[id] = answer
			r.e.decided.settle(r.p.name, id, answer)
		}
	}
	return settled, nil
}

// complete adds to a plan what its applying needs.
func (r *reading) complete(plan *FolderPlan) {
	plan.names = r.names
	plan.pairing = r.pairing()
	far, near := r.results[state.Far], r.results[state.Near]
	plan.apart = r.apart
	plan.refs = map[state.Side]mail.Ref{state.Far: refOf(r.p.name, far), state.Near: refOf(r.p.name, near)}
	plan.record = state.Folder{Far: r.p.name, Near: r.p.name, FarEpoch: far.Epoch, NearEpoch: near.Epoch,
		FarCursor: far.Cursor, NearCursor: near.Cursor}
	plan.record.FarID, plan.record.NearID = r.id(state.Far), r.id(state.Near)
	plan.options, plan.limits = r.e.fingerprint(), r.p.limits()
	plan.record.Policy = plan.policy()
	plan.census = r.census()
	if far.Unsure || plan.again.Has(state.Far) {
		plan.record.FarCursor = ""
	}
	if near.Unsure || plan.again.Has(state.Near) {
		plan.record.NearCursor = ""
	}
	if r.p.removed != 0 {
		plan.record = *r.p.known
		plan.lively = r.lively()
	}
	if was := r.p.was; was != nil && was.on != 0 && !was.covered {
		plan.Steps = append([]*Step{{Op: OpRename, Folder: was.from, To: was.to, Side: was.on.Other(), Reason: was.reason()}}, plan.Steps...)
	}
	if r.p.create != 0 {
		plan.Steps = append([]*Step{{Op: OpCreate, Folder: r.p.name, Side: r.p.create,
			Reason: "it is on the " + r.p.create.Other().String() + " side only"}}, plan.Steps...)
	}
}

// id is what names a folder of a side for good: as it was listed, or read, or known.
func (r *reading) id(side state.Side) string {
	if f := r.listed(side); f != nil && f.ID != "" {
		return f.ID
	}
	res, known := r.results[side], r.p.known
	if res.ID != "" || known == nil || res.Epoch != r.epoch(side) {
		return res.ID
	}
	if side == state.Far {
		return known.FarID
	}
	return known.NearID
}

// lively reports whether a folder that was removed on one side has new or changed
// messages on the other.
func (r *reading) lively() bool {
	delta := r.deltas[r.p.removed.Other()]
	return delta.New.Len()+len(delta.Flags) > 0
}

// nothing reports whether a plan neither does nor records anything.
func (r *reading) nothing(plan *FolderPlan) bool {
	if r.p.removed != 0 || r.p.was != nil {
		return false
	}
	record := plan.record
	if r.p.known != nil {
		known := *r.p.known
		record.Open, record.Messages, record.Refused, record.Ambiguous = known.Open, known.Messages, known.Refused, known.Ambiguous
	}
	return len(plan.Steps) == 0 && len(plan.put) == 0 && len(plan.drop) == 0 && len(plan.settle)+len(plan.late) == 0 &&
		r.p.known != nil && record == *r.p.known
}
