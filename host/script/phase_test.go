package script_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
)

// What depends on the moment or the machine cannot be used while defining: two
// workers would define different things.
func TestTopLevelIsPure(t *testing.T) {
	const inFunction = " cannot be used at the top level of a file (call it in a function: the top level runs again in every worker and must define the same there)"
	for code, want := range map[string]string{
		"os.time()":          "app.lua:2: os.time" + inFunction,
		"os.date('%Y')":      "app.lua:2: os.date" + inFunction,
		"os.clock()":         "app.lua:2: os.clock" + inFunction,
		"os.getenv('HOME')":  "app.lua:2: os.getenv" + inFunction,
		"math.random()":      "app.lua:2: math.random" + inFunction,
		"math.randomseed(1)": "app.lua:2: math.randomseed" + inFunction,
		"api.in_main()":      "app.lua:2: api.EngineManager cannot be used at the top level of a file (call it in main(ctx): the top level only defines)",
		"pcall(math.random)": "",
		"os.date('%Y', 0)":   "",
		"os.time { year = 2026, month = 1, day = 1 }": "",
	} {
		_, err := load(t, "local api = require 'imapfw.api'\nlocal x = "+code)
		if want == "" {
			assert.NoError(t, err, code)
			continue
		}
		assert.EqualError(t, err, want, code)
		assert.ErrorIs(t, err, fault.Config)
	}
}

func TestPhasesAfterTheTopLevel(t *testing.T) {
	const app = `
local api = require "imapfw.api"
local Mine = api.ImapRepository:extend "Mine"
return function(what)
  if what == "manager" then api.in_main() end
  if what == "class" then Mine:extend "Other" end
  if what == "method" then function Mine:stop() end end
  return os.time() > 0
end`
	main := state(t, app, script.Options{Worker: "main", Phase: script.Main})
	work := state(t, app, script.Options{Worker: "near"})
	for what, want := range map[string][2]string{
		"":        {"", ""},
		"manager": {"", `app.lua:5: api.EngineManager belongs in main(ctx), this is worker "near"`},
		"class":   {"app.lua:6: Mine:extend belongs at the top level of the file (workers find only what is defined there)", "app.lua:6: Mine:extend belongs at the top level of the file (workers find only what is defined there)"},
		"method":  {"app.lua:7: defining Mine.stop belongs at the top level of the file (workers find only what is defined there)", "app.lua:7: defining Mine.stop belongs at the top level of the file (workers find only what is defined there)"},
	} {
		for i, s := range []*script.State{main, work} {
			_, err := call(t, s, lua.LString(what))
			if want[i] == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, want[i])
			}
		}
	}
}

const definitions = `
local api = require "imapfw.api"
local Mine = api.ImapRepository:extend "Mine"
function Mine:stop() end
local function keep(f) return f ~= "Junk" end
return api.app { name = "all", accounts = {
  api.account { name = "work", folders = keep, repository = Mine, rules = {
    api.rule { name = "golang", when = api.match "x" },
    api.rule { name = "bills", when = api.match "y", move = function(m) return "a" end, on = { pass = function() end } },
  } },
  api.account { name = "home", object = Mine { depth = 2 } },
} }`

func TestDefinitionIDs(t *testing.T) {
	s := state(t, definitions, script.Options{})
	var ids, titles []string
	for _, d := range s.Definitions() {
		ids, titles = append(ids, d.ID), append(titles, d.Title)
	}
	require.Equal(t, []string{
		"account home", "account home/object", "account work", "account work/folders",
		"account work/rules[1]", "account work/rules[2]", "account work/rules[2].move", "account work/rules[2].on.pass",
		"app all", "class app:Mine",
	}, ids)
	require.Equal(t, "rule 2 'bills'", titles[5])
	require.Equal(t, "function rules[2].move", titles[6])
	require.NoError(t, s.Do(context.Background(), func(L *lua.LState) error {
		f, ok := s.Func("account work/folders")
		require.True(t, ok)
		require.Equal(t, "app.lua:5", f.At())
		got, err := f.Call(L, 1, lua.LString("Junk"))
		require.Equal(t, []lua.LValue{lua.LFalse}, got)
		return err
	}))
}

