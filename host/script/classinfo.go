package script

import (
	"slices"

	lua "github.com/yuin/gopher-lua"
)

// ID returns module:Name.
func (c *Class) ID() string { return c.id }

// Name returns the name given to extend.
func (c *Class) Name() string { return c.name }

// At returns file:line of extend, "" for a class of the api.
func (c *Class) At() string { return c.at }

// Table returns the class as a Lua value.
func (c *Class) Table() *lua.LTable { return c.table }

// Base returns the class this one extends, or nil.
func (c *Class) Base() *Class { return c.base }

// DataKind implements Datum.
func (c *Class) DataKind() string { return "class" }

// Data implements Datum.
func (c *Class) Data() (any, error) { return c.id, nil }

func (c *Class) String() string { return "class " + c.id }

// Is reports whether c is other or below it.
func (c *Class) Is(other *Class) bool {
	for ; c != nil; c = c.base {
		if c == other {
			return true
		}
	}
	return false
}

// API returns the nearest class of the api: c itself, or the one it extends.
func (c *Class) API() *Class {
	for !c.api {
		c = c.base
	}
	return c
}

// Overrides reports whether a level below the api defines the method. The host
// enters Lua only for such methods.
func (c *Class) Overrides(method string) bool {
	for ; c != nil && !c.api; c = c.base {
		if c.methods.RawGetString(method).Type() == lua.LTFunction {
			return true
		}
	}
	return false
}

// Overridden lists the methods that levels below the api define, sorted.
func (c *Class) Overridden() []string {
	var names []string
	for ; c != nil && !c.api; c = c.base {
		names = append(names, c.own()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// own lists the functions this level defines, sorted.
func (c *Class) own() []string {
	var names []string
	c.methods.ForEach(func(k, v lua.LValue) {
		if name, ok := k.(lua.LString); ok && v.Type() == lua.LTFunction && name != "extend" {
			names = append(names, string(name))
		}
	})
	slices.Sort(names)
	return names
}

// Methods lists the methods the api gives the class, sorted: what can be
// overridden.
func (c *Class) Methods() []string {
	var names []string
	for c = c.API(); c != nil; c = c.base {
		names = append(names, c.own()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
