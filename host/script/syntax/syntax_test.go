package syntax_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script/syntax"
	"github.com/imapfw/imapfw/host/wire"
)

func parse(t *testing.T, text string) *syntax.Chunk {
	t.Helper()
	c, err := syntax.Parse("work.lua", []byte(text))
	require.NoError(t, err)
	return c
}

func TestSyntaxErrors(t *testing.T) {
	for text, want := range map[string]string{
		"local x =\n":                      "work.lua:1: syntax error at the end of the file: something is not closed",
		"local x = 1\nlocal y = = 2\n":     `work.lua:2: syntax error near "="`,
		"local t = {\n  a = 1\n  b = 2\n}": `work.lua:3: syntax error near "b"`,
		"x = 'abc\n":                       `work.lua:1: unterminated string near "abc"`,
		"if x != y then end":               `work.lua:1: syntax error near "!" (in Lua, not equal is ~=)`,
		"function f()\n  return 1\n":       "work.lua:2: syntax error at the end of the file: something is not closed",
		"local a = b // 2":                 `work.lua:1: syntax error near "/" (this is Lua 5.1: write math.floor(a / b))`,
		"local a = b & 2":                  `work.lua:1: syntax error near "&" (this is Lua 5.1: use bit.band, bit.bor, bit.lshift, bit.rshift, bit.bxor)`,
		"#!/usr/bin/imapfw\nlocal x = 1 1": `work.lua:2: syntax error near "1"`,
	} {
		_, err := syntax.Parse("work.lua", []byte(text))
		require.EqualError(t, err, want, text)
		require.ErrorIs(t, err, fault.Config)
	}
}

func TestKeyLine(t *testing.T) {
	c := parse(t, `local api = require "api"
return api.account {
  far = api.imap {
    host = "h",
    tls = { mode = "x",
      ca = "y" },
  },
  rules = {
    api.rule { "a",
      move = "x" },
    api.rule { "b", mve = "y" }, api.rule { "c", cpy = 1 },
  },
  folders = { "a",
    3 },
}
`)
	for _, c2 := range []struct {
		call int
		fn   string
		path []any
		want int
	}{
		{3, "api.imap", []any{"host"}, 4},
		{3, "api.imap", []any{"tls", "ca"}, 6},
		{3, "api.imap", []any{"tls", "nothere"}, 5},
		{3, "api.imap", []any{"nothere"}, 3},
		{9, "api.rule", []any{"move"}, 10},
		{9, "api.rule", []any{1}, 9},
		{11, "api.rule", []any{"cpy"}, 11},
		{2, "api.account", []any{"folders", 2}, 14},
		{99, "api.account", []any{"x"}, 99},
	} {
		require.Equal(t, c2.want, c.KeyLine(c2.call, c2.fn, c2.path), "%v", c2)
	}
}

func TestBlame(t *testing.T) {
	c := parse(t, `cc4m.INBOx:is_unseen()
local a = x.y.z
local b = t[i].name + t[j].name
f(g(1))
obj.f():g()
local s = "a" .. name
if n < limit then end
local q = t["odd key"].z
`)
	require.Equal(t, "cc4m.INBOx", c.Indexed(1, "is_unseen"))
	require.Equal(t, "x.y", c.Indexed(2, "z"))
	require.Equal(t, "", c.Indexed(3, "name"), "two candidates")
	none := func(string) bool { return false }
	require.Equal(t, "", c.Called(4, none), "two candidates")
	require.Equal(t, "g", c.Called(4, func(name string) bool { return name == "f" }))
	require.Equal(t, "obj.f()", c.Indexed(5, "g"))
	require.Equal(t, `t["odd key"]`, c.Indexed(8, "z"))
	_, right := c.Operands(6, "concat")
	require.Equal(t, "name", right)
	left, right := c.Operands(7, "compare")
	require.Equal(t, "n limit", left+" "+right)
}

func TestExcerpt(t *testing.T) {
	c := parse(t, "a = 1\nb = 2\r\nc = 3\nd = 4\n")
	require.Equal(t, "    2 | b = 2\n>   3 | c = 3", c.Excerpt(3, 1))
	require.Equal(t, ">   1 | a = 1", c.Excerpt(1, 5))
	require.Equal(t, "", c.Excerpt(0, 5))
	require.Equal(t, "", c.Excerpt(99, 5))
}

func TestNearest(t *testing.T) {
	known := []string{"password", "password_command", "port", "host", "user", "oauth2"}
	for name, want := range map[string]string{
		"passwordcommand": "password_command", "PasswordCommand": "password_command", "prot": "port", "hots": "host",
		"usr": "user", "zzz": "", "p": "", "password-command": "password_command", "oauth": "oauth2",
	} {
		require.Equal(t, want, syntax.Nearest(name, known), name)
	}
}

func TestLiteral(t *testing.T) {
	m, lines, err := syntax.Literal("contrib.lua", []byte(`-- comment
return {
  name = "x",
  n = -3, f = 1.5, h = 0x10, yes = true,
  list = { "a", 2 },
  ["odd key"] = { deep = { deeper = {} } },
}`))
	require.NoError(t, err)
	require.Equal(t, wire.Map{
		"name": "x", "n": int64(-3), "f": 1.5, "h": int64(16), "yes": true, "list": wire.List{"a", int64(2)},
		"odd key": wire.Map{"deep": wire.Map{"deeper": wire.List{}}},
	}, m)
	require.Equal(t, 3, lines["name"])
	require.Equal(t, 5, lines["list"])
}

