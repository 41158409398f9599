package script

import (
	"log/slog"
	"os"
	"reflect"
	"sync/atomic"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script/lualib"
)

// Options are a state's own settings. The zero value is a worker without limits.
type Options struct {
	Worker string // name in errors and logs; "main" for the main worker
	Phase  Phase  // the phase after the top level: Main, or Work (the default)
	Log    *slog.Logger
	Host   any // whatever the host modules need; see State.Host
	// Extend adds globals before the top level runs (imapfilter mode, tests).
	Extend func(s *State, L *lua.LState)

	Steps   int64         // VM instructions one Do may use; 0: no limit
	Timeout time.Duration // time one Do may take, waiting excluded; 0: no limit
	// Slow is told when one Do takes longer than SlowAfter (30 s by default),
	// and again each time that passes. It runs on a goroutine of its own, of
	// which the state waits at the end of the Do, so it must not use the state.
	SlowAfter time.Duration
	Slow      func(Running)

	Print  func(line string)           // print; nil: logged
	Now    func() time.Time            // clock of os.time and os.date; nil: time.Now
	Getenv func(string) (string, bool) // nil: os.LookupEnv
	Seed   uint64                      // of math.random; 0: a random one
}

// State is one Lua state. Only one goroutine at a time is inside Do; the LState
// and its values must not be touched outside of it.
type State struct {
	bundle *Bundle
	opts   Options
	lua    *lua.LState
	turn   chan struct{} // holds a token while nobody is inside Do
	closed bool          // read and written with the token

	phase   Phase
	run     *run // the running Do
	meter   *meter
	running atomic.Pointer[callee]

	modules  map[string]Module
	loaded   map[string]lua.LValue
	loading  []string // modules being loaded, outermost first
	types    map[reflect.Type]*typeInfo
	decoders map[string]func(L *lua.LState, v any) (lua.LValue, error)
	classes  map[string]*Class
	funcs    map[string]*Func
	defs     map[string]Definition
	collect  []error // mistakes found while the top level runs
	result   lua.LValue
}

// Tuned for many small states: the defaults of gopher-lua fail at 5,000 values
// or 250 nested calls, and take more memory. It is never written.
var luaOptions = lua.Options{
	CallStackSize:       4 << 10, // an overflow lists the stack in quadratic time
	RegistrySize:        512,
	RegistryMaxSize:     1 << 20,
	RegistryGrowStep:    4 << 10,
	MinimizeStackMemory: true,
	IncludeGoStackTrace: true,
	SkipOpenLibs:        true,
}

// stateKey is where the Lua registry holds the State.
const stateKey = "imapfw.state"

// newState makes a state with its library and modules, before the top level.
func newState(b *Bundle, opts Options) *State {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Print == nil {
		log := opts.Log
		opts.Print = func(line string) { log.Info(line) }
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Getenv == nil {
		opts.Getenv = os.LookupEnv
	}
	if opts.SlowAfter == 0 {
		opts.SlowAfter = 30 * time.Second
	}
	if opts.Phase == 0 {
		opts.Phase = Work
	}
	s := &State{
		bundle: b, opts: opts,
		lua:      lua.NewState(luaOptions),
		turn:     make(chan struct{}, 1),
		phase:    Define,
		modules:  map[string]Module{},
		loaded:   map[string]lua.LValue{},
		types:    map[reflect.Type]*typeInfo{},
		decoders: map[string]func(*lua.LState, any) (lua.LValue, error){},
		classes:  map[string]*Class{},
		funcs:    map[string]*Func{},
		defs:     map[string]Definition{},
		result:   lua.LNil,
	}
	s.turn <- struct{}{}
	s.meter = newMeter()
	if b.compat {
		s.phase = Main
	}
	for _, m := range b.modules {
		s.modules[m.Name] = m
	}
	return s
}

// open fills the state. It runs inside Do, so that mistakes come back as errors.
func (s *State) open(L *lua.LState) {
	L.G.Registry.RawSetString(stateKey, &lua.LUserData{Value: s, Metatable: lua.LNil})
	globals := lualib.Open(L, lualib.Env{
		Impure: func(L *lua.LState, what string) { RequirePhase(L, Main|Work, what) },
		Power:  RequirePower,
		Caught: func(L *lua.LState, err error) lua.LValue { return s.caught(L, err) },
		Poll:   func(*lua.LState) error { return s.meter.poll() },
		Print:  s.opts.Print,
		Now:    s.opts.Now,
		Getenv: s.opts.Getenv,
		Seed:   s.opts.Seed,
	})
	s.openErrors(L)
	s.openDefs(L)
	globals["require"] = L.NewFunction(s.require)
	s.openGlobals(L, globals)
	if s.opts.Extend != nil {
		s.opts.Extend(s, L)
	}
}

// From returns the state an LState (or a coroutine of it) belongs to. It panics
// when there is none: the LState was not made here.
func From(L *lua.LState) *State {
	ud, ok := L.G.Registry.RawGetString(stateKey).(*lua.LUserData)
	if !ok {
		panic("script: this LState was not made by a Bundle")
	}
	return ud.Value.(*State)
}

// Close frees the state after the running Do, if any, has ended. It may be
// called more than once.
func (s *State) Close() {
	<-s.turn
	if !s.closed {
		s.closed = true
		s.lua.Close()
	}
	s.turn <- struct{}{}
}

// Bundle returns what the state was made from.
func (s *State) Bundle() *Bundle { return s.bundle }

// Worker returns the name of the worker the state serves.
func (s *State) Worker() string { return s.opts.Worker }

// Phase returns what the state is doing. Use it inside Do.
func (s *State) Phase() Phase { return s.phase }

// Host returns Options.Host.
func (s *State) Host() any { return s.opts.Host }

// Log returns the logger for what scripts say.
func (s *State) Log() *slog.Logger { return s.opts.Log }

// Result returns what the app's file returned. Use it inside Do.
func (s *State) Result() lua.LValue { return s.result }
