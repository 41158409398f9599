package script_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/wire"
)

const classes = `
local api = require "imapfw.api"
local Gmail = api.ImapRepository:extend "Gmail"

function Gmail:init(opts)
  Gmail.super.init(self, opts)
  self.count = 0
  self.depth = opts.depth
end

function Gmail:list_folders()
  self.count = self.count + 1
  local out = {}
  for _, name in ipairs(Gmail.super.list_folders(self)) do
    if name ~= "Junk" then out[#out + 1] = name end
  end
  return out
end

function Gmail:boom() return self.nothing.field end
function Gmail:go_panic() return self:panics() end

local Two = Gmail:extend "Two"
function Two:list_folders()
  local out = Two.super.list_folders(self)
  out[#out + 1] = "extra"
  return out
end

local Passive = api.ImapRepository:extend "Passive"
return { Gmail = Gmail, Two = Two, call = function(f, ...) return f(...) end }`

// instance makes one with three folders.
func instance(t *testing.T, s *script.State, id string, args wire.Value) *script.Instance {
	t.Helper()
	var i *script.Instance
	require.NoError(t, s.Do(context.Background(), func(L *lua.LState) (err error) {
		i, err = s.Instantiate(L, id, &core{folders: []string{"INBOX", "Junk", "Sent"}}, args)
		return err
	}))
	return i
}

func TestTwoLevelsOfSuper(t *testing.T) {
	s := state(t, classes, script.Options{})
	two := instance(t, s, "app:Two", wire.Map{"depth": int64(2)})
	for range 2 {
		got, err := s.CallMethod(context.Background(), two, "list_folders")
		require.NoError(t, err)
		require.Equal(t, []wire.Value{wire.List{"INBOX", "Sent", "extra"}}, got)
	}
	require.NoError(t, s.Do(context.Background(), func(L *lua.LState) error {
		require.Equal(t, "2 2", L.GetField(two.Value(), "count").String()+" "+L.GetField(two.Value(), "depth").String())
		require.Equal(t, "object of app:Two", L.ToStringMeta(two.Value()).String())
		require.Equal(t, "class app:Two", L.ToStringMeta(two.Class().Table()).String())
		return nil
	}))
}

// The host enters Lua only for what a script redefined.
func TestOverrides(t *testing.T) {
	s := state(t, classes, script.Options{})
	for id, want := range map[string][]string{
		"app:Gmail":                 {"boom", "go_panic", "init", "list_folders"},
		"app:Two":                   {"boom", "go_panic", "init", "list_folders"},
		"app:Passive":               nil,
		"imapfw.api:ImapRepository": nil,
	} {
		c, ok := s.Class(id)
		require.True(t, ok)
		require.Equal(t, want, c.Overridden(), id)
		require.Equal(t, want != nil, c.Overrides("list_folders"), id)
		require.False(t, c.Overrides("stop"), id)
		require.False(t, c.Overrides("super"), id)
		require.Equal(t, "imapfw.api:ImapRepository", c.API().ID())
		require.Equal(t, []string{"fail", "init", "list_folders", "panics", "stop"}, c.Methods())
	}
	gmail, _ := s.Class("app:Gmail")
	two, _ := s.Class("app:Two")
	require.True(t, two.Is(gmail))
	require.False(t, gmail.Is(two))
	require.Equal(t, "app.lua:3", gmail.At())
	_, ok := s.Class("app:Nothing")
	require.False(t, ok)
}

