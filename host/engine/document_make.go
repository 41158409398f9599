package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// document returns a plan as a document.
func (e *Engine) document(plan *Plan) (*PlanDocument, error) {
	options, err := e.options()
	if err != nil {
		return nil, err
	}
	d := &PlanDocument{Account: Text(e.account()), Options: options, Once: docOnce(e.Once), Folders: []DocPart{}}
	if e.info.Run > 0 {
		d.State = DocState{ID: e.info.Account, Run: e.info.Run}
	}
	d.LeftOut = texts(slices.Sorted(maps.Keys(e.decided.leftOut)))
	for _, fp := range plan.Folders {
		// Where only the cursors would move on, there is nothing to be applied.
		if work := len(fp.Steps) + len(fp.put) + len(fp.drop) + len(fp.settle) + len(e.decided.of(fp.Name)); !fp.left && (work > 0 || fp.reset) {
			d.Folders = append(d.Folders, e.part(fp))
		}
	}
	return d, nil
}

// account is the account that the engine is of, as commands name it.
func (e *Engine) account() string {
	if name, ok := e.Args["account"].(string); ok {
		return name
	}
	return e.Name
}

// options is a digest of everything that a plan depends on beside the two sides
// and the state.
func (e *Engine) options() (string, error) {
	// Only what narrows: as it is read back from a document.
	once, err := docOnce(e.Once).once()
	if err != nil {
		return "", err
	}
	once.Folders = nil
	policy := e.Policy.encode()
	for _, name := range []string{"guard", "guard_max", "guard_share", "guard_hard", "guard_account", "guard_new",
		"undo", "undo_keep", "undo_size", "undo_path"} {
		delete(policy, name)
	}
	b, err := wire.Encode(wire.List{policy, e.Scope, once.encode(), e.Convert})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12]), nil
}

func (e *Engine) part(fp *FolderPlan) DocPart {
	p := DocPart{Name: Text(fp.Name), Anew: fp.reset, Steps: []DocStep{}, Forget: forgotten(fp), Settle: fp.settle}
	side := func(s state.Side, epoch string, cursor mail.Cursor) DocSide {
		return DocSide{Epoch: Text(epoch), Cursor: Text(cursor), Count: fp.census.now[s]}
	}
	p.Far = side(state.Far, fp.record.FarEpoch, fp.record.FarCursor)
	p.Near = side(state.Near, fp.record.NearEpoch, fp.record.NearCursor)
	for _, s := range fp.Steps {
		p.Steps = append(p.Steps, docStep(s))
	}
	for _, row := range fp.put {
		if row.ID <= 0 && row.Far != "" && row.Near != "" {
			p.Pairs = append(p.Pairs, docRow(row))
		} else {
			p.Rows = append(p.Rows, docRow(row))
		}
	}
	decisions := e.decided.of(fp.Name)
	for _, id := range slices.Sorted(maps.Keys(decisions)) {
		p.Decisions = append(p.Decisions, DocDecision{id, decisions[id]})
	}
	return p
}

// forgotten are the rows of the state that a plan forgets.
func forgotten(fp *FolderPlan) []int64 {
	return slices.DeleteFunc(slices.Clone(fp.drop), func(id int64) bool { return id <= 0 })
}

func docRow(r *state.Row) DocRow {
	return DocRow{ID: max(r.ID, 0), Far: Text(r.Far), Near: Text(r.Near), Flags: r.Flags.Strings(), Status: r.Status, Note: Text(r.Note)}
}

func docStep(s *Step) DocStep {
	d := DocStep{ID: s.ID, Op: s.Op, Side: s.Side.String(), To: Text(s.To), Add: s.Add.Strings(), Remove: s.Remove.Strings(),
		Expiry: s.Expiry, Form: s.Form, Count: s.Count(), Reason: s.Reason}
	if s.was != nil {
		d.Narrowed = &DocFlags{Add: orEmpty(d.Add), Remove: orEmpty(d.Remove)}
		d.Add, d.Remove = s.was.add.Strings(), s.was.remove.Strings()
	}
	at := map[mail.Flags]int{}
	var sets []mail.KeySet
	for _, it := range s.items.all() {
		i, ok := at[it.meta.Flags]
		if !ok {
			i = len(sets)
			at[it.meta.Flags] = i
			sets = append(sets, mail.KeySet{})
			d.Messages = append(d.Messages, DocMessages{Flags: orEmpty(it.meta.Flags.Strings())})
		}
		sets[i].Add(it.meta.Key)
	}
	for i, set := range sets {
		d.Messages[i].DocKeys = docKeys(set)
	}
	return d
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
