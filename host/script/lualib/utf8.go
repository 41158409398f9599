package lualib

import (
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"
)

// utf8 is the library of Lua 5.3. Text that is not UTF-8 is told, never changed.
func (lib *Lib) utf8(L *lua.LState) *lua.LTable {
	t := functions(L, map[string]lua.LGFunction{
		"char": utf8Char, "codepoint": utf8Codepoint, "len": lib.utf8Len, "offset": utf8Offset, "codes": utf8Codes,
	})
	t.RawSetString("charpattern", lua.LString("[%z\x01-\x7F\xC2-\xF4][\x80-\xBF]*"))
	return t
}

func utf8Char(L *lua.LState) int {
	var out strings.Builder
	for i := 1; i <= L.GetTop(); i++ {
		r := L.CheckInt(i)
		if r < 0 || r > utf8.MaxRune || !utf8.ValidRune(rune(r)) {
			L.ArgError(i, "value out of range")
		}
		out.WriteRune(rune(r))
	}
	L.Push(lua.LString(out.String()))
	return 1
}

func utf8Codepoint(L *lua.LState) int {
	s := L.CheckString(1)
	first := L.OptInt(2, 1)
	from, to := slice(len(s), first, L.OptInt(3, first))
	n := 0
	for i := from; i < to; n++ {
		if n == maxValues {
			L.RaiseError("string slice too long")
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size <= 1 {
			L.RaiseError("invalid UTF-8 at byte %d", i+1)
		}
		L.Push(lua.LNumber(r))
		i += size
	}
	return n
}

// utf8Len returns the number of characters, or nil and the first bad byte.
func (lib *Lib) utf8Len(L *lua.LState) int {
	s := L.CheckString(1)
	from, to := slice(len(s), L.OptInt(2, 1), L.OptInt(3, -1))
	n := 0
	for i := from; i < to; n++ {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size <= 1 {
			L.Push(lua.LNil)
			L.Push(lua.LNumber(i + 1))
			return 2
		}
		i += size
	}
	L.Push(lua.LNumber(n))
	return 1
}

func continues(s string, i int) bool { return i < len(s) && s[i]&0xC0 == 0x80 }

// utf8Offset returns where the n-th character from i begins.
func utf8Offset(L *lua.LState) int {
	s, n := L.CheckString(1), L.CheckInt(2)
	i := 1
	if n <= 0 {
		i = len(s) + 1
	}
	i = L.OptInt(3, i)
	if i < 0 {
		i += len(s) + 1
	}
	i--
	if i < 0 || i > len(s) {
		L.ArgError(3, "position out of bounds")
	}
	if n == 0 {
		for i > 0 && continues(s, i) {
			i--
		}
		L.Push(lua.LNumber(i + 1))
		return 1
	}
	if continues(s, i) {
		L.RaiseError("initial position is a continuation byte")
	}
	for ; n < 0 && i > 0; n++ {
		for i--; i > 0 && continues(s, i); i-- {
		}
	}
	for ; n > 1 && i < len(s); n-- {
		for i++; continues(s, i); i++ {
		}
	}
	if n != 0 && n != 1 {
		L.Push(lua.LNil)
	} else {
		L.Push(lua.LNumber(i + 1))
	}
	return 1
}

func utf8Codes(L *lua.LState) int {
	s, at := L.CheckString(1), 0
	L.Push(L.NewFunction(func(L *lua.LState) int {
		if at >= len(s) {
			return 0
		}
		r, size := utf8.DecodeRuneInString(s[at:])
		if r == utf8.RuneError && size <= 1 {
			L.RaiseError("invalid UTF-8 at byte %d", at+1)
		}
		L.Push(lua.LNumber(at + 1))
		L.Push(lua.LNumber(r))
		at += size
		return 2
	}))
	return 1
}