func TestErrorsInMethods(t *testing.T) {
	s := state(t, classes, script.Options{Worker: "near"})
	gmail := instance(t, s, "app:Gmail", nil)
	_, err := s.CallMethod(context.Background(), gmail, "boom")
	require.EqualError(t, err, `app.lua:20: Gmail:boom: "self.nothing" is nil, it has no field "field"`)
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	require.Contains(t, f.Trace, "app.lua:20:")

	_, err = s.CallMethod(context.Background(), gmail, "go_panic")
	require.ErrorIs(t, err, fault.Crashed)
	require.ErrorAs(t, err, &f)
	require.Equal(t, "app.lua:21", f.At)
	require.Contains(t, f.Trace, "module_test.go")

	_, err = s.CallMethod(context.Background(), gmail, "fail")
	require.ErrorIs(t, err, fault.Network)
	require.ErrorIs(t, err, errServer)

	_, err = s.CallMethod(context.Background(), gmail, "nothing")
	require.EqualError(t, err, `Gmail has no method "nothing"`)
}

func TestClassMistakes(t *testing.T) {
	const head = "local api = require 'imapfw.api'\n"
	for code, want := range map[string]string{
		`api.ImapRepository.translate = function() end`:                            `app.lua:2: cannot change ImapRepository.translate: ImapRepository is part of the api (subclass it: local Mine = api.ImapRepository:extend "Mine")`,
		`function api.ImapRepository:fetch() end`:                                  `app.lua:2: cannot change ImapRepository.fetch: ImapRepository is part of the api (subclass it: local Mine = api.ImapRepository:extend "Mine")`,
		`rawset(api.ImapRepository, "fetch", 1)`:                                   `app.lua:2: bad argument #1 to 'rawset': this table is read-only`,
		`api.ImapRepository = 1`:                                                   `app.lua:2: imapfw.api.ImapRepository: api is read-only (subclass it, or keep your own table)`,
		`api.ImapRepository:extend()`:                                              `app.lua:2: bad argument #2 to 'extend': expected string, got nil`,
		`api.ImapRepository:extend "two words"`:                                    `app.lua:2: bad argument #2 to 'extend': "two words" is not a name for a class`,
		`api.ImapRepository.extend("X")`:                                           `app.lua:2: bad argument #1 to 'extend': expected a class, got string`,
		`local A = api.Controller:extend "A" A.super = 1`:                          `app.lua:2: A.super cannot be redefined`,
		"local A = api.Controller:extend 'A'\nlocal B = api.Controller:extend 'A'": `app.lua:3: there are two classes "A" in this module (the other is at app.lua:2; workers find a class by its name)`,
		`local A = api.Controller:extend "A" A { f = function() end }`:             `app.lua:2: A: a function is not plain data (at f) (its init runs in a worker; define functions as methods of the class, at the top level)`,
		`local A = api.Controller:extend "A" A { x = { y = { print } } }`:          `app.lua:2: A: a function is not plain data (at x.y[1]) (its init runs in a worker; define functions as methods of the class, at the top level)`,
		`local A = api.Controller:extend "A" A(1, 2)`:                              `app.lua:2: A takes one table of options`,
		`local A = api.Controller:extend "A" A.init({})`:                           `app.lua:2: expected an object as self, got table (call methods with a colon, object:method(...), and super with Name.super.method(self, ...))`,
		`setmetatable(api.Controller, nil)`:                                        `app.lua:2: cannot change a protected metatable`,
	} {
		_, err := load(t, head+code)
		assert.EqualError(t, err, want)
	}
}

// Calling a class in main runs nothing: it is a definition, for the worker.
func TestCallingAClassDefines(t *testing.T) {
	s := state(t, `
local api = require "imapfw.api"
local Redact = api.Controller:extend "Redact"
function Redact:init(opts) error("init ran in main") end
return function() return Redact { depth = 2, when = api.match "x", class = Redact} end`,
		script.Options{Phase: script.Main})
	require.NoError(t, s.Do(context.Background(), func(L *lua.LState) error {
		results, err := s.Call(L, s.Result(), 1)
		require.NoError(t, err)
		d, ok := script.Is[*script.Def](results[0])
		require.True(t, ok)
		require.Equal(t, "app:Redact", d.Class)
		plain, err := script.Plain(d)
		require.NoError(t, err)
		require.Equal(t, wire.Map{"$imapfw": "definition", "value": wire.Map{
			"kind": "object", "class": "app:Redact",
			"args": wire.Map{
				"depth": int64(2),
				"when":  wire.Map{"$imapfw": "predicate", "value": "x"},
				"class": wire.Map{"$imapfw": "class", "value": "app:Redact"},
			},
		}}, plain)
		require.Equal(t, "definition of app:Redact", L.ToStringMeta(results[0]).String())
		return nil
	}))
}

