package script_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
)

// Each of these would run for ever, or until the machine is out of memory.
var runaways = map[string]string{
	"loop":             `while true do end`,
	"pcall loop":       `while true do pcall(function() while true do end end) end`,
	"xpcall":           `while true do xpcall(function() error("x") end, function(e) while true do end end) end`,
	"coroutine":        `coroutine.wrap(function() while true do end end)()`,
	"pattern":          `("a"):rep(5000):find(".-.-.-.-b")`,
	"exponential":      `("a"):rep(40):find(("a?"):rep(40) .. ("a"):rep(40) .. "b")`,
	"gsub callback":    `while true do (("a"):rep(1000)):gsub("a", function() return "b" end) end`,
	"sort":             `local t = {} for i = 1, 1000 do t[i] = -i end while true do table.sort(t) end`,
	"sort callback":    `table.sort({ 1, 2, 3 }, function() while true do end end)`,
	"metamethod":       `local t = setmetatable({}, { __index = function(t, k) while true do end end }) return t.x`,
	"recursion caught": `local function f() return pcall(f) and f() end while true do f() end`,
	"gmatch":           `while true do for _ in ("a b c"):gmatch("%a") do end end`,
	"tostring":         `return tostring(setmetatable({}, { __tostring = function() while true do end end }))`,
}

func TestRunawaysAreCancelled(t *testing.T) {
	for name, code := range runaways {
		t.Run(name, func(t *testing.T) {
			s := state(t, "return function() "+code+" end", script.Options{Worker: "near"})
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			_, err := callCtx(ctx, t, s)
			if name == "pattern" || name == "exponential" {
				require.Error(t, err) // the pattern's own budget may come first
				return
			}
			require.ErrorIs(t, err, fault.Stopped)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.True(t, strings.HasPrefix(err.Error(), "app.lua:1: stopped"), "%v", err)

			// The state is usable afterwards.
			require.NoError(t, s.Do(context.Background(), func(L *lua.LState) error { return nil }))
		})
	}
}

func TestStepBudget(t *testing.T) {
	for name, code := range runaways {
		t.Run(name, func(t *testing.T) {
			s := state(t, "return function() "+code+" end", script.Options{Steps: 200_000})
			_, err := call(t, s)
			require.ErrorIs(t, err, fault.Script)
			require.EqualError(t, err, "app.lua:1: the script did not end after 200000 steps (is there a loop without an end?)")
			_, err = call(t, s)
			require.Error(t, err, "the budget is that of one Do")
		})
	}
	s := state(t, "return function() for i = 1, 1000 do end return 1 end", script.Options{Steps: 200_000})
	for range 1000 {
		_, err := call(t, s)
		require.NoError(t, err)
	}
}

func TestTimeBudget(t *testing.T) {
	s := state(t, "return function() while true do end end", script.Options{Timeout: 20 * time.Millisecond})
	_, err := call(t, s)
	require.ErrorIs(t, err, fault.Script)
	require.EqualError(t, err, "app.lua:1: the script did not end after 20ms (is there a loop without an end?)")
}

func TestRunawayTopLevelIsCancelled(t *testing.T) {
	write(t, map[string]string{"app.lua": "local x = 1\nwhile true do end"})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := script.Load(ctx, script.Config{App: "app.lua"})
	require.ErrorIs(t, err, fault.Stopped)
	require.Contains(t, err.Error(), "app.lua:2")
}

func TestDeepRecursionAndBigUnpackWork(t *testing.T) {
	got, err := eval(t, `local function r(n) if n == 0 then return 0 end return 1 + r(n - 1) end
local t = {} for i = 1, 200000 do t[i] = i end
return r(4000), select("#", unpack(t))`, script.Options{})
	require.NoError(t, err)
	require.Equal(t, "4000 200000", got)

	_, err = eval(t, `local function r() return 1 + r() end return r()`, script.Options{})
	require.ErrorIs(t, err, fault.Script)
	require.Contains(t, err.Error(), "stack overflow")
}

// A state that is asked from inside itself must not wait for itself.
func TestSelfCall(t *testing.T) {
	a := state(t, "return 1", script.Options{Worker: "a"})
	b := state(t, "return 1", script.Options{Worker: "b"})
	nothing := func(*lua.LState) error { return nil }
	err := a.Do(context.Background(), func(L *lua.LState) error {
		return b.Do(script.Context(L), func(L *lua.LState) error {
			return a.Do(script.Context(L), nothing)
		})
	})
	require.ErrorIs(t, err, fault.SelfCall)
	require.EqualError(t, err, `script of worker "a" would wait for itself`)
	require.NoError(t, a.Do(context.Background(), nothing))
	require.NoError(t, b.Do(context.Background(), nothing))
}

