package options

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/lualib"
)

// Type says what a value may be, and how it is read.
type Type struct {
	words string // in messages: "a size such as \"20M\""
	lua   string // in the editor stubs
	doc   string // in the reference
	// fits looks at the outer shape only: enough to choose among alternatives.
	fits func(v lua.LValue) bool
	read func(r *reader, v lua.LValue, path []any) (any, bool)
	subs []*Table // tables of options inside
}

// simple makes a type from one function; ok is false when the value is not of
// the type.
func simple(words, luaType, doc string, read func(v lua.LValue) (any, bool)) Type {
	t := Type{words: words, lua: luaType, doc: doc}
	t.fits = func(v lua.LValue) bool {
		_, ok := read(v)
		return ok
	}
	t.read = func(r *reader, v lua.LValue, path []any) (any, bool) {
		got, ok := read(v)
		if !ok {
			r.expected(path, words, v)
		}
		return got, ok
	}
	return t
}

// Bool is true or false; read as bool.
func Bool() Type {
	return simple("true or false", "boolean", "boolean", func(v lua.LValue) (any, bool) {
		b, ok := v.(lua.LBool)
		return bool(b), ok
	})
}

// Int is a whole number from least to most; read as int64.
func Int(least, most int64) Type {
	words := fmt.Sprintf("a whole number from %d to %d", least, most)
	if most == math.MaxInt64 {
		words = fmt.Sprintf("a whole number, at least %d", least)
	}
	return simple(words, "integer", "number", func(v lua.LValue) (any, bool) {
		n, ok := v.(lua.LNumber)
		i := int64(n)
		return i, ok && float64(n) == math.Trunc(float64(n)) && math.Abs(float64(n)) <= 1<<53 && i >= least && i <= most
	})
}

// Number is any finite number from least to most; read as float64.
func Number(least, most float64) Type {
	return simple(fmt.Sprintf("a number from %v to %v", least, most), "number", "number", func(v lua.LValue) (any, bool) {
		n, ok := v.(lua.LNumber)
		return float64(n), ok && float64(n) >= least && float64(n) <= most
	})
}

// String is read as string. It may be empty; see Text.
func String() Type {
	return simple("a string", "string", "string", func(v lua.LValue) (any, bool) {
		s, ok := v.(lua.LString)
		return string(s), ok
	})
}

// Text is a string that is not empty, without line breaks and NUL.
func Text() Type {
	return simple("a string of one line, not empty", "string", "string", func(v lua.LValue) (any, bool) {
		s, ok := v.(lua.LString)
		return string(s), ok && s != "" && !strings.ContainsAny(string(s), "\r\n\x00")
	})
}

// Size is octets: a number, or "200k", "20M", "1G"; read as int64.
func Size() Type {
	return simple(`a size such as "20M"`, "imapfw.Size", "size", func(v lua.LValue) (any, bool) {
		switch v := v.(type) {
		case lua.LNumber:
			n := float64(v)
			return int64(n), n >= 0 && n == math.Trunc(n) && n <= 1<<53
		case lua.LString:
			n, err := ParseSize(string(v))
			return n, err == nil
		}
		return nil, false
	})
}

// Age is "30s", "15m", "2h", "30d", "8w" or "2y"; read as time.Duration.
func Age() Type {
	return simple(`an age such as "30d"`, "imapfw.Age", "age", func(v lua.LValue) (any, bool) {
		s, ok := v.(lua.LString)
		if !ok {
			return nil, false
		}
		d, err := ParseAge(string(s))
		return d, err == nil
	})
}

// Enum is one of the words; read as string.
func Enum(words ...string) Type {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	t := simple(list(quoted, "or"), strings.Join(quoted, "|"), strings.Join(quoted, " "), func(v lua.LValue) (any, bool) {
		s, ok := v.(lua.LString)
		for _, w := range words {
			if ok && w == string(s) {
				return w, true
			}
		}
		return nil, false
	})
	plain := t.read
	t.read = func(r *reader, v lua.LValue, path []any) (any, bool) {
		got, ok := plain(r, v, path)
		if s, isText := v.(lua.LString); !ok && isText {
			r.suggest(string(s), words)
		}
		return got, ok
	}
	return t
}

// Const is exactly one boolean, for alternatives: AnyOf(Const(false), Sub(t)).
func Const(b bool) Type {
	text := strconv.FormatBool(b)
	return simple(text, text, text, func(v lua.LValue) (any, bool) { return b, v == lua.LBool(b) })
}

// Func is a function, read as *script.Func; signature is for the stubs:
// "fun(folder: imapfw.Folder): boolean". It must be given while the top level
// runs, since workers find it by where it stands in the app.
func Func(signature string) Type {
	return Type{
		words: "a function", lua: signature, doc: "function",
		fits: func(v lua.LValue) bool { return v.Type() == lua.LTFunction },
		read: func(r *reader, v lua.LValue, path []any) (any, bool) {
			fn, ok := v.(*lua.LFunction)
			if !ok {
				r.expected(path, "a function", v)
				return nil, false
			}
			if script.From(r.L).Phase() != script.Define {
				r.fail(path, "a worker cannot find a function made in main", "define it at the top level, in an option of an account or a method of a class")
				return nil, false
			}
			return script.NewFunc(r.L, fn), true
		},
	}
}

// Any is any plain value, read as script.FromLua does.
func Any() Type {
	return Type{
		words: "plain data", lua: "any", doc: "value",
		fits: func(lua.LValue) bool { return true },
		read: func(r *reader, v lua.LValue, path []any) (any, bool) {
			got, err := script.FromLua(v)
			if err != nil {
				r.fail(path, pathText(path)+": "+err.Error(), "")
			}
			return got, err == nil
		},
	}
}

// Object is a value the api made, accepted by is: a *script.Def, a
// *script.Class, another Datum, or what a userdata holds. It is read as that.
func Object(words, luaType string, is func(v any) bool) Type {
	return simple(words, luaType, words, func(v lua.LValue) (any, bool) {
		var held any
		if c, ok := script.AsClass(v); ok {
			held = c
		} else if ud, ok := v.(*lua.LUserData); ok {
			held = ud.Value
		} else {
			return nil, false
		}
		return held, is(held)
	})
}

// Sub is a table with options of its own; read as wire.Map.
func Sub(t *Table) Type {
	return Type{
		words: "a table", lua: t.Class, doc: "table", subs: []*Table{t},
		fits: isPlainTable,
		read: func(r *reader, v lua.LValue, path []any) (any, bool) { return r.table(t, v, path) },
	}
}

func isPlainTable(v lua.LValue) bool {
	t, ok := v.(*lua.LTable)
	if !ok {
		return false
	}
	_, isClass := script.AsClass(v)
	return !isClass && (lualib.Contents(t) != t || t.Metatable == lua.LNil)
}

// list writes "a, b or c".
func list(words []string, and string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + and + " " + words[last]
}
