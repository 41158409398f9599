package naming

import (
	"slices"

	"github.com/imapfw/imapfw/host/mail"
)

// FarFolders returns the far folders that a near name may stand for, where the
// list of them is not at hand: more than one with StripPrefix. Where the name is
// given to a special use, that is among the attributes, and the far name is the
// one that a new folder would get. A nil Rename changes nothing.
func (r *Rename) FarFolders(near string) []mail.Folder {
	if r == nil {
		return []mail.Folder{{Name: near}}
	}
	var out []mail.Folder
	for _, plain := range []bool{false, true} {
		far := mail.Folder{Name: near}
		var err error
		for i := len(r.steps) - 1; i >= 0 && err == nil; i-- {
			for use, name := range r.steps[i].Names {
				if isUse(use) && name == far.Name {
					far.Attrs = append(far.Attrs, use)
				}
			}
			far.Name, err = r.invert(i, far.Name, plain)
		}
		known := slices.ContainsFunc(out, func(f mail.Folder) bool { return f.Name == far.Name })
		if err == nil && checkName(far.Name) == nil && !known {
			out = append(out, far)
		}
	}
	return out
}
