package state

import (
	"context"
	"maps"

	"github.com/imapfw/imapfw/host/mail"
)

// Commit applies the change to a copy of the folder and puts the copy in place
// when all of it went well.
func (m *Memory) Commit(ctx context.Context, folder string, c *Change) error {
	if err := c.check(folder); err != nil {
		return err
	}
	leave, err := m.enter(ctx, opCommit)
	if err != nil {
		return err
	}
	defer leave()

	f := m.folders[folder].clone()
	if c.Forget {
		f = nil
	}
	if c.Folder == nil && !c.adds() {
		if f == nil {
			delete(m.folders, folder)
			m.journal.log(folder, c.settleJournal(nil))
			return nil
		}
	} else if f == nil {
		f = newMemoryFolder(folder)
	}
	if c.Folder != nil {
		if other := m.folders[c.Folder.Far]; other != nil && c.Folder.Far != folder {
			return folderExists(folder, c.Folder.Far)
		}
		f.record = *c.Folder
		f.record.Open, f.record.Messages, f.record.Refused, f.record.Ambiguous = 0, 0, 0, 0
	}
	if c.rows() && f != nil {
		f.record = f.record.unmarked()
	}
	ids := m.lastID
	newIntents, newRows, err := f.apply(folder, c, &ids)
	if err != nil {
		return err
	}
	m.lastID = ids
	delete(m.folders, folder)
	m.folders[f.record.Far] = f
	m.journal.log(folder, c.settleJournal(newRows))
	c.fillIn(newIntents, newRows)
	return nil
}

func newMemoryFolder(far string) *memoryFolder {
	return &memoryFolder{
		record:  Folder{Far: far},
		rows:    map[int64]Row{},
		byKey:   map[Side]map[mail.Key]int64{Far: {}, Near: {}},
		intents: map[int64]Intent{},
	}
}

func (f *memoryFolder) clone() *memoryFolder {
	if f == nil {
		return nil
	}
	return &memoryFolder{
		record:  f.record,
		rows:    maps.Clone(f.rows),
		byKey:   map[Side]map[mail.Key]int64{Far: maps.Clone(f.byKey[Far]), Near: maps.Clone(f.byKey[Near])},
		intents: maps.Clone(f.intents),
	}
}

// apply changes rows and intents, and returns the IDs that were made, in order.
func (f *memoryFolder) apply(folder string, c *Change, lastID *int64) (newIntents, newRows []int64, err error) {
	next := func() int64 { *lastID++; return *lastID }
	for _, in := range c.Intend {
		in.ID = next()
		in.Date = wholeSecond(in.Date)
		f.intents[in.ID] = in
		newIntents = append(newIntents, in.ID)
	}
	for _, id := range c.Settle {
		delete(f.intents, id)
	}
	for _, id := range c.Drop {
		f.unlink(id)
		delete(f.rows, id)
	}
	// Rows that are replaced give up their keys before any row takes one, so
	// that two of them can exchange theirs.
	replaced := c.replaced()
	for _, r := range replaced {
		if _, ok := f.rows[r.ID]; !ok {
			return nil, nil, noSuchRow(folder, r)
		}
		f.unlink(r.ID)
	}
	for _, r := range replaced {
		f.unlink(r.ID)
		if err := f.put(folder, r); err != nil {
			return nil, nil, err
		}
	}
	for _, r := range c.Put {
		if r.ID != 0 {
			continue
		}
		r.ID = next()
		newRows = append(newRows, r.ID)
		if err := f.put(folder, r); err != nil {
			return nil, nil, err
		}
	}
	return newIntents, newRows, nil
}

func (f *memoryFolder) unlink(id int64) {
	for side, keys := range f.byKey {
		if k := f.rows[id].Key(side); keys[k] == id {
			delete(keys, k)
		}
	}
}

// put keeps a row whose old self, if any, was unlinked.
func (f *memoryFolder) put(folder string, r Row) error {
	r.Date = wholeSecond(r.Date)
	for side, keys := range f.byKey {
		k := r.Key(side)
		if k == "" {
			continue
		}
		if other, taken := keys[k]; taken && other != r.ID {
			return pairedTwice(folder, r, nil)
		}
		keys[k] = r.ID
	}
	f.rows[r.ID] = r
	return nil
}
