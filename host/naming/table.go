package naming

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Table is a renaming checked against the folders that are really there. It is
// immutable and safe for use by several goroutines, as far as Call is.
type Table struct {
	rename *Rename
	far    map[string]entry    // by far name
	near   map[string][]string // far names, by near name
	plain  []bool              // for each StripPrefix: new names go without it
}

type entry struct {
	near string
	err  error
}

// Build applies a renaming to the real far folders. A nil Rename changes
// nothing.
//
// A folder whose name cannot be turned into a near name and back, and folders
// whose near names meet, get an error each: they are to be skipped and told. A
// hidden folder leaves its near name to one that is in sight.
func (r *Rename) Build(folders []mail.Folder) *Table {
	if r == nil {
		r = &Rename{}
	}
	r = r.resolve(folders)
	t := &Table{rename: r, far: make(map[string]entry, len(folders)), near: make(map[string][]string, len(folders))}
	t.plain = r.learn(folders)
	for _, f := range folders {
		if _, twice := t.far[f.Name]; twice {
			continue
		}
		e := r.translate(f.Name)
		t.far[f.Name] = e
		if e.near != "" {
			t.near[e.near] = append(t.near[e.near], f.Name)
		}
	}
	hidden := map[string]bool{}
	for _, f := range folders {
		hidden[f.Name] = f.Hidden
	}
	for near, fars := range t.near {
		if len(fars) < 2 {
			continue
		}
		slices.Sort(fars)
		seen := slices.DeleteFunc(slices.Clone(fars), func(far string) bool { return hidden[far] })
		if len(seen) == 1 {
			t.near[near] = seen
			for _, far := range fars {
				if far != seen[0] {
					t.far[far] = entry{err: fault.New(fault.BadName, "rename", "its name %q is that of %q", near, seen[0]).InFolder(far)}
				}
			}
			continue
		}
		for _, far := range fars {
			t.far[far] = entry{near: near, err: fault.New(fault.BadName, "rename",
				"the folders %s would all be called %q", quoted(fars), near).
				WithHint("rename one of them with rename.map, or leave it out with folders").InFolder(far)}
		}
	}
	return t
}

// translate finds the near name of one far name and proves the inverse.
func (r *Rename) translate(far string) entry {
	near, trail, err := r.forward(far)
	if err != nil {
		return entry{err: inFolder(err, far)}
	}
	for i := range trail {
		after := near
		if i+1 < len(trail) {
			after = trail[i+1]
		}
		ok, err := r.reversible(i, trail[i], after)
		if err != nil {
			return entry{near: near, err: inFolder(err, far)}
		}
		if !ok {
			return entry{near: near, err: fault.New(fault.BadName, "rename",
				"the name becomes %q, which %s does not turn back into %q", near, r.steps[i].Kind, far).
				WithHint("name it in rename.map, or leave it out with folders").InFolder(far)}
		}
	}
	return entry{near: near}
}

// learn decides for each StripPrefix whether a folder that is new on the near
// side gets the prefix on the far side. It does where every far folder but INBOX
// lives under it (a server that keeps all folders under "INBOX/"); it does not
// where others live beside it, or where the level itself can hold no mail
// ("[Gmail]/", which is the server's own).
func (r *Rename) learn(folders []mail.Folder) []bool {
	plain := make([]bool, len(r.steps))
	for i, s := range r.steps {
		if s.Kind != StripPrefix {
			continue
		}
		root := strings.TrimRight(s.Prefix, "/.")
		for _, f := range folders {
			name := f.Name
			for j := range i {
				next, err := r.apply(j, name)
				if err != nil {
					break
				}
				name = next
			}
			switch {
			case name == mail.Inbox || strings.HasPrefix(name, s.Prefix):
			case name == root:
				plain[i] = plain[i] || !f.Selectable()
			default:
				plain[i] = true
			}
		}
	}
	return plain
}

// Near returns the near name of a far one. A name that is not in the list the
// table was built from is translated all the same.
func (t *Table) Near(far string) (string, error) {
	e, known := t.far[far]
	if !known {
		e = t.rename.translate(far)
		if others := t.near[e.near]; e.err == nil && len(others) > 0 {
			e.err = fault.New(fault.BadName, "rename", "the name becomes %q, as %q does already", e.near, others[0]).InFolder(far)
		}
	}
	return e.near, e.err
}

// Far returns the far name of a near one: that of the list where there is one,
// else the name a new far folder is to get. It is an error when no far name
// leads to this near name, or more than one does.
func (t *Table) Far(near string) (string, error) {
	if strings.EqualFold(near, mail.Inbox) {
		near = mail.Inbox
	}
	if fars := t.near[near]; len(fars) > 0 {
		return fars[0], t.far[fars[0]].err
	}
	if err := checkName(near); err != nil {
		return "", inFolder(err, near)
	}
	far := near
	var err error
	for i := len(t.rename.steps) - 1; i >= 0; i-- {
		if far, err = t.rename.invert(i, far, t.plain[i]); err != nil {
			return "", inFolder(err, near)
		}
	}
	back := t.rename.translate(far)
	if back.err != nil {
		return "", back.err
	}
	if back.near != near {
		return "", fault.New(fault.BadName, "rename", "no name on the far side becomes %q: %q would become %q", near, far, back.near).
			WithHint("name it in rename.map, or leave it out with folders").InFolder(near)
	}
	return far, nil
}

func inFolder(err error, name string) error {
	if e, ok := err.(*fault.Error); ok {
		return e.InFolder(name)
	}
	return (&fault.Error{Code: fault.CodeOf(err), Op: "rename", Err: err}).InFolder(name)
}

func quoted(names []string) string {
	var b strings.Builder
	for i, name := range names {
		switch {
		case i > 0 && i == len(names)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", name)
	}
	return b.String()
}
