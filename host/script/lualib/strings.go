package lualib

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// strings is the string library. Strings are bytes: case is that of ASCII, so
// that no byte of a header or a folder name is ever replaced.
func (lib *Lib) strings(L *lua.LState) *lua.LTable {
	return functions(L, map[string]lua.LGFunction{
		"byte": strByte, "char": strChar, "find": lib.strFind, "format": strFormat,
		"gmatch": lib.strGmatch, "gsub": lib.strGsub, "len": strLen, "lower": strLower,
		"match": lib.strMatch, "rep": strRep, "reverse": strReverse, "sub": strSub, "upper": strUpper,
	})
}

// slice turns the bounds of Lua (from 1, negative from the end) into those of Go.
func slice(length, from, to int) (int, int) {
	if from < 0 {
		from = max(length+from+1, 1)
	} else if from == 0 {
		from = 1
	}
	if to < 0 {
		to = length + to + 1
	} else if to > length {
		to = length
	}
	if from > to {
		return 0, 0
	}
	return from - 1, to
}

func strByte(L *lua.LState) int {
	s := L.CheckString(1)
	first := L.OptInt(2, 1)
	from, to := slice(len(s), first, L.OptInt(3, first))
	if to-from > maxValues {
		L.RaiseError("string slice too long (%d bytes, at most %d)", to-from, maxValues)
	}
	for _, c := range []byte(s[from:to]) {
		L.Push(lua.LNumber(c))
	}
	return to - from
}

func strChar(L *lua.LState) int {
	b := make([]byte, L.GetTop())
	for i := range b {
		c := L.CheckInt(i + 1)
		if c < 0 || c > 255 {
			L.ArgError(i+1, "value out of range")
		}
		b[i] = byte(c)
	}
	L.Push(lua.LString(b))
	return 1
}

func strLen(L *lua.LState) int {
	L.Push(lua.LNumber(len(L.CheckString(1))))
	return 1
}

func strLower(L *lua.LState) int { return mapBytes(L, 'A', 'Z') }
func strUpper(L *lua.LState) int { return mapBytes(L, 'a', 'z') }

// mapBytes changes the case of the letters in a range.
func mapBytes(L *lua.LState, from, to byte) int {
	b := []byte(L.CheckString(1))
	for i, c := range b {
		if c >= from && c <= to {
			b[i] = c ^ 0x20
		}
	}
	L.Push(lua.LString(b))
	return 1
}

func strRep(L *lua.LState) int {
	s, n, sep := L.CheckString(1), L.CheckInt(2), L.OptString(3, "")
	if n <= 0 {
		L.Push(lua.LString(""))
		return 1
	}
	if each := len(s) + len(sep); each > 0 && n > maxString/each {
		L.RaiseError("string.rep: the result would be longer than %d MiB", maxString>>20)
	}
	if sep != "" {
		s = strings.Repeat(s+sep, n-1) + s
	} else {
		s = strings.Repeat(s, n)
	}
	L.Push(lua.LString(s))
	return 1
}

func strReverse(L *lua.LState) int {
	s := L.CheckString(1)
	b := make([]byte, len(s))
	for i := range b {
		b[i] = s[len(s)-1-i]
	}
	L.Push(lua.LString(b))
	return 1
}

func strSub(L *lua.LState) int {
	s := L.CheckString(1)
	from, to := slice(len(s), L.CheckInt(2), L.OptInt(3, -1))
	L.Push(lua.LString(s[from:to]))
	return 1
}
