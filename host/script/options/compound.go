package options

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script/lualib"
)

// ListOf is a list; read as []any.
func ListOf(item Type) Type {
	return Type{
		words: "a list of " + plural(item), lua: brackets(item.lua), doc: "list of " + item.doc, subs: item.subs,
		fits: func(v lua.LValue) bool {
			t, ok := v.(*lua.LTable)
			return ok && isPlainTable(v) && (lualib.Contents(t).Len() > 0 || isEmpty(t))
		},
		read: func(r *reader, v lua.LValue, path []any) (any, bool) {
			t, ok := v.(*lua.LTable)
			if !ok || !isPlainTable(v) {
				r.expected(path, "a list of "+plural(item), v)
				return nil, false
			}
			t = lualib.Contents(t)
			out, fine := []any{}, true
			for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
				n, isNumber := k.(lua.LNumber)
				if !isNumber || int(n) != len(out)+1 {
					r.fail(append(path, keyPart(k)), fmt.Sprintf("%s must be a list, without the key %q", pathText(path), k.String()), "")
					return nil, false
				}
				got, ok := r.value(item, v, append(path, int(n)))
				out, fine = append(out, got), fine && ok
			}
			return out, fine
		},
	}
}

// MapOf is a table from names to values; read as map[string]any.
func MapOf(value Type) Type {
	return Type{
		words: "a table of " + plural(value), lua: "table<string, " + value.lua + ">", doc: "table of " + value.doc, subs: value.subs,
		fits: func(v lua.LValue) bool {
			t, ok := v.(*lua.LTable)
			return ok && isPlainTable(v) && lualib.Contents(t).Len() == 0
		},
		read: func(r *reader, v lua.LValue, path []any) (any, bool) {
			t, ok := v.(*lua.LTable)
			if !ok || !isPlainTable(v) {
				r.expected(path, "a table of "+plural(value), v)
				return nil, false
			}
			t = lualib.Contents(t)
			out, fine := map[string]any{}, true
			for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
				name, isName := k.(lua.LString)
				if !isName {
					r.fail(append(path, keyPart(k)), fmt.Sprintf("the keys of %s must be strings, got %s", pathText(path), k.String()), "")
					return nil, false
				}
				got, ok := r.value(value, v, append(path, string(name)))
				out[string(name)], fine = got, fine && ok
			}
			return out, fine
		},
	}
}

// AnyOf is the first of the types whose shape fits; read as that one does.
func AnyOf(types ...Type) Type {
	t := Type{}
	var words, luaTypes, docs []string
	for _, alt := range types {
		words, luaTypes, docs = append(words, alt.words), append(luaTypes, alt.lua), append(docs, alt.doc)
		t.subs = append(t.subs, alt.subs...)
	}
	t.words, t.lua, t.doc = either(words), strings.Join(luaTypes, "|"), list(docs, "or")
	choose := func(v lua.LValue) *Type {
		for i := range types {
			if types[i].fits(v) {
				return &types[i]
			}
		}
		return nil
	}
	t.fits = func(v lua.LValue) bool { return choose(v) != nil }
	t.read = func(r *reader, v lua.LValue, path []any) (any, bool) {
		if alt := choose(v); alt != nil {
			return alt.read(r, v, path)
		}
		r.expected(path, t.words, v)
		return nil, false
	}
	return t
}

// either joins alternatives, which may be lists of words themselves.
func either(words []string) string {
	for i := range words[:len(words)-1] {
		words[i] = strings.ReplaceAll(words[i], " or ", ", ")
	}
	return list(words, "or")
}

func isEmpty(t *lua.LTable) bool {
	k, _ := lualib.Contents(t).Next(lua.LNil)
	return k == lua.LNil
}

func keyPart(k lua.LValue) any {
	if n, ok := k.(lua.LNumber); ok {
		return int(n)
	}
	return k.String()
}

// plural makes "a string" into "strings", for "a list of strings".
func plural(t Type) string {
	word, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(t.words, "a "), "an "), " such as ")
	switch {
	case strings.Contains(t.words, `"`) && rest == "", strings.Contains(word, " "):
		return "values, each " + t.words
	}
	return word + "s"
}

func brackets(luaType string) string {
	if strings.ContainsAny(luaType, "|(") {
		return "(" + luaType + ")[]"
	}
	return luaType + "[]"
}
