package syntax

import (
	"fmt"
	"strings"

	"github.com/yuin/gopher-lua/ast"
)

// Indexed returns the expression that is indexed with a key on a line
// ("cc4m.INBOx" for cc4m.INBOx:is_unseen()), or "" when none or several differ.
func (c *Chunk) Indexed(line int, key string) string {
	var constant, computed found
	walk(c.Stmts, func(e ast.Expr) {
		switch e := e.(type) {
		case *ast.AttrGetExpr:
			k, ok := e.Key.(*ast.StringExpr)
			switch {
			case ok && k.Value == key && (e.Line() == line || k.Line() == line):
				constant.add(Text(e.Object))
			case !ok && e.Line() == line:
				computed.add(Text(e.Object))
			}
		case *ast.FuncCallExpr:
			if e.Func == nil && e.Method == key && e.Line() == line {
				constant.add(Text(e.Receiver))
			}
		}
	}, nil)
	if name := constant.only(); name != "" || constant.n > 0 {
		return name
	}
	return computed.only()
}

// Called returns what is called on a line, or "" when none or several differ.
// Calls of a name that is known to be a function are not considered.
func (c *Chunk) Called(line int, known func(name string) bool) string {
	var f found
	walk(c.Stmts, func(e ast.Expr) {
		call, ok := e.(*ast.FuncCallExpr)
		if !ok || call.Line() != line {
			return
		}
		if call.Func == nil {
			f.add(Text(call.Receiver) + ":" + call.Method)
		} else if name := Text(call.Func); !known(name) {
			f.add(name)
		}
	}, nil)
	return f.only()
}

// Operands returns the two sides of the only operation of a kind on a line.
// The kind is "arithmetic", "concat" or "compare". A side that is no name is "".
func (c *Chunk) Operands(line int, kind string) (left, right string) {
	n := 0
	walk(c.Stmts, func(e ast.Expr) {
		if e.Line() != line {
			return
		}
		var l, r ast.Expr
		switch e := e.(type) {
		case *ast.ArithmeticOpExpr:
			if kind == "arithmetic" {
				l, r = e.Lhs, e.Rhs
			}
		case *ast.StringConcatOpExpr:
			if kind == "concat" {
				l, r = e.Lhs, e.Rhs
			}
		case *ast.RelationalOpExpr:
			if kind == "compare" && e.Operator != "==" && e.Operator != "~=" {
				l, r = e.Lhs, e.Rhs
			}
		}
		if l != nil {
			n++
			left, right = Text(l), Text(r)
		}
	}, nil)
	if n != 1 {
		return "", ""
	}
	return left, right
}

// found collects names that may all be the same.
type found struct {
	n    int
	name string
	many bool
}

func (f *found) add(name string) {
	if f.n > 0 && f.name != name {
		f.many = true
	}
	f.n++
	f.name = name
}

func (f *found) only() string {
	if f.many {
		return ""
	}
	return f.name
}

// Text writes a name, a field or a call as the user did; "" for anything else.
func Text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.IdentExpr:
		return e.Value
	case *ast.AttrGetExpr:
		object := Text(e.Object)
		if object == "" {
			return ""
		}
		switch k := e.Key.(type) {
		case *ast.StringExpr:
			if isName(k.Value) {
				return object + "." + k.Value
			}
			return fmt.Sprintf("%s[%q]", object, k.Value)
		case *ast.NumberExpr:
			return object + "[" + k.Value + "]"
		default:
			if key := Text(e.Key); key != "" {
				return object + "[" + key + "]"
			}
			return object + "[...]"
		}
	case *ast.FuncCallExpr:
		name := ""
		if e.Func != nil {
			name = Text(e.Func)
		} else if r := Text(e.Receiver); r != "" {
			name = r + ":" + e.Method
		}
		if name == "" {
			return ""
		}
		if len(e.Args) == 0 {
			return name + "()"
		}
		return name + "(...)"
	}
	return ""
}

func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '_' && (c < 'A' || c > 'z' || c > 'Z' && c < 'a') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && !strings.Contains(reserved, " "+s+" ")
}

const reserved = " and break do else elseif end false for function goto if in local nil not or repeat return then true until while "
