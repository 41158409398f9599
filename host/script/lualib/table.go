package lualib

import (
	"sort"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

func (lib *Lib) tables(L *lua.LState) *lua.LTable {
	return functions(L, map[string]lua.LGFunction{
		"concat": lib.concat, "insert": lib.insert, "remove": lib.remove, "sort": lib.sort,
		"maxn": maxN, "getn": getN, "pack": pack, "unpack": unpack,
	})
}

func getN(L *lua.LState) int {
	L.Push(lua.LNumber(contents(L.CheckTable(1)).Len()))
	return 1
}

func maxN(L *lua.LState) int {
	most := lua.LNumber(0)
	contents(L.CheckTable(1)).ForEach(func(k, _ lua.LValue) {
		if n, ok := k.(lua.LNumber); ok && n > most {
			most = n
		}
	})
	L.Push(most)
	return 1
}

func pack(L *lua.LState) int {
	n := L.GetTop()
	t := L.CreateTable(n, 1)
	for i := 1; i <= n; i++ {
		t.RawSetInt(i, L.Get(i))
	}
	t.RawSetString("n", lua.LNumber(n))
	L.Push(t)
	return 1
}

func (lib *Lib) concat(L *lua.LState) int {
	t, sep := contents(L.CheckTable(1)), L.OptString(2, "")
	from, to := L.OptInt(3, 1), L.OptInt(4, t.Len())
	var out strings.Builder
	for i := from; i <= to; i++ {
		v := t.RawGet(lua.LNumber(i))
		if !lua.LVCanConvToString(v) {
			L.RaiseError("invalid value (%s) at index %d in table for 'concat'", v.Type().String(), i)
		}
		out.WriteString(lua.LVAsString(v))
		if i < to {
			out.WriteString(sep)
		}
		if out.Len() > maxString {
			L.RaiseError("table.concat: the result is longer than %d MiB", maxString>>20)
		}
		lib.tick(L)
	}
	L.Push(lua.LString(out.String()))
	return 1
}

func (lib *Lib) insert(L *lua.LState) int {
	t := writable(L, 1)
	switch L.GetTop() {
	case 2:
		t.Append(L.Get(2))
	case 3:
		pos, n := L.CheckInt(2), t.Len()
		if pos < 1 || pos > n+1 {
			L.ArgError(2, "position out of bounds")
		}
		if pos == n+1 {
			t.RawSetInt(pos, L.Get(3))
		} else {
			t.Insert(pos, L.Get(3))
		}
	default:
		L.RaiseError("wrong number of arguments to 'insert'")
	}
	return 0
}

func (lib *Lib) remove(L *lua.LState) int {
	t := writable(L, 1)
	n := t.Len()
	pos := L.OptInt(2, n)
	if pos < 1 || pos > n {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(t.Remove(pos))
	return 1
}

// sort sorts a copy and puts it back, so that a comparison that raises leaves
// the table as it was.
func (lib *Lib) sort(L *lua.LState) int {
	t := writable(L, 1)
	less := L.LessThan
	if by := L.OptFunction(2, nil); by != nil {
		less = func(a, b lua.LValue) bool {
			L.Push(by)
			L.Push(a)
			L.Push(b)
			L.Call(2, 1)
			before := L.ToBool(-1)
			L.Pop(1)
			return before
		}
	}
	values := make([]lua.LValue, t.Len())
	for i := range values {
		values[i] = t.RawGetInt(i + 1)
	}
	sort.Slice(values, func(i, j int) bool {
		lib.tick(L)
		return less(values[i], values[j])
	})
	for i, v := range values {
		t.RawSetInt(i+1, v)
	}
	return 0
}