func TestLiteralIsNeverCode(t *testing.T) {
	for text, want := range map[string]string{
		`return { name = os.getenv("HOME") }`: "m.lua:1: only plain data may stand here: strings, numbers, true, false and tables of them",
		"local x = 1\nreturn { name = x }":    "m.lua:1: this file is data: it must be one table, return { ... }",
		`return 1`:                            "m.lua:1: this file is data: it must be one table, return { ... }",
		``:                                    "m.lua:1: this file is data: it must be one table, return { ... }",
		`return { f = function() end }`:       "m.lua:1: only plain data may stand here: strings, numbers, true, false and tables of them",
		"return {\n a = 1,\n a = 2 }":         `m.lua:3: "a" is given twice`,
		`return { 1, a = 2 }`:                 "m.lua:1: a table is either a list or has named fields",
		`return { [1] = 2 }`:                  "m.lua:1: keys must be names or strings",
		`return { 1, 2 }`:                     `m.lua:1: expected named fields, such as name = "..."`,
		`return { a = ("x"):rep(9) }`:         "m.lua:1: only plain data may stand here: strings, numbers, true, false and tables of them",
		`return { a = "x" .. "y" }`:           "m.lua:1: only plain data may stand here: strings, numbers, true, false and tables of them",
		`return { a = ` + deep(80) + ` }`:     "m.lua:1: tables are nested too deep",
		`while true do end return {}`:         "m.lua:1: this file is data: it must be one table, return { ... }",
	} {
		_, _, err := syntax.Literal("m.lua", []byte(text))
		require.EqualError(t, err, want, text)
	}
}

func deep(n int) string { return strings.Repeat("{", n) + strings.Repeat("}", n) }

func FuzzLiteral(f *testing.F) {
	f.Add(`return { name = "x", needs = { "net" }, n = -1.5 }`)
	f.Add(`return { ["a\"b"] = { { } } }`)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			t.Skip()
		}
		_, _, err := syntax.Literal("m.lua", []byte(text))
		if err != nil {
			require.ErrorIs(t, err, fault.Config)
			require.True(t, strings.HasPrefix(err.Error(), "m.lua:"), "%v", err)
		}
	})
}

// gopher-lua compiles these tables wrongly; a list of fifty addresses and a name
// lost its first addresses, and read registers that hold nothing.
func TestTablesAreCompiledRight(t *testing.T) {
	items := strings.Repeat("7,", 50)
	for text, want := range map[string]string{
		`return {"a", when = f("x")}`:                            "1:a #1",
		`return {"a", when = ...}`:                               "1:a #1",
		`return {"a", f("x", "y")}`:                              "1:a 2:x 3:y #3",
		`return {` + items + ` name = f("b"), far = f("c")}`:     fifty() + "#50",
		`return {` + items + ` name = "b"}`:                      fifty() + "#50",
		`return {` + items + ` name = f("b"), 8}`:                fifty() + "51:8 #51",
		`return {` + items + ` f("x")}`:                          fifty() + "51:x #51",
		`return {` + items + ` f("x", "y")}`:                     fifty() + "51:x 52:y #52",
		`return {` + items + ` {` + items + ` f("x")} }`:         fifty() + "51:table #51",
		`return {f(` + strings.Repeat("1,", 49) + ` 2)}`:         list49() + "#50",
		`return {name = f("b"), ` + items + ` 8, last = f("z")}`: fifty() + "51:8 #51",
	} {
		require.Equal(t, want, run(t, text), text)
	}
	_, err := syntax.Parse("work.lua", []byte("\nreturn {"+strings.Repeat("7,", 30000)+"}"))
	require.EqualError(t, err, "work.lua:2: a list of 30000 items is too long for a source (keep it in a file of its own and read it with api.lines)")
	require.Equal(t, "#25500", run(t, "return {"+strings.Repeat("7,", 25500)+"}")[len(run(t, "return {"+strings.Repeat("7,", 25500)+"}"))-6:])
}

func list49() string {
	var b strings.Builder
	for i := 1; i <= 49; i++ {
		fmt.Fprintf(&b, "%d:1 ", i)
	}
	return b.String() + "50:2 "
}

func fifty() string {
	var b strings.Builder
	for i := 1; i <= 50; i++ {
		fmt.Fprintf(&b, "%d:7 ", i)
	}
	return b.String()
}

// run compiles a chunk that returns a table, and prints its list.
func run(t *testing.T, text string) string {
	t.Helper()
	c := parse(t, "local function f(...) return ... end "+text)
	proto, err := c.Compile()
	require.NoError(t, err)
	L := lua.NewState(lua.Options{RegistryMaxSize: 1 << 20})
	defer L.Close()
	L.Push(L.NewFunctionFromProto(proto))
	L.Push(lua.LString("arg"))
	L.Call(1, 1)
	table := L.Get(-1).(*lua.LTable)
	var b strings.Builder
	for i := 1; i <= table.Len(); i++ {
		v := table.RawGetInt(i).String()
		if strings.HasPrefix(v, "table") {
			v = "table"
		}
		fmt.Fprintf(&b, "%d:%v ", i, v)
	}
	fmt.Fprintf(&b, "#%d", table.Len())
	return b.String()
}
