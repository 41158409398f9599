package script_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
)

// failing calls a host function that raises.
const failing = `
local api = require "imapfw.api"
local Mine = api.ImapRepository:extend "Mine"
function Mine:caught()
  local ok, err = pcall(self.fail, self)
  return err
end
function Mine:fields()
  local ok, err = pcall(self.fail, self)
  return table.concat({ tostring(ok), err.code, err.message, tostring(err.temporary), err.op, err.account, err.folder, err.at, err.hint, tostring(err.worker) }, "|")
end
function Mine:text() local _, err = pcall(self.fail, self) return "got: " .. err .. "!" end
function Mine:again() local _, err = pcall(self.fail, self) error(err) end
function Mine:wrapped() local _, err = pcall(self.fail, self) error(err:wrap "filing the bills") end
function Mine:write() local _, err = pcall(self.fail, self) err.code = "x" end
function Mine:misspelt() local _, err = pcall(self.fail, self) return err.mesage end
function Mine:plain() api.plain_error() end
function Mine:coroutine() return coroutine.wrap(function() self:fail() end)() end
function Mine:handler() return select(2, xpcall(function() self:fail() end, function(e) return e.code .. e.at end)) end
`

func method(t *testing.T, s *script.State, name string) (string, error) {
	t.Helper()
	i := instance(t, s, "app:Mine", nil)
	var text string
	err := s.Do(context.Background(), func(L *lua.LState) error {
		got, err := i.Call(L, name, 1)
		if err == nil {
			text = L.ToStringMeta(got[0]).String()
		}
		return err
	})
	return text, err
}

func TestHostErrorsInLua(t *testing.T) {
	s := state(t, failing, script.Options{Worker: "near"})
	const text = `app.lua:5: fetch "INBOX": server said no (try later)`
	got, err := method(t, s, "caught")
	require.NoError(t, err)
	require.Equal(t, text, got)

	got, err = method(t, s, "fields")
	require.NoError(t, err)
	require.Equal(t, "false|network|server said no|true|fetch|work|INBOX|app.lua:9|try later|nil", got)

	got, err = method(t, s, "text")
	require.NoError(t, err)
	require.Equal(t, `got: app.lua:12: fetch "INBOX": server said no (try later)!`, got)

	got, err = method(t, s, "handler")
	require.NoError(t, err)
	require.Equal(t, "networkapp.lua:19", got)

	for name, want := range map[string]string{
		"write":    `app.lua:15: Mine:write: cannot assign error.code: it is read-only`,
		"misspelt": `app.lua:16: Mine:misspelt: error has no field "mesage" (did you mean "message"?)`,
	} {
		_, err = method(t, s, name)
		require.EqualError(t, err, want)
	}
}

// The error that comes out is the one that went in, at any depth.
func TestErrorsKeepTheirIdentity(t *testing.T) {
	s := state(t, failing, script.Options{})
	for name, want := range map[string]string{
		"again":     `app.lua:13: fetch "INBOX": server said no (try later)`,
		"wrapped":   `filing the bills: app.lua:14: fetch "INBOX": server said no (try later)`,
		"coroutine": `app.lua:18: fetch "INBOX": server said no (try later)`,
	} {
		_, err := method(t, s, name)
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, fault.Network)
		require.ErrorIs(t, err, errServer)
		require.True(t, fault.IsTemporary(err))
		var f *fault.Error
		require.ErrorAs(t, err, &f)
		require.Equal(t, "work", f.Account)
	}
	_, err := method(t, s, "plain")
	require.ErrorIs(t, err, errServer)
	require.ErrorIs(t, err, fault.Internal)
	require.EqualError(t, err, "app.lua:17: reading: server said no")

	// An error of Go that knows its place is passed through as it is.
	known := &fault.Error{Code: fault.Quota, At: "elsewhere.lua:1", Message: "full"}
	through := state(t, "return function(f) f() end", script.Options{})
	err = through.Do(context.Background(), func(L *lua.LState) error {
		_, err := through.Call(L, through.Result(), 0, L.NewFunction(func(L *lua.LState) int {
			script.Raise(L, known)
			return 0
		}))
		return err
	})
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	require.Equal(t, fault.Quota, f.Code)
	require.Equal(t, "elsewhere.lua:1", f.At)
	require.Contains(t, f.Trace, "app.lua:1:")
	require.Empty(t, known.Trace, "the caller's error is not changed")
	require.True(t, errors.Is(err, fault.Quota))
}