// In the worker the same arguments are rebuilt, and init runs.
func TestInitRunsInTheWorker(t *testing.T) {
	s := state(t, `
local api = require "imapfw.api"
local Redact = api.Controller:extend "Redact"
function Redact:init(opts)
  Redact.super.init(self, opts)
  self.text = tostring(opts.when) .. opts.depth .. tostring(opts.class) .. opts.move("y")
end
return api.account { name = "a", move = function(x) return "moved " .. x end }`, script.Options{})
	f, ok := s.Func("account a/move")
	require.True(t, ok)
	redact, _ := s.Class("app:Redact")
	args, err := script.Plain(wire.Map{"depth": int64(2), "when": &predicate{"x"}, "class": redact, "move": f})
	require.NoError(t, err)
	i := instance(t, s, "app:Redact", args)
	require.NoError(t, s.Do(context.Background(), func(L *lua.LState) error {
		require.Equal(t, "x2class app:Redactmoved y", L.GetField(i.Value(), "text").String())
		return nil
	}))
	err = s.Do(context.Background(), func(L *lua.LState) error {
		_, err := s.Instantiate(L, "app:Gone", nil, nil)
		return err
	})
	require.EqualError(t, err, `there is no class "app:Gone" in script app.lua (define classes at the top level so that workers can find them)`)
}

func TestObjectsAScriptMakesItself(t *testing.T) {
	const app = `
local api = require "imapfw.api"
local Mine = api.%s:extend "Mine"
function Mine:init(opts) Mine.super.init(self, opts) self.n = opts.n end
return function() return Mine { n = 3 }.n end`
	got, err := call(t, state(t, replace(app, "Controller"), script.Options{}))
	require.NoError(t, err)
	require.Equal(t, "3", got)
	_, err = call(t, state(t, replace(app, "ImapRepository"), script.Options{}))
	require.EqualError(t, err, "app.lua:5: objects of Mine are made by the host (call the class in main, where it becomes a definition)")
}

func replace(text, name string) string {
	return text[:indexOf(text, "%s")] + name + text[indexOf(text, "%s")+2:]
}

func indexOf(s, sub string) int {
	for i := range s {
		if len(s)-i >= len(sub) && s[i:i+len(sub)] == sub {
			return i
		}
	}
	return -1
}

// Assigning a function to what a constructor returned, as apps do with main.
func TestAssigningMain(t *testing.T) {
	s := state(t, `
local api = require "imapfw.api"
local app = api.app { name = "full" }
function app.main(ctx) return "ran " .. ctx end
return app`, script.Options{Phase: script.Main})
	f, ok := s.Func("app full/main")
	require.True(t, ok)
	require.NoError(t, s.Do(context.Background(), func(L *lua.LState) error {
		got, err := f.Call(L, 1, lua.LString("ctx"))
		require.Equal(t, "ran ctx", got[0].String())
		return err
	}))
	for code, want := range map[string]string{
		`app.main = 1`:                            `app.lua:3: main of app "full" must be a function, got number`,
		`app.nothing = function() end`:            `app.lua:3: cannot assign nothing of app "full" (give options in the table: api.app { nothing = ... })`,
		`return app.name == "full" or error("x")`: ``,
	} {
		_, err := load(t, "local api = require 'imapfw.api'\nlocal app = api.app { name = 'full' }\n"+code)
		if want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, want)
		}
	}
}
