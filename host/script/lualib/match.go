package lualib

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script/pattern"
)

// maxPatterns is how many compiled patterns a state keeps.
const maxPatterns = 128

// compile returns a compiled pattern, from the cache when it was used before.
func (lib *Lib) compile(L *lua.LState, text string) *pattern.Pattern {
	if p, ok := lib.patterns[text]; ok {
		return p
	}
	p, err := pattern.Compile(text)
	if err != nil {
		L.RaiseError("%s", err.Error())
	}
	if len(lib.patterns) >= maxPatterns {
		clear(lib.patterns)
	}
	lib.patterns[text] = p
	return p
}

// budget bounds the work of one call of the library.
func (lib *Lib) budget(L *lua.LState) *pattern.Budget {
	return &pattern.Budget{Poll: func() error { return lib.env.Poll(L) }}
}

// search finds the next match, or raises.
func search(L *lua.LState, p *pattern.Pattern, s string, at int, b *pattern.Budget) (pattern.Match, bool) {
	m, ok, err := p.Find(s, at, b)
	if err != nil {
		L.RaiseError("%s", err.Error())
	}
	return m, ok
}

// start is where a search begins, from its third argument; ok is false past the end.
func start(L *lua.LState, s string) (at int, ok bool) {
	at = L.OptInt(3, 1)
	if at < 0 {
		at = max(len(s)+at, 0)
	} else if at > 0 {
		at--
	}
	return at, at <= len(s)
}

func (lib *Lib) strFind(L *lua.LState) int {
	s, pat := L.CheckString(1), L.CheckString(2)
	at, ok := start(L, s)
	if ok && L.ToBool(4) {
		if i := strings.Index(s[at:], pat); i >= 0 {
			L.Push(lua.LNumber(at + i + 1))
			L.Push(lua.LNumber(at + i + len(pat)))
			return 2
		}
		ok = false
	} else if ok {
		var m pattern.Match
		if m, ok = search(L, lib.compile(L, pat), s, at, lib.budget(L)); ok {
			L.Push(lua.LNumber(m.Start + 1))
			L.Push(lua.LNumber(m.End))
			return 2 + pushCaptures(L, s, m, false)
		}
	}
	L.Push(lua.LNil)
	return 1
}

func (lib *Lib) strMatch(L *lua.LState) int {
	s, pat := L.CheckString(1), L.CheckString(2)
	if at, ok := start(L, s); ok {
		if m, ok := search(L, lib.compile(L, pat), s, at, lib.budget(L)); ok {
			return pushCaptures(L, s, m, true)
		}
	}
	L.Push(lua.LNil)
	return 1
}

// strGmatch searches as the loop goes on, so that a loop left early costs
// nothing more.
func (lib *Lib) strGmatch(L *lua.LState) int {
	s, p := L.CheckString(1), lib.compile(L, L.CheckString(2))
	at := 0
	L.Push(L.NewFunction(func(L *lua.LState) int {
		if at > len(s) {
			return 0
		}
		m, ok := search(L, p, s, at, lib.budget(L))
		if !ok || p.Anchored() && at > 0 {
			at = len(s) + 1
			return 0
		}
		if at = m.End; m.End == m.Start {
			at++
		}
		return pushCaptures(L, s, m, true)
	}))
	return 1
}

// pushCaptures pushes the captures of a match; whole pushes the match itself
// when there are none.
func pushCaptures(L *lua.LState, s string, m pattern.Match, whole bool) int {
	if len(m.Captures) == 0 && whole {
		L.Push(lua.LString(s[m.Start:m.End]))
		return 1
	}
	for i := range m.Captures {
		L.Push(capture(s, m, i))
	}
	return len(m.Captures)
}

// capture is the i-th capture as a Lua value; the match itself where there are
// no captures.
func capture(s string, m pattern.Match, i int) lua.LValue {
	if i == 0 && len(m.Captures) == 0 {
		return lua.LString(s[m.Start:m.End])
	}
	c := m.Captures[i]
	if c.End < 0 {
		return lua.LNumber(c.Start + 1)
	}
	return lua.LString(s[c.Start:c.End])
}
