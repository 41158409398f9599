package state

import "github.com/imapfw/imapfw/host/fault"

// check refuses a change that no Store can apply.
func (c *Change) check(folder string) error {
	if folder == "" || c.Folder != nil && c.Folder.Far == "" {
		return fault.New(fault.Internal, opCommit, "a folder without a far name").InFolder(folder)
	}
	return nil
}

// adds reports whether the change leaves something that needs a folder to be in.
func (c *Change) adds() bool { return len(c.Intend) > 0 || len(c.Put) > 0 }

// rows reports whether the change is one of rows.
func (c *Change) rows() bool { return len(c.Put)+len(c.Drop) > 0 }

// unmarked returns a record without the marks in its cursors.
func (f Folder) unmarked() Folder {
	f.FarCursor, f.NearCursor = f.FarCursor.Place(), f.NearCursor.Place()
	return f
}

// replaced returns the rows of Put that stand for rows which are there already
// and stay.
func (c *Change) replaced() []Row {
	dropped := make(map[int64]bool, len(c.Drop))
	for _, id := range c.Drop {
		dropped[id] = true
	}
	var out []Row
	for _, r := range c.Put {
		if r.ID != 0 && !dropped[r.ID] {
			out = append(out, r)
		}
	}
	return out
}

// fillIn notes the IDs that a Store gave, once they are durable.
func (c *Change) fillIn(intents, rows []int64) {
	for i := range c.Intend {
		c.Intend[i].ID = intents[i]
	}
	for i := range c.Put {
		if c.Put[i].ID == 0 {
			c.Put[i].ID, rows = rows[0], rows[1:]
		}
	}
}

// added returns how many IDs the change is given.
func (c *Change) added() int {
	n := len(c.Intend)
	for _, r := range c.Put {
		if r.ID == 0 {
			n++
		}
	}
	return n
}
