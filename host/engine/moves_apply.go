package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// A move is announced in the state of the folder it goes to, like a delivery.
// When it was done, first the pair is recorded there, then the row of the folder
// it came from goes. Killed in between, the next run finds the message by its
// intent, and of the old row neither copy.

// movePhase carries out the moves of a plan, one after the other: they are few,
// and each is about two folders.
func (e *Engine) movePhase(ctx context.Context, plan *Plan) error {
	for _, fp := range plan.Folders {
		for _, s := range fp.Steps {
			if s.Op != OpMove || e.draining() {
				continue
			}
			to := plan.folder(s.To)
			if fp.left || to.left {
				plan.leaveMove(fp, s) // one of the places is not there: the next run tries again
				continue
			}
			m := &mover{e: e, plan: plan, step: s, from: fp, to: to}
			err := m.run(ctx)
			if err == nil {
				continue
			}
			plan.leaveMove(fp, s)
			if err := e.folderFailed(ctx, fp.Name, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// mover carries out one step.
type mover struct {
	e        *Engine
	plan     *Plan
	step     *Step
	from, to *FolderPlan
	copier   *copier // of the target
}

// block leaves the folders of a step to the next run.
func (m *mover) block() { m.plan.leaveMove(m.from, m.step) }

func (m *mover) run(ctx context.Context) error {
	m.copier = &copier{e: m.e, fp: m.to, step: m.step, from: m.step.Side.Other(), to: m.step.Side, moves: map[mail.Key]*moved{}}
	if err := m.copier.reserve(ctx); err != nil {
		return err
	}
	defer m.copier.giveBack(ctx)
	for batch := range m.step.items.chunks(changeBatch) {
		if m.e.draining() {
			m.block()
			return nil
		}
		if err := m.batch(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// batch moves some of the messages, records them, and gives them the flags that
// were changed meanwhile.
func (m *mover) batch(ctx context.Context, items []item) error {
	intents, err := m.announce(ctx, items)
	if err != nil {
		return err
	}
	changes := make([]mail.Change, len(items))
	for i, it := range items {
		changes[i] = mail.Change{Key: it.meta.Key, Op: mail.ChangeMove, To: m.to.Name}
	}
	outcomes, err := m.e.store(m.step.Side).Change(ctx, m.from.refs[m.step.Side], changes)
	if err != nil {
		return err
	}
	var done []item
	var settled []int64
	var failed []error
	m.to.unmark(m.step.Side)
	m.from.unmark(m.step.Side)
	for i, out := range outcomes {
		switch {
		case out.Err != nil:
			failed = append(failed, withKey(out.Err, out.Key))
			if definite(out.Err) {
				settled = append(settled, intents[i].ID)
			}
		case out.Gone:
			// Somebody else was first, or an attempt whose answer was lost: the
			// next run looks for it.
			m.block()
		default:
			done = append(done, items[i])
			m.copier.gave(items[i].extra().moved.row.Key(m.copier.from), items[i].meta.Flags)
			m.placed(items[i].extra().moved, intents[i].ID, out, &settled)
		}
	}
	if len(failed) > 0 {
		m.block()
	}
	if err := m.record(ctx, done, settled); err != nil {
		return err
	}
	if err := m.forget(ctx, done); err != nil {
		return err
	}
	if err := m.flag(ctx, done); err != nil {
		return err
	}
	return m.e.allFailed(ctx, m.from.Name, failed)
}

// announce records what is about to come to the target.
func (m *mover) announce(ctx context.Context, items []item) ([]state.Intent, error) {
	change := state.Change{Intend: make([]state.Intent, len(items))}
	for i, it := range items {
		row := it.extra().moved.row
		change.Intend[i] = state.Intent{To: m.step.Side, Source: row.Key(m.copier.from), Next: m.copier.announcing.reserved.Next,
			Epoch: m.copier.ref.Epoch, Flags: row.Flags, Size: row.Size, Date: row.Date, Ident: row.Ident}
	}
	err := m.e.State.Commit(ctx, m.to.Name, &change)
	return change.Intend, err
}

// placed notes what a move made of a message.
func (m *mover) placed(to *moved, intent int64, out mail.Outcome, settled *[]int64) {
	if out.NewKey == "" {
		m.copier.unnamed = append(m.copier.unnamed, *to.row)
		m.copier.names = append(m.copier.names, to.id.MessageID)
		m.copier.kept = append(m.copier.kept, to.id)
		m.copier.intents = append(m.copier.intents, intent)
		m.copier.moves[to.row.Key(m.copier.from)] = to
		return
	}
	setKey(to.row, m.step.Side, out.NewKey)
	if _, isUID := out.NewKey.UID(); !isUID {
		// Keywords that the other folder does not keep are not agreed on.
		dropped := to.row.Flags.Intersect(out.Dropped)
		to.row.Flags = to.row.Flags.Minus(dropped)
		m.e.keepApart(m.to, m.step.Side, to.row, dropped)
	}
	*settled = append(*settled, intent)
}

// record writes down the pairs that the moves made.
func (m *mover) record(ctx context.Context, done []item, settled []int64) error {
	change := state.Change{Settle: settled}
	var rows []*state.Row
	var moves []*moved
	for _, it := range done {
		if row := it.extra().moved.row; row.Key(m.step.Side) != "" {
			rows = append(rows, row)
			moves = append(moves, it.extra().moved)
		}
	}
	if err := m.keywords(ctx, rows); err != nil {
		return err
	}
	for i, row := range rows {
		m.e.journal(&change, m.event(row, moves[i], i+1))
	}
	if err := m.e.commitRows(ctx, m.to, &change, rows); err != nil {
		return err
	}
	m.count(len(done))
	if err := m.copier.findUnnamed(ctx); err != nil {
		return err
	}
	for _, it := range done {
		if found, ok := m.copier.found[it.extra().moved.row.Key(m.copier.from)]; ok {
			*it.extra().moved.row = found
		}
	}
	m.copier.unnamed, m.copier.names, m.copier.kept, m.copier.intents = nil, nil, nil, nil
	return nil
}

// keywords takes from the rows the keywords that the other folder dropped.
func (m *mover) keywords(ctx context.Context, rows []*state.Row) error {
	list := make([]state.Row, len(rows))
	for i, row := range rows {
		list[i] = *row
	}
	err := m.copier.keywords(ctx, list)
	for i, row := range rows {
		row.Flags, row.FarOnly, row.NearOnly = list[i].Flags, list[i].FarOnly, list[i].NearOnly
	}
	return err
}

func (m *mover) event(row *state.Row, of *moved, put int) state.Event {
	ev := eventOf(string(OpMove), m.step.Side, row, m.step.Reason)
	ev.Put, ev.MessageID, ev.Other, ev.Was = put, of.id.MessageID, m.from.Name, of.was
	return ev
}

// forget takes the rows of the messages out of the folder they were in.
func (m *mover) forget(ctx context.Context, done []item) error {
	byFolder := map[*FolderPlan][]*state.Row{}
	for _, it := range done {
		setKey(it.row, m.step.Side, "")
		if marked := it.extra().marked; marked != nil && *marked {
			it.row.Flags = it.row.Flags.Union(mail.Flags{System: mail.Deleted})
		}
		from := it.extra().moved.from
		byFolder[from] = append(byFolder[from], it.row)
	}
	for fp, rows := range byFolder {
		var change state.Change
		var left []*state.Row
		for _, row := range rows {
			switch {
			case row.Far != "" || row.Near != "": // about to be removed on the other side
				left = append(left, row)
			case row.ID > 0:
				change.Drop = append(change.Drop, row.ID)
			}
		}
		if err := m.e.commitRows(ctx, fp, &change, left); err != nil {
			return err
		}
	}
	return nil
}

// flag gives the moved messages the flags of the step.
func (m *mover) flag(ctx context.Context, done []item) error {
	if m.step.Add.Empty() && m.step.Remove.Empty() {
		return nil
	}
	s := &Step{Op: OpFlag, Folder: m.to.Name, Side: m.step.Side, Add: m.step.Add, Remove: m.step.Remove,
		Reason: "changed on the " + m.step.Side.Other().String() + " side"}
	var batch []change
	for _, it := range done {
		if key := it.extra().moved.row.Key(m.step.Side); key != "" {
			batch = append(batch, change{s, item{meta: mail.Meta{Key: key, Flags: it.meta.Flags}, row: it.extra().moved.row}})
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return m.e.changeFlags(ctx, m.to, batch, false)
}

func (m *mover) count(n int) {
	field := &m.e.report.MovedFar
	if m.step.Side == state.Near {
		field = &m.e.report.MovedNear
	}
	m.e.report.count(field, n)
}

// leaveMove leaves what a move concerns to the next run, which must look at all of
// its folders again: the message is new in one of them, and gone in another.
func (p *Plan) leaveMove(fp *FolderPlan, s *Step) {
	fp.blocked.Store(true)
	p.folder(s.To).blocked.Store(true)
	for _, it := range s.items.all() {
		it.extra().moved.from.blocked.Store(true)
	}
}

// folder returns the plan of a folder, nil when there is none.
func (p *Plan) folder(name string) *FolderPlan {
	for _, fp := range p.Folders {
		if fp.Name == name {
			return fp
		}
	}
	return nil
}