func TestDoSerialisesAndHonoursTheContext(t *testing.T) {
	s := state(t, "return 1", script.Options{Worker: "near"})
	inside, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.Do(context.Background(), func(*lua.LState) error {
			close(inside)
			<-leave
			return nil
		})
	})
	<-inside
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("the user pressed Ctrl-C")
	cancel(why)
	err := s.Do(ctx, func(*lua.LState) error { t.Error("two owners"); return nil })
	require.ErrorIs(t, err, fault.Stopped)
	require.ErrorIs(t, err, why)
	close(leave)
	wg.Wait()

	n := 0
	for range 20 {
		wg.Go(func() {
			for range 20 {
				_ = s.Do(context.Background(), func(*lua.LState) error { n++; return nil })
			}
		})
	}
	wg.Wait()
	require.Equal(t, 400, n)
}

func TestPanicsAreFaults(t *testing.T) {
	s := state(t, "return 1", script.Options{Worker: "near"})
	err := s.Do(context.Background(), func(L *lua.LState) error {
		panic("a mistake of ours")
	})
	require.ErrorIs(t, err, fault.Crashed)
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	require.Contains(t, f.Trace, "do_test.go")
	require.Equal(t, "near", f.Worker)

	err = s.Do(context.Background(), func(L *lua.LState) error {
		L.RaiseError("raised outside of a protected call")
		return nil
	})
	require.ErrorIs(t, err, fault.Script)
	require.NoError(t, s.Do(context.Background(), func(L *lua.LState) error {
		require.Zero(t, L.GetTop()-1)
		return nil
	}))
}

func TestClosedStatesRefuse(t *testing.T) {
	b, err := load(t, "return 1")
	require.NoError(t, err)
	s, err := b.NewState(context.Background(), script.Options{Worker: "near"})
	require.NoError(t, err)
	s.Close()
	s.Close()
	err = s.Do(context.Background(), func(*lua.LState) error { t.Error("closed"); return nil })
	require.ErrorIs(t, err, fault.Stopped)
}

// A hook that blocks holds its worker: somebody must be told.
func TestSlowCallsAreTold(t *testing.T) {
	write(t, map[string]string{"app.lua": "local api = require 'imapfw.api'\n\nreturn function(wait) wait() end"})
	synctest.Test(t, func(t *testing.T) {
		var told []script.Running
		b, err := script.Load(context.Background(), script.Config{App: "app.lua", Modules: testModules()})
		require.NoError(t, err)
		s, err := b.NewState(context.Background(), script.Options{Worker: "near", Slow: func(r script.Running) { told = append(told, r) }})
		require.NoError(t, err)
		defer s.Close()
		require.NoError(t, s.Do(context.Background(), func(L *lua.LState) error {
			_, err := s.Call(L, s.Result(), 0, L.NewFunction(func(L *lua.LState) int {
				time.Sleep(70 * time.Second)
				return 0
			}))
			return err
		}))
		require.Len(t, told, 2, "after 30 s and after 60 s")
		require.Equal(t, "function of app.lua:3", told[0].What)
		require.Equal(t, "near", told[0].Worker)
		require.Equal(t, 70*time.Second, time.Since(told[0].Since))
		time.Sleep(time.Minute)
		require.Len(t, told, 2, "not after it has ended")
	})
}

// Go functions that block get the context of the caller, and its values.
func TestContextReachesHostFunctions(t *testing.T) {
	type key struct{}
	s := state(t, "return function(f) return f() end", script.Options{})
	ctx := context.WithValue(context.Background(), key{}, "value")
	require.NoError(t, s.Do(ctx, func(L *lua.LState) error {
		_, err := s.Call(L, s.Result(), 1, L.NewFunction(func(L *lua.LState) int {
			require.Equal(t, "value", script.Context(L).Value(key{}))
			return 0
		}))
		return err
	}))
}

// A coroutine lives longer than the call it was made in, and follows the
// context of the call that resumes it.
func TestCoroutinesFollowTheCaller(t *testing.T) {
	s := state(t, `
local co = coroutine.wrap(function() while true do coroutine.yield(1) end end)
return function() return co() end`, script.Options{})
	for range 3 {
		ctx, cancel := context.WithCancel(context.Background())
		got, err := callCtx(ctx, t, s)
		cancel()
		require.NoError(t, err)
		require.Equal(t, "1", got)
	}
}

// foreign is a context that the standard library can only follow with a
// goroutine.
type foreign struct {
	context.Context
	done chan struct{}
}

func (f foreign) Done() <-chan struct{} { return f.done }

// A coroutine that is never finished leaves nothing behind in the caller's
// context, which may be that of the whole run.
func TestCoroutinesDoNotHangOnTheContext(t *testing.T) {
	s := state(t, `return function()
  for i = 1, 20 do coroutine.resume(coroutine.create(function() coroutine.yield() end)) end
  for i = 1, 20 do coroutine.wrap(function() coroutine.yield() end)() end
end`, script.Options{})
	before := runtime.NumGoroutine()
	_, err := callCtx(foreign{context.Background(), make(chan struct{})}, t, s)
	require.NoError(t, err)
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}