// A misspelt name is found in the source, since gopher-lua does not tell it.
func TestRuntimeErrorsNameTheCulprit(t *testing.T) {
	for code, want := range map[string]string{
		`local cc4m = {} return cc4m.INBOx:is_unseen()`: `app.lua:1: "cc4m.INBOx" is nil, it has no field "is_unseen"`,
		`local a = {} return a.b.c.d`:                   `app.lua:1: "a.b" is nil, it has no field "c"`,
		`local t = {} t.x.y = 1`:                        `app.lua:1: "t.x" is nil, it has no field "y"`,
		`local t = {} return t[1].name`:                 `app.lua:1: "t[1]" is nil, it has no field "name"`,
		`local t, k = {}, "x" return t[k].name`:         `app.lua:1: "t[k]" is nil, it has no field "name"`,
		`local n = 5 return n.x`:                        `app.lua:1: "n" is a number, it has no field "x"`,
		`local s = "x" return s.y.z`:                    `app.lua:1: "s.y" is nil, it has no field "z"`,
		`local f return f()`:                            `app.lua:1: "f" is not a function`,
		`local t = {} t:go()`:                           `app.lua:1: "t:go" is not a function`,
		`local t = {} t.a.b()`:                          `app.lua:1: "t.a" is nil, it has no field "b"`,
		`local x return x + 1`:                          `app.lua:1: cannot calculate with nil and a number: "x" is nil`,
		`local t = {} return 1 - t.n`:                   `app.lua:1: cannot calculate with a number and nil: "t.n" is nil`,
		`local s return "a" .. s`:                       `app.lua:1: cannot join a string and nil: "s" is nil`,
		`return "a" .. {}`:                              `app.lua:1: cannot join a string and a table`,
		`local x return x < 1`:                          `app.lua:1: cannot compare nil with a number: "x" is nil`,
		`return {} < 1`:                                 `app.lua:1: cannot compare a table with a number`,
		`return #nil`:                                   `app.lua:1: __len undefined`,
		`for i = 1, "x" do end`:                         `app.lua:1: for statement limit must be a number`,
		`local t = {} t[nil] = 1`:                       `app.lua:1: table index is nil`,
		`return ipairs(nil)`:                            `app.lua:1: bad argument #1 to 'ipairs': expected table, got nil`,
		`local x, y = {}, {} return x.a.k, y.b.k`:       `app.lua:1: attempt to index nil with the key "k"`,
	} {
		_, err := eval(t, code, script.Options{})
		assert.EqualError(t, err, want)
		assert.ErrorIs(t, err, fault.Script)
		got, err := eval(t, "return select(2, pcall(function() "+code+" end))", script.Options{})
		assert.NoError(t, err)
		assert.Equal(t, want, got, "the same text inside a script")
	}
}

func TestErrorsOfOtherKinds(t *testing.T) {
	for code, want := range map[string]string{
		`error({ message = "own table" })`: "app.lua:1: own table",
		`error({})`:                        "app.lua:1: a script raised a table",
		`error(true)`:                      "app.lua:1: a script raised true",
		`error("text")`:                    "app.lua:1: text",
		`error("other.lua:5: text", 0)`:    "app.lua:1: other.lua:5: text",
	} {
		_, err := eval(t, code, script.Options{})
		require.EqualError(t, err, want)
	}
}

func TestTraces(t *testing.T) {
	_, err := load(t, "local function inner()\n  error('x')\nend\nlocal function outer()\n  inner()\nend\nouter()")
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	require.Equal(t, "app.lua:2: in function 'inner'\napp.lua:5: in function 'outer'\napp.lua:7: in main chunk", f.Trace)
}

func TestTogether(t *testing.T) {
	one, two := fault.New(fault.Config, "", "one"), fault.New(fault.Config, "", "two")
	require.NoError(t, script.Together(nil))
	require.Same(t, one, script.Together([]error{one}))
	both := script.Together([]error{one, two})
	require.EqualError(t, both, "one\ntwo")
	require.ErrorIs(t, both, fault.Config)
	require.ErrorIs(t, both, two)
}
