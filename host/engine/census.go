package engine

import (
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// census is how many messages a folder has on either side: as the state knows
// it, and as it was read just now.
type census struct {
	known, now [state.Near + 1]int
	attrs      []string // of the folder on both sides
}

// census counts what was read.
func (r *reading) census() census {
	var c census
	for _, side := range []state.Side{state.Far, state.Near} {
		c.now[side] = r.deltas[side].Count
		if f := r.listed(side); f != nil {
			c.attrs = append(c.attrs, f.Attrs...)
		}
	}
	c.known[state.Far], c.known[state.Near] = r.beyond, r.beyond
	for _, row := range r.rows {
		for _, side := range []state.Side{state.Far, state.Near} {
			if row.Key(side) != "" {
				c.known[side]++
			}
		}
	}
	return c
}

// discards reports whether mail in a folder is on its way out anyway: its
// removal there is nothing to be guarded.
func (f guardFacts) discards(fp *FolderPlan) bool {
	folder := mail.Folder{Attrs: fp.census.attrs}
	return slices.Contains(f.trash[:], fp.Name) || folder.HasAttr(`\Trash`) || folder.HasAttr(`\Junk`)
}
