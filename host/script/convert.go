package script

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/script/lualib"
	"github.com/imapfw/imapfw/host/wire"
)

// maxDepth bounds tables inside tables; they are walked by recursion.
const maxDepth = 64

// handle is a Value that scripts may hold and pass on, but not look into.
type handle struct{ v wire.Value }

// ToLua turns a Value, or what FromLua returned, into a Lua value. Lists and
// maps become fresh tables, times seconds since 1970, flags a list, other handles
// opaque userdata, faults error values, and encoded Datums what their decoder
// makes. Whole numbers that a Lua number cannot hold become decimal strings.
func ToLua(L *lua.LState, v any) lua.LValue {
	switch v := v.(type) {
	case nil:
		return lua.LNil
	case lua.LValue:
		return v
	case bool:
		return lua.LBool(v)
	case string:
		return lua.LString(v)
	case []byte:
		return lua.LString(v)
	case int64:
		if v > 1<<53 || v < -(1<<53) {
			return lua.LString(strconv.FormatInt(v, 10))
		}
		return lua.LNumber(v)
	case int:
		return ToLua(L, int64(v))
	case float64:
		return lua.LNumber(v)
	case time.Time:
		return lua.LNumber(v.Unix())
	case time.Duration:
		return lua.LNumber(v.Seconds())
	case *fault.Error:
		return ErrorValue(L, v)
	case mail.Flags:
		names := v.Strings()
		values := make([]lua.LValue, len(names))
		for i, f := range names {
			values[i] = lua.LString(f)
		}
		return List(L, values)
	case []any:
		t := L.CreateTable(len(v), 0)
		for i, item := range v {
			t.RawSetInt(i+1, ToLua(L, item))
		}
		return t
	case map[string]any:
		if kind, ok := v[dataKey].(string); ok {
			return From(L).decode(L, kind, v[dataValue])
		}
		t := L.CreateTable(0, len(v))
		for _, k := range sortedKeys(v) { // pairs gives them in this order
			t.RawSetString(k, ToLua(L, v[k]))
		}
		return t
	case *Def:
		return v.value
	case *Class:
		return v.table
	case *Func:
		return v.fn
	}
	if info := From(L).types[reflect.TypeOf(v)]; info != nil {
		return &lua.LUserData{Value: v, Metatable: info.meta}
	}
	return New(L, handle{v})
}

// FromLua turns a Lua value into a Value. Functions, cycles, tables that are
// neither a list nor a map of names, tables with a metatable and userdata of
// unknown kind are refused, naming the path. A userdata that holds a Datum
// becomes that Datum (Plain encodes it), a class becomes its *Class.
func FromLua(v lua.LValue) (wire.Value, error) {
	c := converter{seen: map[*lua.LTable]bool{}}
	return c.value(v, "")
}

// Unsendable is the error of a Lua value that cannot be plain data.
type Unsendable struct {
	Path string // "rules[3].move"; "" for the value itself
	What string // "a function"
}

func (e *Unsendable) Error() string {
	if e.Path == "" {
		return e.What + " is not plain data"
	}
	return fmt.Sprintf("%s is not plain data (at %s)", e.What, e.Path)
}

type converter struct {
	seen  map[*lua.LTable]bool // tables around the one being read
	depth int
}

func (c *converter) value(v lua.LValue, path string) (wire.Value, error) {
	switch v := v.(type) {
	case *lua.LNilType:
		return nil, nil
	case lua.LBool:
		return bool(v), nil
	case lua.LString:
		return string(v), nil
	case lua.LNumber:
		if n := float64(v); n == math.Trunc(n) && math.Abs(n) <= 1<<53 {
			return int64(n), nil
		}
		return float64(v), nil
	case *lua.LTable:
		if class := classOf(v); class != nil {
			return class, nil
		}
		return c.table(v, path)
	case *lua.LUserData:
		switch held := v.Value.(type) {
		case Datum:
			return held, nil
		case *raised:
			return held.fault(), nil
		case handle:
			return held.v, nil
		}
		return nil, &Unsendable{path, "a " + typeName(v)}
	}
	return nil, &Unsendable{path, "a " + v.Type().String()}
}

func (c *converter) table(t *lua.LTable, path string) (wire.Value, error) {
	real := lualib.Contents(t)
	if real == t && t.Metatable != lua.LNil {
		return nil, &Unsendable{path, "a table with a metatable"}
	}
	if c.seen[real] {
		return nil, &Unsendable{path, "a table inside itself"}
	}
	if c.depth++; c.depth > maxDepth {
		return nil, &Unsendable{path, "a table nested this deep"}
	}
	c.seen[real] = true
	defer func() {
		delete(c.seen, real)
		c.depth--
	}()

	list, m := wire.List{}, wire.Map{}
	length := real.Len()
	for k, v := real.Next(lua.LNil); k != lua.LNil; k, v = real.Next(k) {
		switch key := k.(type) {
		case lua.LNumber:
			if int(key) != len(list)+1 || float64(key) != math.Trunc(float64(key)) {
				return nil, &Unsendable{path, "a list with holes or odd keys"}
			}
			item, err := c.value(v, fmt.Sprintf("%s[%d]", path, int(key)))
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		case lua.LString:
			if key == dataKey {
				return nil, &Unsendable{path, "the reserved key \"" + dataKey + "\""}
			}
			item, err := c.value(v, join(path, string(key)))
			if err != nil {
				return nil, err
			}
			m[string(key)] = item
		default:
			return nil, &Unsendable{path, "a table with a " + k.Type().String() + " as a key"}
		}
	}
	switch {
	case len(list) > 0 && len(m) > 0:
		return nil, &Unsendable{path, "a table that is both a list and a map"}
	case len(list) != length:
		return nil, &Unsendable{path, "a list with holes"}
	case length > 0:
		return list, nil
	}
	return m, nil
}

// join adds a name to a path.
func join(path, name string) string {
	if !moduleName.MatchString(name) {
		return fmt.Sprintf("%s[%q]", path, name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}
