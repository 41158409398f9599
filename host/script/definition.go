package script

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
)

// Definition is one line of the list by which states are compared.
type Definition struct {
	ID     string // "account work/rules[3]", "class full:Redact"
	Title  string // "rule 3 'bills'"
	At     string
	Digest string // of the plain data
}

// Definitions lists what the top level defined, in order of id.
func (s *State) Definitions() []Definition {
	list := make([]Definition, 0, len(s.defs))
	for _, id := range sortedKeys(s.defs) {
		list = append(list, s.defs[id])
	}
	return list
}

// define gives ids to what the app's file returned and to the classes.
func (s *State) define(result lua.LValue) error {
	found := map[string]*Def{}
	if d, ok := Is[*Def](result); ok {
		w := definer{s, found}
		if err := w.def(d, "", d.Kind); err != nil {
			return err
		}
	}
	// Digests come second: they contain the ids of functions.
	for id, d := range found {
		sum, err := digest(d)
		if err != nil {
			return err
		}
		def := s.defs[id]
		def.Digest = sum
		s.defs[id] = def
	}
	for id, c := range s.classes {
		if c.api {
			continue
		}
		sum, err := digest([]any{c.base.id, strings.Join(c.own(), " ")})
		if err != nil {
			return err
		}
		s.defs["class "+id] = Definition{ID: "class " + id, Title: "class " + c.name, At: c.at, Digest: sum}
	}
	return nil
}

type definer struct {
	state *State
	found map[string]*Def
}

// def visits a definition that stands at a path.
func (w definer) def(d *Def, path, title string) error {
	if d.Root || path == "" {
		if d.name == "" && d.Name() == "" {
			d.name = w.state.bundle.app
		}
		path = d.Kind + " " + d.Name()
		title = d.Kind
	}
	if name := d.Name(); name != "" {
		title += fmt.Sprintf(" '%s'", name)
	}
	if other := w.found[path]; other == d {
		return nil
	} else if other != nil {
		return (&fault.Error{Code: fault.Config, At: d.At, Message: fmt.Sprintf("there are two definitions of %s", title)}).
			WithHint("the other is at %s; give them different names", other.At)
	}
	w.found[path] = d
	w.state.defs[path] = Definition{ID: path, Title: title, At: d.At}
	sep := "."
	if !strings.Contains(path, "/") {
		sep = "/"
	}
	for _, name := range sortedKeys(d.Options) {
		if err := w.value(d.Options[name], path+sep+name); err != nil {
			return err
		}
	}
	return w.value(d.Args, path+sep+"args")
}

// value visits what stands in an option.
func (w definer) value(v any, path string) error {
	switch v := v.(type) {
	case *Def:
		kind := v.Kind
		if i := strings.LastIndexByte(path, '['); i >= 0 && strings.HasSuffix(path, "]") {
			kind += " " + path[i+1:len(path)-1]
		}
		return w.def(v, path, kind)
	case *Func:
		if v.id != "" {
			return nil
		}
		v.id = path
		w.state.funcs[path] = v
		_, short, _ := strings.Cut(path, "/")
		w.state.defs[path] = Definition{ID: path, Title: "function " + short, At: v.At()}
	case Datum: // it may hold functions: api.match.fn
		data, err := v.Data()
		if err != nil {
			return err
		}
		return w.value(data, path)
	case []any:
		for i, item := range v {
			if err := w.value(item, fmt.Sprintf("%s[%d]", path, i+1)); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, k := range sortedKeys(v) {
			if err := w.value(v[k], path+"."+k); err != nil {
				return err
			}
		}
	}
	return nil
}

// CompareDefinitions returns the error of a state whose definitions are not
// those of main; nil when they are the same.
func CompareDefinitions(app string, main, other []Definition, worker string) error {
	where := "in worker " + worker
	if worker == "" || worker == "main" {
		where = "when it was read again"
	}
	tell := func(d Definition, text string) error {
		return (&fault.Error{Code: fault.Config, Message: fmt.Sprintf("%s defined %s %s (%s)", app, d.Title, text, d.At)}).
			WithHint("did the top level depend on the time, math.random or the environment?")
	}
	if d, ok := firstMissing(main, other); ok {
		return tell(d, "in main but not "+where)
	}
	if d, ok := firstMissing(other, main); ok {
		return tell(d, where+" but not in main")
	}
	// What holds a definition that differs, differs too: tell the innermost.
	var worst *Definition
	for i, d := range main {
		if d.Digest != other[i].Digest && (worst == nil || len(d.ID) > len(worst.ID)) {
			worst = &main[i]
		}
	}
	if worst != nil {
		return tell(*worst, "otherwise in main than "+where)
	}
	return nil
}

// firstMissing returns the outermost definition of a that is not in b.
func firstMissing(a, b []Definition) (first Definition, found bool) {
	ids := make(map[string]bool, len(b))
	for _, d := range b {
		ids[d.ID] = true
	}
	for _, d := range a {
		if !ids[d.ID] && (!found || len(d.ID) < len(first.ID)) {
			first, found = d, true
		}
	}
	return first, found
}
