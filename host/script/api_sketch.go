package script

import (
	"context"
	"io/fs"
	"log/slog"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// This file holds the exported API; the parts move to files of their own as
// they are built.

const unbuilt = "script: this part is being built"

// ---- bundle.go

// Module is a module the host offers to scripts ("imapfw.api",
// "imapfw.core.x", "imapfw.test"). Nothing can shadow it.
type Module struct {
	Name string
	// Open builds the module's value in a state, at the first require there.
	// It runs on the state's owner and may raise. The table is frozen
	// (writes raise "subclass it") unless Open returns something else.
	Open func(s *State, L *lua.LState) lua.LValue
}

// Config says what a bundle is made of.
type Config struct {
	App      string   // path of the app: a file, or a folder with init.lua
	AppFS    fs.FS    // where App lies; nil for the machine's file system
	User     string   // the user's folder, with contrib/ and apps/; "" for none
	Embedded fs.FS    // shipped scripts, with contrib/ and apps/; nil for none
	Modules  []Module // host modules, an explicit list
	// Grants holds the powers given to contrib scripts, by their name.
	// Modules of the app itself have every power.
	Grants map[string][]string
	// Compat is the imapfilter mode: globals are free, the top level is the
	// program, package.path is honoured.
	Compat bool
	State  Options // for the throw-away state
}

// Bundle is the frozen set of modules an app consists of: sources, and
// prototypes shared between the states of a process. It is safe for use by
// several goroutines.
type Bundle struct{}

// Load runs the app's top level in a throw-away state, which resolves its
// modules, and freezes the result. A module that was not required then cannot
// be required later.
func Load(ctx context.Context, cfg Config) (*Bundle, error) { panic(unbuilt) }

// Encode returns the bundle as a value that can be sent to a child process.
func (b *Bundle) Encode() wire.Value { panic(unbuilt) }

// Decode rebuilds a bundle in a child process. Modules are the host modules.
func Decode(v wire.Value, modules []Module) (*Bundle, error) { panic(unbuilt) }

// App returns the app's module name: the base name of its file or folder.
func (b *Bundle) App() string { panic(unbuilt) }

// Definitions returns what the top level defined in the throw-away state.
func (b *Bundle) Definitions() []Definition { panic(unbuilt) }

// NewState makes a state and evaluates the app's top level in it, in the define
// phase, then switches to opts.Phase. It checks that the definitions are those
// of the throw-away state. The caller closes it.
func (b *Bundle) NewState(ctx context.Context, opts Options) (*State, error) { panic(unbuilt) }

// ---- state.go

// Options are a state's own settings. The zero value is a worker without limits.
type Options struct {
	Worker string                        // name in errors and logs; "main" for the main worker
	Phase  Phase                         // the phase after the top level: Main or Worker (default)
	Log    *slog.Logger                  // nil: discard
	Host   any                           // whatever the host modules need; see State.Host
	Extend func(s *State, L *lua.LState) // adds globals (imapfilter mode, tests) before the top level

	Steps   int64         // VM instructions one Do may use; 0: no limit
	Timeout time.Duration // time one Do may take; 0: no limit
	// Slow is told when a Do runs longer than SlowAfter (30 s), and again
	// each time that passes. It is called on another goroutine.
	SlowAfter time.Duration
	Slow      func(Running)

	Now    func() time.Time            // clock of os.time and os.date; nil: time.Now
	Getenv func(string) (string, bool) // nil: os.LookupEnv
	Seed   uint64                      // of math.random; 0: random
}

// Running describes a call that takes long.
type Running struct {
	Worker string
	What   string // "on_plan of home.lua:12"
	Since  time.Time
}

// State is one Lua state and its owner's lock. Only one goroutine at a time is
// inside Do; the LState and its values must not be touched outside of it.
type State struct{}

// From returns the state an LState (or a coroutine of it) belongs to.
func From(L *lua.LState) *State { panic(unbuilt) }

// Context returns the context of the running Do, for blocking host functions.
// Use it instead of L.Context(): it carries the call chain, and its Done may be
// used from any goroutine.
func Context(L *lua.LState) context.Context { panic(unbuilt) }

// Do runs fn as the owner of the state. It waits its turn, honouring ctx;
// called from inside another Do of the same state (by ctx's call chain) it
// returns fault.SelfCall. ctx ends what Lua runs. A panic comes back as
// fault.Crashed; errors raised by Lua come back as *fault.Error.
func (s *State) Do(ctx context.Context, fn func(L *lua.LState) error) error { panic(unbuilt) }

// Close frees the state after the running Do, if any, has ended.
func (s *State) Close() { panic(unbuilt) }

func (s *State) Bundle() *Bundle   { panic(unbuilt) }
func (s *State) Worker() string    { panic(unbuilt) }
func (s *State) Phase() Phase      { panic(unbuilt) }
func (s *State) Host() any         { panic(unbuilt) }
func (s *State) Log() *slog.Logger { panic(unbuilt) }

// Result returns what the app's file returned. Use it inside Do only.
func (s *State) Result() lua.LValue { panic(unbuilt) }

// Call calls a Lua function protected, inside Do, and returns its results.
// Errors are *fault.Error.
func (s *State) Call(L *lua.LState, fn lua.LValue, nret int, args ...lua.LValue) ([]lua.LValue, error) {
	panic(unbuilt)
}

// ---- phase.go

// Phase is what a state is doing; a set of phases when given to RequirePhase.
type Phase int

// The phases.
const (
	Define Phase = 1 << iota // the top level runs
	Main                     // main runs, in the main worker
	Work                     // the state serves a worker
)

// RequirePhase raises at the user's line unless the state is in one of the
// phases, saying where what ("os.time", "api.EngineManager") belongs.
func RequirePhase(L *lua.LState, in Phase, what string) { panic(unbuilt) }

// RequirePower raises at the user's line unless the module that calls has the
// power ("exec", "net", "env", "fs.read:/path").
func RequirePower(L *lua.LState, power, what string) { panic(unbuilt) }

// ---- define.go

// Datum is implemented by Go values inside userdata that may stand in options
// and class arguments: definitions, functions of options, predicates, secrets.
type Datum interface {
	// DataKind names the kind, for its decoder: "predicate".
	DataKind() string
	// Data returns the plain form.
	Data() (wire.Value, error)
}

// RegisterData tells a state how to rebuild a Datum of a kind from its plain
// form, as a Lua value (when init(opts) of an instance is called in a worker).
func (s *State) RegisterData(kind string, decode func(L *lua.LState, v wire.Value) (lua.LValue, error)) {
	panic(unbuilt)
}

// Plain replaces every Datum in v by an encodable form.
func Plain(v any) (wire.Value, error) { panic(unbuilt) }

// Def is what a constructor such as api.account{} returns: a kind and its
// options. Options may hold Datums; Plain makes them encodable.
type Def struct {
	Kind    string // "account", "rule", "imap"
	Class   string // class id, for a definition made by calling a class
	At      string // file:line of the constructor's call
	Options wire.Map
}

// NewDef makes a definition and its userdata. Its metatable lets scripts read
// options (def.name) and assign those named in settable (app.main = function).
func NewDef(L *lua.LState, kind string, options wire.Map, settable ...string) (*Def, *lua.LUserData) {
	panic(unbuilt)
}

// Name returns the option "name", or "".
func (d *Def) Name() string { panic(unbuilt) }

// Func is a function among options. Its id is its path from the app
// ("account work/rules[3].move"), known once the top level has run.
type Func struct{}

func (f *Func) ID() string { panic(unbuilt) }
func (f *Func) At() string { panic(unbuilt) }

// Func finds a function by its id in this state.
func (s *State) Func(id string) (*Func, bool) { panic(unbuilt) }

// Call calls the function, inside Do of its state.
func (f *Func) Call(L *lua.LState, nret int, args ...lua.LValue) ([]lua.LValue, error) {
	panic(unbuilt)
}

// Definition is one line of the list by which states are compared.
type Definition struct {
	ID     string // "account work/rules[3]"
	Title  string // "rule 3 'bills'"
	At     string
	Digest string // of the plain data
}

// Definitions lists what the top level defined, in order of id.
func (s *State) Definitions() []Definition { panic(unbuilt) }

// CompareDefinitions returns the error of a state whose definitions are not
// those of main. nil when they are the same.
func CompareDefinitions(app string, main, other []Definition, worker string) error { panic(unbuilt) }

// ---- class.go

// ClassSpec declares a base class of the api.
type ClassSpec struct {
	Module  string                    // "imapfw.api"
	Name    string                    // "ImapRepository"
	Base    *Class                    // nil for a root
	Methods map[string]lua.LGFunction // self is argument 1: Self[T](L)
	// New makes the Go object of an instance that a script makes itself, in
	// the worker phase. nil: only the host makes instances.
	New func(L *lua.LState, args wire.Value) (any, error)
}

// Class is a class in one state.
type Class struct{}

// NewClass registers a base class in a state. Its table refuses writes
// ("subclass it").
func (s *State) NewClass(L *lua.LState, spec ClassSpec) *Class { panic(unbuilt) }

// Class finds a class by id ("full:GmailRepository").
func (s *State) Class(id string) (*Class, bool) { panic(unbuilt) }

// CheckClass returns the class given as argument n, or raises.
func CheckClass(L *lua.LState, n int) *Class { panic(unbuilt) }

func (c *Class) ID() string           { panic(unbuilt) }
func (c *Class) Name() string         { panic(unbuilt) }
func (c *Class) At() string           { panic(unbuilt) } // file:line of extend; "" for the api's
func (c *Class) Table() *lua.LTable   { panic(unbuilt) }
func (c *Class) Base() *Class         { panic(unbuilt) }
func (c *Class) Is(other *Class) bool { panic(unbuilt) } // other or below it
// API returns the nearest class of the api: c itself, or the one it extends.
func (c *Class) API() *Class { panic(unbuilt) }

// Overrides reports whether a level below the api defines the method.
func (c *Class) Overrides(method string) bool { panic(unbuilt) }

// Overridden lists such methods, sorted; only known ones matter to the host.
func (c *Class) Overridden() []string { panic(unbuilt) }

// Instance is one object of a class in one state.
type Instance struct{}

// Instantiate makes an instance with core as its Go object and runs its init
// with args. Inside Do.
func (s *State) Instantiate(L *lua.LState, classID string, core any, args wire.Value) (*Instance, error) {
	panic(unbuilt)
}

// Self returns the Go object of the instance that is argument 1, or raises.
func Self[T any](L *lua.LState) T { panic(unbuilt) }

// SelfInstance returns the instance that is argument 1, or raises.
func SelfInstance(L *lua.LState) *Instance { panic(unbuilt) }

func (i *Instance) Class() *Class         { panic(unbuilt) }
func (i *Instance) Core() any             { panic(unbuilt) }
func (i *Instance) Value() *lua.LUserData { panic(unbuilt) }

// Call calls a method, inside Do.
func (i *Instance) Call(L *lua.LState, method string, nret int, args ...lua.LValue) ([]lua.LValue, error) {
	panic(unbuilt)
}

// CallMethod calls a method with plain values from any goroutine (it uses Do).
func (s *State) CallMethod(ctx context.Context, i *Instance, method string, args ...wire.Value) ([]wire.Value, error) {
	panic(unbuilt)
}

// ---- errors.go

// Raise raises err in Lua as a userdata (code, message, temporary, op, account,
// folder, worker, at, hint; __tostring), with the user's file:line where err
// has none. It does not return.
func Raise(L *lua.LState, err error) { panic(unbuilt) }

// Raisef raises a fault of code at the user's line: "file:line: what: text".
func Raisef(L *lua.LState, code fault.Code, what, format string, args ...any) { panic(unbuilt) }

// ErrorValue returns err as the userdata that Raise raises.
func ErrorValue(L *lua.LState, err error) *lua.LUserData { panic(unbuilt) }

// AsError returns the error inside a Lua value made by ErrorValue.
func AsError(v lua.LValue) (*fault.Error, bool) { panic(unbuilt) }

// Fault turns what a protected call returned into a *fault.Error.
func Fault(L *lua.LState, err error) error { panic(unbuilt) }

// Where returns file:line of the nearest Lua caller.
func Where(L *lua.LState) string { panic(unbuilt) }

// ---- convert.go

// ToLua turns a Value into a Lua value: lists and maps become fresh tables,
// times become seconds, handles become opaque userdata, faults error values,
// and encoded Datums what their decoder makes.
func ToLua(L *lua.LState, v wire.Value) lua.LValue { panic(unbuilt) }

// FromLua turns a Lua value into a Value. Functions, cycles, mixed tables and
// unknown userdata are refused, naming the path. Userdata that hold a Datum or a
// handle stay what they are.
func FromLua(v lua.LValue) (wire.Value, error) { panic(unbuilt) }

// ---- userdata.go

// Type describes a Go type that scripts see as userdata.
type Type[T any] struct {
	Name    string // "Batch", in messages
	Methods map[string]lua.LGFunction
	Fields  map[string]func(L *lua.LState, v T) lua.LValue
	Set     map[string]func(L *lua.LState, v T, to lua.LValue) // assignable fields
	String  func(v T) string
	Meta    map[string]lua.LGFunction                                   // __add, __call, __len, ...
	Index   func(L *lua.LState, v T, key lua.LValue) (lua.LValue, bool) // other keys
}

// Register makes T known to a state.
func Register[T any](L *lua.LState, t Type[T]) { panic(unbuilt) }

// New wraps v as a userdata of its registered type.
func New[T any](L *lua.LState, v T) *lua.LUserData { panic(unbuilt) }

// Check returns argument n as a T, or raises
// "bad argument #1 to 'where': expected Batch, got table".
func Check[T any](L *lua.LState, n int) T { panic(unbuilt) }

// Is returns v as a T.
func Is[T any](v lua.LValue) (T, bool) { panic(unbuilt) }

// ArgError raises "bad argument #n to 'f': text" at the user's line.
func ArgError(L *lua.LState, n int, format string, args ...any) { panic(unbuilt) }

// List returns a real table of values (ipairs works).
func List(L *lua.LState, values []lua.LValue) *lua.LTable { panic(unbuilt) }

// Iterator returns a function for the generic for; next returns nothing at the
// end.
func Iterator(L *lua.LState, next func(L *lua.LState) ([]lua.LValue, error)) *lua.LFunction {
	panic(unbuilt)
}

// Freeze returns a read-only view of t; writing raises hint.
func Freeze(L *lua.LState, name string, t *lua.LTable, hint string) *lua.LTable { panic(unbuilt) }

// ---- manifest.go

// Manifest is a contrib.lua: data that is parsed, never run.
type Manifest struct {
	Name, Version, Summary, License, Author string
	API                                     int
	Needs                                   []string
}

// ParseManifest reads a contrib.lua.
func ParseManifest(file string, source []byte) (*Manifest, error) { panic(unbuilt) }
