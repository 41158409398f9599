package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// findRenames looks for folders that were renamed. It costs nothing where no
// folder that the state knows is missing, or none is there that it does not know.
func (e *Engine) findRenames(ctx context.Context) (*renamer, error) {
	r := &renamer{listed: e.listed, allows: e.mayRename}
	if e.doubt != "" {
		return r, nil
	}
	for _, side := range []state.Side{state.Far, state.Near} {
		m := e.missingAndFresh(side)
		if len(m.gone) == 0 || len(m.fresh) == 0 {
			continue
		}
		var err error
		if r.found[side], err = m.match(ctx); err != nil {
			return nil, err
		}
	}
	r.decide()
	return r, nil
}

// renames returns the folders that were renamed, and takes out of names those that
// are not to be looked into under that name in this run.
func (e *Engine) renames(ctx context.Context, names map[string]bool) ([]renaming, error) {
	for _, side := range []state.Side{state.Far, state.Near} {
		e.alias(side).clear()
	}
	r, err := e.findRenames(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range r.notes {
		if e.Once.chosen(n.Folder) {
			e.told(n.Folder, "%s", n.Text)
		}
	}
	out := r.out[:0]
	for _, one := range r.out {
		delete(names, one.from)
		if e.Once.chosen(one.to) {
			out = append(out, one)
			continue
		}
		delete(names, one.to)
		if e.Once.chosen(one.from) {
			e.told(one.from, "the folder was renamed to %q on the %s side; a run that looks into that one renames it", one.to, one.on)
		}
	}
	for name := range r.apart {
		delete(names, name)
	}
	e.along = r.takenAlong()
	for _, name := range e.along {
		delete(names, name)
	}
	e.apartNames = r.apart
	return out, nil
}

// rename makes of the pair of a new name what it is: a folder that the state knows
// under its old name, which one side still has.
func (e *Engine) rename(p *pair, was *renaming) {
	p.was = was
	if k, ok := e.known[was.from]; ok {
		p.known = &k
	}
	switch was.on {
	case state.Far:
		p.near = e.listed[state.Near][was.from]
	case state.Near:
		p.far = e.listed[state.Far][was.from]
	}
	if was.on != 0 {
		e.alias(was.on.Other()).call(was.from, was.to)
	}
}

// recorded is the name that the state has for a folder.
func (p *pair) recorded() string {
	if p.was != nil {
		return p.was.from
	}
	return p.name
}

// mayRename reports whether folders may be renamed on a side: that takes and
// makes names there, like creating and removing.
func (e *Engine) mayRename(side state.Side) bool {
	ops := e.Policy.toward(side)
	_, able := driver.As[driver.FolderRenamer](e.store(side))
	return able && e.Policy.Create.Has(side) && ops&OpNew != 0 && ops&OpDelete != 0
}

// renameMatcher finds out which missing folders of a side are which fresh ones.
type renameMatcher struct {
	e           *Engine
	side        state.Side
	gone, fresh []string
	known       map[string]string      // the IDs of missing folders that no other one had
	looks       map[string]*folderLook // at fresh folders
}

// folderLook is what a look at a fresh folder showed.
type folderLook struct {
	epoch  string
	id     string
	keys   map[mail.Key]bool
	idents map[sameHeader]int // of all of its messages, once they were wanted
}

func (e *Engine) missingAndFresh(side state.Side) *renameMatcher {
	m := &renameMatcher{e: e, side: side, known: map[string]string{}, looks: map[string]*folderLook{}}
	for name, k := range e.known {
		f := e.listed[side][name]
		if name != mail.Inbox && (f == nil || !f.Selectable()) && !e.distrusts(k, side) && !e.unrenamable[name] {
			m.gone = append(m.gone, name)
		}
	}
	for name, f := range e.listed[side] {
		_, known := e.known[name]
		if name != mail.Inbox && !known && !f.Hidden && f.Fault == "" && f.Selectable() {
			m.fresh = append(m.fresh, name)
		}
	}
	slices.Sort(m.gone)
	slices.Sort(m.fresh)
	if len(m.gone) > 0 && len(m.fresh) > 0 {
		m.knownIDs()
	}
	return m
}

// knownIDs notes the IDs of missing folders. Where several had one, an administrator
// has copied a folder, and it names none.
func (m *renameMatcher) knownIDs() {
	of := func(known state.Folder) string {
		if m.side == state.Near {
			return known.NearID
		}
		return known.FarID
	}
	had := map[string]int{}
	for _, known := range m.e.known {
		had[of(known)]++
	}
	for _, name := range m.gone {
		if id := of(m.e.known[name]); had[id] == 1 {
			m.known[name] = id
		}
	}
}

// match returns what was renamed to what: first by what names folders for good,
// then by keys, then by what the messages are. What may be one of several is none.
func (m *renameMatcher) match(ctx context.Context) (map[string]string, error) {
	found := map[string]string{}
	for _, same := range []func(context.Context, string, string) (bool, error){m.sameID, m.sameKeys, m.sameMail} {
		pairs, back := map[string][]string{}, map[string][]string{}
		for _, from := range m.gone {
			for _, to := range m.fresh {
				ok, err := same(ctx, from, to)
				if err != nil {
					return nil, err
				}
				if ok {
					pairs[from], back[to] = append(pairs[from], to), append(back[to], from)
				}
			}
		}
		for from, to := range pairs {
			if len(to) == 1 && len(back[to[0]]) == 1 {
				found[from] = to[0]
			}
		}
		taken := slices.Collect(maps.Values(found))
		m.gone = slices.DeleteFunc(m.gone, func(name string) bool { return found[name] != "" })
		m.fresh = slices.DeleteFunc(m.fresh, func(name string) bool { return slices.Contains(taken, name) })
	}
	return found, nil
}

// ids returns the ID of a missing folder, and that of a fresh one, as far as it was
// told yet.
func (m *renameMatcher) ids(from, to string) (was, is string) {
	if is = m.e.listed[m.side][to].ID; is == "" && m.looks[to] != nil {
		is = m.looks[to].id
	}
	return m.known[from], is
}

// sameID looks into a fresh folder whose ID was not listed only where it has the epoch
// of the missing one.
func (m *renameMatcher) sameID(ctx context.Context, from, to string) (bool, error) {
	was, is := m.ids(from, to)
	if was == "" || is != "" {
		return was != "" && was == is, nil
	}
	if epoch := m.epoch(from); epoch == "" || epoch != m.e.listed[m.side][to].Epoch {
		return false, nil
	}
	look, err := m.look(ctx, to)
	if err != nil {
		return false, err
	}
	return was == look.id, nil
}

// epoch is the epoch that a missing folder had.
func (m *renameMatcher) epoch(from string) string {
	if m.side == state.Near {
		return m.e.known[from].NearEpoch
	}
	return m.e.known[from].FarEpoch
}

// apart reports that two folders are not the same, by their IDs.
func (m *renameMatcher) apart(from, to string) bool {
	was, is := m.ids(from, to)
	return was != "" && is != "" && was != is
}

// sameKeys reports whether a fresh folder has the epoch and most of the keys of a
// missing one, and under some of those keys the same messages.
func (m *renameMatcher) sameKeys(ctx context.Context, from, to string) (bool, error) {
	const sample = 10
	epoch := m.epoch(from)
	if listed := m.e.listed[m.side][to].Epoch; m.apart(from, to) || epoch == "" || listed != "" && listed != epoch {
		return false, nil
	}
	look, err := m.look(ctx, to)
	if err != nil || look.epoch != epoch {
		return false, err
	}
	rows, err := m.rows(ctx, from)
	if err != nil {
		return false, err
	}
	there, wanted := 0, map[mail.Key]string{}
	for _, row := range rows {
		if key := row.Key(m.side); look.keys[key] {
			there++
			if row.Ident != "" && len(wanted) < sample && (row.Status == state.StatusPair || m.side == state.Far) {
				wanted[key] = row.Ident
			}
		}
	}
	if there*2 < len(rows) || len(rows) > 0 && there == 0 {
		return false, nil
	}
	return m.holds(ctx, to, wanted)
}

// holds reports whether messages of a folder have the headers that they should.
func (m *renameMatcher) holds(ctx context.Context, folder string, idents map[mail.Key]string) (bool, error) {
	if len(idents) == 0 {
		return true, nil
	}
	var keys mail.KeySet
	for key := range idents {
		keys.Add(key)
	}
	same := 0
	err := m.e.store(m.side).Describe(ctx, mail.Ref{Name: folder}, keys, mail.WantHeader, func(ds []mail.Description) error {
		for _, d := range ds {
			if HeaderIdentity(d.Header, -1).Header == idents[d.Key] {
				same++
			}
		}
		return nil
	})
	return same*2 > len(idents), asFarAsPossible(err)
}

// sameMail reports whether a fresh folder with other keys holds most of the
// messages of a missing one, and not much else.
func (m *renameMatcher) sameMail(ctx context.Context, from, to string) (bool, error) {
	if m.apart(from, to) {
		return false, nil
	}
	rows, err := m.rows(ctx, from)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	if n := m.e.listed[m.side][to].Count; n >= 0 && (n*2 < len(rows) || n > 2*len(rows)) {
		return false, nil
	}
	look, err := m.look(ctx, to)
	if err != nil || len(look.keys)*2 < len(rows) || len(look.keys) > 2*len(rows) {
		return false, err
	}
	if err := m.identify(ctx, to, look); err != nil {
		return false, err
	}
	left, same := maps.Clone(look.idents), 0
	for _, row := range rows {
		if id := (sameHeader{row.Ident, row.Size}); row.Ident != "" && left[id] > 0 {
			left[id]--
			same++
		}
	}
	return same*10 >= len(rows)*8, nil
}

// look reads which messages a fresh folder has.
func (m *renameMatcher) look(ctx context.Context, folder string) (*folderLook, error) {
	if look := m.looks[folder]; look != nil {
		return look, nil
	}
	look := &folderLook{keys: map[mail.Key]bool{}}
	res, err := m.e.store(m.side).Changes(ctx, mail.Ref{Name: folder}, "", func(metas []mail.Meta) error {
		for _, one := range metas {
			look.keys[one.Key] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	look.epoch, look.id, m.looks[folder] = res.Epoch, res.ID, look
	return look, nil
}

// identify reads what the messages of a fresh folder are.
func (m *renameMatcher) identify(ctx context.Context, folder string, look *folderLook) error {
	if look.idents != nil {
		return nil
	}
	look.idents = map[sameHeader]int{}
	var keys mail.KeySet
	for key := range look.keys {
		keys.Add(key)
	}
	err := m.e.store(m.side).Describe(ctx, mail.Ref{Name: folder}, keys, mail.WantHeader|mail.WantCRLFSize, func(ds []mail.Description) error {
		for _, d := range ds {
			look.idents[sameHeader{HeaderIdentity(d.Header, -1).Header, d.CRLFSize}]++
		}
		return nil
	})
	return asFarAsPossible(err)
}

// rows returns what the state knows of the messages of a side of a folder.
func (m *renameMatcher) rows(ctx context.Context, folder string) (out []state.Row, err error) {
	err = m.e.State.Load(ctx, folder, m.side, func(rows []state.Row) error {
		for _, row := range rows {
			if row.Key(m.side) != "" {
				out = append(out, row)
			}
		}
		return nil
	})
	return out, err
}