func TestTwoAccountsWithOneName(t *testing.T) {
	_, err := load(t, `
local api = require "imapfw.api"
return api.app { accounts = {
  api.account { name = "work" },
  api.account { name = "work" },
} }`)
	require.EqualError(t, err, "app.lua:5: there are two definitions of account 'work' (the other is at app.lua:4; give them different names)")
}

// An account without a name has that of its file.
func TestNameOfTheFile(t *testing.T) {
	s := state(t, `local api = require "imapfw.api" return api.account { near = 1 }`, script.Options{})
	require.Equal(t, "account app", s.Definitions()[0].ID)
}

// When the second net is needed, it says which definition differs, and why that
// may be. tick is a host function that a top level must not have.
func TestDefinitionsAreCompared(t *testing.T) {
	for name, c := range map[string]struct{ app, want string }{
		"missing": {`local rules = { api.rule { name = "a" }, api.rule { name = "b" } }
if tick() == 1 then rules[3] = api.rule { name = "bills", move = function() end } end
return api.account { name = "work", rules = rules }`,
			"app.lua defined rule 3 'bills' in main but not in worker near (app.lua:3) (did the top level depend on the time, math.random or the environment?)"},
		"more": {`local rules = { api.rule { name = "a" } }
if tick() == 2 then rules[2] = api.rule { name = "extra" } end
return api.account { name = "work", rules = rules }`,
			"app.lua defined rule 2 'extra' in worker near but not in main (app.lua:3) (did the top level depend on the time, math.random or the environment?)"},
		"different": {`return api.account { name = "work", rules = { api.rule { name = "a", limit = tick() } } }`,
			"app.lua defined rule 1 'a' otherwise in main than in worker near (app.lua:2) (did the top level depend on the time, math.random or the environment?)"},
		"predicate": {`return api.account { name = "work", when = api.match("x" .. tick()) }`,
			"app.lua defined account 'work' otherwise in main than in worker near (app.lua:2) (did the top level depend on the time, math.random or the environment?)"},
		"class": {`local C = api.ImapRepository:extend "C"
if tick() == 1 then function C:stop() end end`,
			"app.lua defined class C otherwise in main than in worker near (app.lua:2) (did the top level depend on the time, math.random or the environment?)"},
		"same": {`tick() return api.account { name = "work", rules = { api.rule { name = "a" } } }`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			tick := func(s *script.State, L *lua.LState) {
				L.G.Global.RawSetString("tick", L.NewFunction(func(L *lua.LState) int {
					n++
					L.Push(lua.LNumber(n))
					return 1
				}))
			}
			write(t, map[string]string{"app.lua": "local api = require 'imapfw.api'\n" + c.app})
			b, err := script.Load(context.Background(), script.Config{App: "app.lua", Modules: testModules(), State: script.Options{Extend: tick}})
			require.NoError(t, err)
			s, err := b.NewState(context.Background(), script.Options{Worker: "near", Extend: tick})
			if c.want == "" {
				require.NoError(t, err)
				s.Close()
				return
			}
			require.EqualError(t, err, c.want)
			require.ErrorIs(t, err, fault.Config)
		})
	}
}

func TestFunctionsOutsideTheAppCannotTravel(t *testing.T) {
	s := state(t, `
local api = require "imapfw.api"
local loose = api.rule { move = function() end }
return api.account { name = "work" }, loose`, script.Options{})
	_ = s
	write(t, map[string]string{"app.lua": `
local api = require "imapfw.api"
loose = nil
return 1`})
	require.NoError(t, s.Do(context.Background(), func(L *lua.LState) error {
		fn := L.NewFunction(func(*lua.LState) int { return 0 })
		_, err := script.Plain(map[string]any{"a": []any{script.NewFunc(L, fn)}})
		require.EqualError(t, err, "this function cannot be found by a worker (define it at the top level, in an option of an account or a method of a class)")
		return nil
	}))
}
