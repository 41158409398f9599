package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// A folder that the state knows and one side lacks, while that side has one that
// the state does not know and that is the same, was renamed there: on the other
// side it is given the same name. Renamed on both sides alike, only the state
// follows. That is also what a run finds that was killed right after it renamed a
// folder.

// renaming is a folder that was renamed.
type renaming struct {
	from, to string
	on       state.Side // where it was renamed, so that the other side follows; 0: on both
	// covered tells that a folder above it is renamed, and takes it along.
	covered bool
}

// renamer decides what is made of the folders that were renamed. It does no I/O.
type renamer struct {
	found  [state.Near + 1]map[string]string // what was renamed to what, by side
	listed [state.Near + 1]map[string]*mail.Folder
	allows func(side state.Side) bool

	out   []renaming
	apart map[string]bool // names that are left alone
	notes []Note
}

func (r *renamer) decide() {
	r.apart = map[string]bool{}
	known := map[string]bool{}
	for _, found := range r.found {
		for from := range found {
			known[from] = true
		}
	}
	for _, from := range slices.Sorted(maps.Keys(known)) {
		far, near := r.found[state.Far][from], r.found[state.Near][from]
		switch {
		case far != "" && far == near:
			r.out = append(r.out, renaming{from: from, to: far})
		case far != "" && near != "":
			r.note(from, "the folder was renamed to %q on the far side and to %q on the near side; all of them are left alone", far, near)
			r.apart[from], r.apart[far], r.apart[near] = true, true, true
		case far != "":
			r.one(from, far, state.Far)
		default:
			r.one(from, near, state.Near)
		}
	}
	r.cover()
}

// one decides about a folder that was renamed on one side.
func (r *renamer) one(from, to string, on state.Side) {
	other := on.Other()
	old := r.listed[other][from]
	switch {
	case old == nil || !old.Selectable():
		r.note(from, "the folder was renamed to %q on the %s side and removed on the %s side: %q counts as a new one", to, on, other, to)
	case old.Hidden || old.Fault != "":
	case r.listed[other][to] != nil:
		r.note(from, "the folder was renamed to %q on the %s side, where the %s side has another one", to, on, other)
	case r.allows(other):
		r.out = append(r.out, renaming{from: from, to: to, on: on})
	}
}

// cover notes which folders go along with those above them.
func (r *renamer) cover() {
	for i := range r.out {
		one := &r.out[i]
		for _, above := range r.out {
			rest, below := strings.CutPrefix(one.from, above.from+"/")
			if below && above.on == one.on && one.to == above.to+"/"+rest {
				one.covered = true
			}
		}
	}
	// One that goes elsewhere than the folder above it goes first.
	slices.SortStableFunc(r.out, func(a, b renaming) int { return -cmp.Compare(levels(a.from), levels(b.from)) })
}

func levels(name string) int { return strings.Count(name, "/") }

// takenAlong returns the folders of a side that a renaming takes along and that
// were not renamed themselves: what becomes of them is seen when it was done.
func (r *renamer) takenAlong() []string {
	renamed := map[string]bool{}
	for _, one := range r.out {
		renamed[one.from] = true
	}
	var out []string
	for _, one := range r.out {
		if one.on == 0 {
			continue
		}
		for name := range r.listed[one.on.Other()] {
			if strings.HasPrefix(name, one.from+"/") && !renamed[name] {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (r *renamer) note(folder, format string, args ...any) {
	r.notes = append(r.notes, Note{Folder: folder, Text: fmt.Sprintf(format, args...)})
}
