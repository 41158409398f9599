package engine

import (
	"maps"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/state"
)

// choose turns the folders that the command line names into near names. Far ones
// are understood too, where they name one folder. A folder that is not there is
// a mistake: nothing is done then.
func (e *Engine) choose() error {
	if e.Once.Folders == nil {
		return nil
	}
	there := map[string]bool{}
	for _, side := range []state.Side{state.Far, state.Near} {
		for name, f := range e.listed[side] {
			there[name] = there[name] || !f.Hidden
		}
	}
	chosen := make([]string, 0, len(e.Once.Folders))
	for _, typed := range e.Once.Folders {
		name, err := e.nearName(typed, there)
		if err != nil {
			return err
		}
		if !there[name] {
			return fault.New(fault.Config, "", "the folder %q is left out by the options of the account", name).
				WithHint("see the options folders and subscribed_only")
		}
		if !slices.Contains(chosen, name) {
			chosen = append(chosen, name)
		}
	}
	e.Once.Folders = chosen
	return nil
}

func (e *Engine) nearName(typed string, there map[string]bool) (string, error) {
	if strings.EqualFold(typed, mail.Inbox) {
		typed = mail.Inbox
	}
	if _, near := there[typed]; near {
		return typed, nil
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(there)) {
		raw := e.listed[state.Far][name] != nil && e.listed[state.Far][name].Raw == typed
		if raw || e.FarNames != nil && slices.Contains(e.FarNames(name), typed) {
			found = append(found, name)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		err := fault.New(fault.Config, "", "there is no folder %q", typed)
		var visible []string
		for name := range there {
			if there[name] {
				visible = append(visible, name)
			}
		}
		slices.Sort(visible)
		if misses := naming.NearMisses(typed, visible); len(misses) > 0 {
			return "", err.WithHint("there is %s", quotedList(misses))
		}
		return "", err.WithHint("there are %d folders; imapfw sync --dry-run shows those with something to do", len(visible))
	}
	return "", fault.New(fault.Config, "", "%q may be any of %s", typed, quotedList(found)).WithHint("use the near name")
}

func quotedList(names []string) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(`"` + name + `"`)
	}
	return b.String()
}

// chosen reports whether this run looks into a folder at all.
func (o Once) chosen(name string) bool { return o.Folders == nil || slices.Contains(o.Folders, name) }
