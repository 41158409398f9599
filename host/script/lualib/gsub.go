package lualib

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script/pattern"
)

// strGsub builds the result in one pass. (gopher-lua copies the whole text for
// every match.)
func (lib *Lib) strGsub(L *lua.LState) int {
	s, p := L.CheckString(1), lib.compile(L, L.CheckString(2))
	replace := lib.replacement(L, p)
	limit := L.OptInt(4, len(s)+1)
	budget := lib.budget(L)

	var out strings.Builder
	at, count := 0, 0
	for count < limit && at <= len(s) {
		m, ok := search(L, p, s, at, budget)
		if !ok {
			break
		}
		out.WriteString(s[at:m.Start])
		replace(&out, s, m)
		count++
		if out.Len() > maxString {
			L.RaiseError("string.gsub: the result is longer than %d MiB", maxString>>20)
		}
		if at = m.End; m.End == m.Start {
			if at < len(s) {
				out.WriteByte(s[at])
			}
			at++
		}
		if p.Anchored() {
			break
		}
	}
	if at < len(s) {
		out.WriteString(s[at:])
	}
	L.Push(lua.LString(out.String()))
	L.Push(lua.LNumber(count))
	return 2
}

// replacement reads the third argument: a string with %0 to %9, a table or a
// function. false and nil keep what was matched.
func (lib *Lib) replacement(L *lua.LState, p *pattern.Pattern) func(out *strings.Builder, s string, m pattern.Match) {
	value := func(out *strings.Builder, s string, m pattern.Match, v lua.LValue) {
		switch {
		case lua.LVIsFalse(v):
			out.WriteString(s[m.Start:m.End])
		case lua.LVCanConvToString(v):
			out.WriteString(lua.LVAsString(v))
		default:
			L.RaiseError("invalid replacement value (a %s)", v.Type().String())
		}
	}
	switch by := L.Get(3).(type) {
	case *lua.LTable:
		return func(out *strings.Builder, s string, m pattern.Match) {
			value(out, s, m, L.GetTable(by, capture(s, m, 0)))
		}
	case *lua.LFunction:
		return func(out *strings.Builder, s string, m pattern.Match) {
			L.Push(by)
			L.Call(pushCaptures(L, s, m, true), 1)
			v := L.Get(-1)
			L.Pop(1)
			value(out, s, m, v)
		}
	case lua.LString, lua.LNumber:
		text := lua.LVAsString(by)
		return func(out *strings.Builder, s string, m pattern.Match) { expand(L, out, text, s, m) }
	}
	L.ArgError(3, "string, function or table expected, got "+L.Get(3).Type().String())
	return nil
}

// expand writes a replacement string with its %0 to %9.
func expand(L *lua.LState, out *strings.Builder, text, s string, m pattern.Match) {
	for {
		i := strings.IndexByte(text, '%')
		if i < 0 || i == len(text)-1 {
			out.WriteString(text)
			return
		}
		out.WriteString(text[:i])
		c := text[i+1]
		text = text[i+2:]
		switch {
		case c == '0':
			out.WriteString(s[m.Start:m.End])
		case c >= '1' && c <= '9':
			n := int(c - '1')
			if n >= len(m.Captures) && !(n == 0 && len(m.Captures) == 0) {
				L.RaiseError("invalid capture index %%%c in the replacement", c)
			}
			out.WriteString(capture(s, m, n).String())
		default:
			out.WriteByte(c)
		}
	}
}
