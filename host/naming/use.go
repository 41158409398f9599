package naming

import (
	"maps"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// specialUses are the marks that servers give folders by what they are for (RFC
// 6154, RFC 8457).
func specialUses() []string {
	return []string{`\All`, `\Archive`, `\Drafts`, `\Flagged`, `\Important`, `\Junk`, `\Sent`, `\Trash`}
}

// isUse reports whether a far name of a map stands for a special use.
func isUse(far string) bool { return strings.HasPrefix(far, `\`) }

// checkUses refuses what no server marks folders with, and the same mark twice.
func checkUses(names map[string]string) error {
	seen := map[string]string{}
	for _, far := range slices.Sorted(maps.Keys(names)) {
		if !isUse(far) {
			continue
		}
		if !slices.ContainsFunc(specialUses(), func(use string) bool { return strings.EqualFold(use, far) }) {
			return fault.New(fault.Config, "", "rename.map: %s is no special use of folders", far).
				WithHint("there are %s", strings.Join(specialUses(), " "))
		}
		if other, twice := seen[strings.ToLower(far)]; twice {
			return fault.New(fault.Config, "", "rename.map has %s and %s, which are the same", other, far)
		}
		seen[strings.ToLower(far)] = far
	}
	return nil
}

// resolve returns the renaming with the names of the real folders in place of
// special uses. Where several folders have a mark, all of them would get the
// name: they meet, and are told. Where none has it, there is nothing to rename;
// a folder of the near name is created far under that name.
func (r *Rename) resolve(folders []mail.Folder) *Rename {
	if !slices.ContainsFunc(r.steps, func(s Step) bool { return slices.ContainsFunc(slices.Collect(maps.Keys(s.Names)), isUse) }) {
		return r
	}
	// Those in sight come last: the inverse is theirs.
	folders = slices.Clone(folders)
	slices.SortStableFunc(folders, func(a, b mail.Folder) int { return rank(a) - rank(b) })
	out := &Rename{steps: slices.Clone(r.steps), back: slices.Clone(r.back), call: r.call}
	for i, s := range out.steps {
		if s.Kind != Map {
			continue
		}
		names := maps.Clone(s.Names)
		maps.DeleteFunc(names, func(far, _ string) bool { return isUse(far) })
		back := maps.Clone(r.back[i])
		for _, use := range slices.Sorted(maps.Keys(s.Names)) {
			for _, f := range folders {
				if !isUse(use) || !f.HasAttr(use) || f.Name == mail.Inbox {
					continue
				}
				name, err := out.before(i, f.Name)
				if _, taken := names[name]; err != nil || taken { // by its name, or by another mark
					continue
				}
				names[name], back[s.Names[use]] = s.Names[use], name
			}
		}
		out.steps[i].Names, out.back[i] = names, back
	}
	return out
}

func rank(f mail.Folder) int {
	if f.Hidden {
		return 0
	}
	return 1
}

// before returns what the steps before step i make of a far name.
func (r *Rename) before(i int, far string) (name string, err error) {
	name = far
	for j := range i {
		if name, err = r.apply(j, name); err != nil {
			return "", err
		}
	}
	return name, nil
}
