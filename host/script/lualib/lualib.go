// Package lualib is the standard library that scripts see: Lua 5.1 with a few
// functions of later versions, without files, processes, code loading or
// debugging, and without what gopher-lua gets wrong. Every function that can
// take long asks now and then whether it may go on.
package lualib

import (
	"math/rand/v2"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script/pattern"
)

// Env is what the library needs to know about the state it is opened in.
type Env struct {
	// Impure is called before a function whose result differs from run to run
	// or from worker to worker. It may raise.
	Impure func(L *lua.LState, what string)
	// Power raises unless the caller has a power ("env").
	Power func(L *lua.LState, power, what string)
	// Caught turns what a protected call caught into the value Lua sees.
	Caught func(L *lua.LState, err error) lua.LValue
	// Poll says whether the running call may go on.
	Poll func(L *lua.LState) error

	Print  func(line string)
	Now    func() time.Time
	Getenv func(name string) (string, bool)
	Seed   uint64 // of math.random; 0 for a random one
}

// maxString is the longest string the library builds in one call. It stops
// accidents such as ("x"):rep(1e9); a script that is not trusted needs a process.
const maxString = 64 << 20

// Lib is the library of one state.
type Lib struct {
	env      Env
	random   *rand.Rand
	patterns map[string]*pattern.Pattern
	started  time.Time
	work     int
	// protecting counts the calls of pcall that are running.
	protecting int
}

// Open builds the library. The tables in the result are to be frozen by the
// caller; the metatable of strings is set up and locked.
func Open(L *lua.LState, env Env) map[string]lua.LValue {
	seed := env.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	lib := &Lib{
		env:      env,
		random:   rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)),
		patterns: map[string]*pattern.Pattern{},
		started:  env.Now(),
	}
	globals := map[string]lua.LValue{"_VERSION": lua.LString("Lua 5.1")}
	lib.base(L, globals)
	lib.protected(L, globals)
	str := lib.strings(L)
	globals["string"] = str
	globals["table"] = lib.tables(L)
	globals["math"] = lib.maths(L)
	globals["os"] = lib.times(L)
	globals["coroutine"] = lib.coroutines(L)
	globals["utf8"] = lib.utf8(L)
	globals["bit"] = bitOps(L)
	globals["bit32"] = globals["bit"]

	meta := L.CreateTable(0, 2)
	meta.RawSetString("__index", str)
	meta.RawSetString("__metatable", lua.LFalse)
	L.SetMetatable(lua.LString(""), meta)
	return globals
}

// functions makes a table of functions.
func functions(L *lua.LState, list map[string]lua.LGFunction) *lua.LTable {
	t := L.CreateTable(0, len(list))
	for name, fn := range list {
		t.RawSetString(name, L.NewFunction(fn))
	}
	return t
}

// poll raises when the running call must end.
func (lib *Lib) poll(L *lua.LState) {
	if err := lib.env.Poll(L); err != nil {
		L.RaiseError("%s", err.Error())
	}
}

// tick counts one unit of work of a library function, and polls once in a while.
func (lib *Lib) tick(L *lua.LState) {
	if lib.work++; lib.work&0xfff == 0 {
		lib.poll(L)
	}
}
