package engine

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// What is ambiguous is settled in the state alone: no side is asked, and none is
// changed. The next sync reads the folder in full and carries out what was said.

// Doubt is a set of messages of a folder that may be each other's copies.
type Doubt struct {
	Folder    string
	Note      string // what they have in common
	Far, Near []state.Row
}

// Doubts returns what is ambiguous in a state.
func Doubts(ctx context.Context, s state.Store) ([]Doubt, error) {
	folders, err := s.Folders(ctx)
	if err != nil {
		return nil, err
	}
	var out []Doubt
	for _, f := range folders {
		if f.Ambiguous == 0 {
			continue
		}
		by := map[string]*Doubt{}
		err := s.Load(ctx, f.Far, state.Far, func(rows []state.Row) error {
			for _, r := range rows {
				if r.Status != state.StatusAmbiguous {
					continue
				}
				if by[r.Note] == nil {
					by[r.Note] = &Doubt{Folder: f.Far, Note: r.Note}
				}
				if d := by[r.Note]; r.Far != "" {
					d.Far = append(d.Far, r)
				} else {
					d.Near = append(d.Near, r)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		from := len(out)
		for _, d := range by {
			out = append(out, *d)
		}
		slices.SortFunc(out[from:], func(a, b Doubt) int { return cmp.Compare(a.Note, b.Note) })
	}
	return out, nil
}

// ParseKey reads a key as people write it: a UID without its zeros.
func ParseKey(text string) mail.Key {
	if uid, err := strconv.ParseUint(text, 10, 32); err == nil && uid > 0 {
		return mail.UIDKey(uint32(uid))
	}
	return mail.Key(text)
}

// Settlement is what the user said about ambiguous messages of a folder.
type Settlement struct {
	Folder string
	Pairs  [][2]mail.Key // far, near: one message each
	New    []mail.Key    // messages of their own: the next sync copies them
}

// Settle records what the user said. All of it is done or nothing.
func Settle(ctx context.Context, s state.Store, what Settlement) error {
	doubts, err := Doubts(ctx, s)
	if err != nil {
		return err
	}
	byKey := [2]map[mail.Key]state.Row{{}, {}}
	for _, d := range doubts {
		if d.Folder != what.Folder {
			continue
		}
		for _, r := range d.Far {
			byKey[0][r.Far] = r
		}
		for _, r := range d.Near {
			byKey[1][r.Near] = r
		}
	}
	take := func(i int, key mail.Key) (state.Row, error) {
		r, ok := byKey[i][key]
		if !ok {
			return r, fault.New(fault.NotFound, "settle", "no ambiguous message %q is on the %s side", shownKey(key), state.Far+state.Side(i)).
				InFolder(what.Folder).WithHint("imapfw state pair lists them")
		}
		delete(byKey[i], key)
		return r, nil
	}
	change := state.Change{}
	for _, p := range what.Pairs {
		far, err := take(0, p[0])
		if err != nil {
			return err
		}
		near, err := take(1, p[1])
		if err != nil {
			return err
		}
		row := pairRow([2]mail.Meta{{Key: far.Far, Flags: far.Flags, Date: far.Date}, {Key: near.Near, Flags: near.Flags, Date: near.Date}})
		row.ID = far.ID
		change.Drop = append(change.Drop, near.ID)
		change.Put = append(change.Put, row)
	}
	for _, key := range what.New {
		i := 0
		if _, far := byKey[0][key]; !far {
			i = 1
		}
		row, err := take(i, key)
		if err != nil {
			return err
		}
		change.Drop = append(change.Drop, row.ID)
	}
	return record(ctx, s, what.Folder, &change)
}

// record commits a settlement, notes it in the journal, and has the next sync
// read the folder in full.
func record(ctx context.Context, s state.Store, folder string, change *state.Change) error {
	folders, err := s.Folders(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(folders, func(f state.Folder) bool { return f.Far == folder })
	if at < 0 {
		return fault.New(fault.NotFound, "settle", "the state does not know the folder").InFolder(folder)
	}
	f := folders[at]
	f.FarCursor, f.NearCursor = "", ""
	change.Folder = &f
	e := &Engine{Config: Config{State: s, Job: "state pair"}}
	if e.run, err = s.BeginRun(ctx, "state pair"); err != nil {
		return err
	}
	for i := range change.Put {
		e.journal(change, eventOf(logPair, 0, &change.Put[i], "the user said so"))
	}
	if err := s.Commit(ctx, folder, change); err != nil {
		return err
	}
	return s.EndRun(ctx, e.run, "done")
}

// Rebuild has the next sync pair folders anew by content, as if nothing were
// known of their keys: all of them, or those that are named. It returns their
// names. Nothing is copied, and the sync that follows removes nothing.
func Rebuild(ctx context.Context, s state.Store, only ...string) ([]string, error) {
	folders, err := s.Folders(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range folders {
		if len(only) > 0 && !slices.Contains(only, f.Far) {
			continue
		}
		f.FarCursor, f.NearCursor, f.Policy = "", "", ""
		f.FarEpoch, f.NearEpoch = distrusted, distrusted
		if err := s.Commit(ctx, f.Far, &state.Change{Folder: &f}); err != nil {
			return names, err
		}
		names = append(names, f.Far)
	}
	return names, nil
}
