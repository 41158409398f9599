package script_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/wire"
)

// inside runs fn in a Do, as a function of the host.
func inside(t testing.TB, s *script.State, fn func(L *lua.LState)) {
	t.Helper()
	require.NoError(t, s.Do(context.Background(), func(L *lua.LState) error {
		fn(L)
		return nil
	}))
}

func TestRefusedValues(t *testing.T) {
	s := state(t, `
local api = require "imapfw.api"
local loop = { a = {} } loop.a.b = loop
local deep = {} local at = deep for i = 1, 100 do at.x = {} at = at.x end
local shared = { 1 }
return function(name)
  return api.echo(({
    ["function"] = print, nested = { list = { 1, { print } } }, loop = loop, deep = deep, mixed = { 1, a = 2 },
    holes = { 1, nil, 3 }, sparse = { [5] = 1 }, keys = { [true] = 1 }, fraction = { [1.5] = 1 },
    meta = setmetatable({}, {}), thread = coroutine.create(print), batch = api.batch(), reserved = { ["$imapfw"] = "x" },
    twice = { a = shared, b = shared },
  })[name])
end`, script.Options{})
	for name, want := range map[string]string{
		"function": "a function is not plain data",
		"nested":   "a function is not plain data (at list[2][1])",
		"loop":     "a table inside itself is not plain data (at a.b)",
		"mixed":    "a table that is both a list and a map is not plain data",
		"holes":    "a list with holes or odd keys is not plain data",
		"sparse":   "a list with holes or odd keys is not plain data",
		"keys":     "a table with a boolean as a key is not plain data",
		"fraction": "a list with holes or odd keys is not plain data",
		"meta":     "a table with a metatable is not plain data",
		"thread":   "a thread is not plain data",
		"batch":    "a Batch is not plain data",
		"reserved": `the reserved key "$imapfw" is not plain data`,
		"twice":    "",
	} {
		_, err := call(t, s, lua.LString(name))
		if want == "" {
			assert.NoError(t, err)
		} else {
			assert.EqualError(t, err, "app.lua:7: "+want)
		}
	}
	_, err := call(t, s, lua.LString("deep"))
	require.ErrorContains(t, err, "a table nested this deep is not plain data (at x.x.x")
}

func TestHandlesAndFaults(t *testing.T) {
	s := state(t, "return 1", script.Options{})
	keys := mail.KeySet{}
	at := time.Unix(1793876649, 0)
	inside(t, s, func(L *lua.LState) {
		same := func(v wire.Value) wire.Value {
			got, err := script.FromLua(script.ToLua(L, v))
			require.NoError(t, err)
			return got
		}
		require.Equal(t, wire.Value(keys), same(keys))
		metas := []mail.Meta{{}}
		require.Equal(t, wire.Value(metas), same(metas))
		f := fault.New(fault.Quota, "append", "full")
		require.Same(t, f, same(f))
		require.Equal(t, at.Unix(), same(at))
		require.Equal(t, wire.List{`\Flagged`, `\Seen`, "bill"}, same(mail.NewFlags(`\Seen`, "bill", `\Flagged`)))
		require.Equal(t, "9223372036854775807", same(int64(math.MaxInt64)), "no digit is lost")
		require.Equal(t, int64(1<<53), same(int64(1<<53)))
		require.Equal(t, "\xff\x00", same([]byte("\xff\x00")))
	})
}

// What goes in comes out, for all plain values.
func TestRoundTrip(t *testing.T) {
	s := state(t, "return 1", script.Options{})
	scalar := rapid.OneOf(
		rapid.Just[any](true), rapid.Just[any](false),
		rapid.Map(rapid.Int64Range(-1<<53, 1<<53), func(n int64) any { return n }),
		rapid.Map(rapid.Float64Range(0.1, 0.9), func(f float64) any { return f }),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) any { return string(b) }),
	)
	key := rapid.StringMatching(`[a-zA-Z_ .\x80-\xff]{1,8}`)
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		if depth == 0 {
			return scalar
		}
		return rapid.OneOf(scalar,
			rapid.Map(rapid.SliceOfN(value(depth-1), 1, 4), func(l []any) any { return l }),
			rapid.Map(rapid.MapOfN(key, value(depth-1), 0, 4), func(m map[string]any) any { return m }),
		)
	}
	rapid.Check(t, func(rt *rapid.T) {
		v := value(3).Draw(rt, "value")
		inside(t, s, func(L *lua.LState) {
			got, err := script.FromLua(script.ToLua(L, v))
			require.NoError(rt, err)
			require.Equal(rt, v, got)
		})
	})
}

func TestUserdata(t *testing.T) {
	const head = `local api = require "imapfw.api" local b = api.batch() `
	for code, want := range map[string]string{
		`return b:where(api.match "x"), b.count, tostring(b)`:          "where x 3 Batch",
		`b.limit = 7 return b.count`:                                   "7",
		`local n = 0 for i in api.iterate() do n = n + i end return n`: "6",
		`return getmetatable(b)`:                                       "false",
	} {
		got, err := eval(t, head+code, script.Options{})
		require.NoError(t, err, code)
		require.Equal(t, want, got)
	}
	for code, want := range map[string]string{
		`b.where({}, 1)`:          `app.lua:1: bad argument #1 to 'where': expected Batch, got table`,
		`b:where()`:               `app.lua:1: bad argument #2 to 'where': expected Predicate, got nothing`,
		`b:where(b)`:              `app.lua:1: bad argument #2 to 'where': expected Predicate, got Batch`,
		`b:where(api.Controller)`: `app.lua:1: bad argument #2 to 'where': expected Predicate, got class Controller`,
		`return b.cuont`:          `app.lua:1: Batch has no field "cuont" (did you mean "count"?)`,
		`b.count = 1`:             `app.lua:1: cannot assign Batch.count: it is read-only`,
		`b:wehre()`:               `app.lua:1: Batch has no field "wehre" (did you mean "where"?)`,
		`setmetatable(b, {})`:     `app.lua:1: bad argument #1 to 'setmetatable': expected table, got userdata`,
	} {
		_, err := eval(t, head+code, script.Options{})
		assert.EqualError(t, err, want)
	}
}
