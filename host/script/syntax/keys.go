package syntax

import (
	"strings"

	"github.com/yuin/gopher-lua/ast"
)

// KeyLine finds the line of a key in the table given to a call: the call begins
// on callLine, function is what the user calls ("api.imap"), path leads to the
// key (strings, and ints for positions from 1). A part of the path that is not
// written in the table itself ends the search at the last part that is. It
// returns callLine when there is nothing better.
func (c *Chunk) KeyLine(callLine int, function string, path []any) int {
	best, depth, named := callLine, 0, false
	last := function[strings.LastIndexAny(function, ".:")+1:]
	walk(c.Stmts, func(e ast.Expr) {
		call, ok := e.(*ast.FuncCallExpr)
		if !ok || call.Line() != callLine {
			return
		}
		for _, arg := range call.Args {
			table, ok := arg.(*ast.TableExpr)
			if !ok {
				continue
			}
			line, d := keyLine(table, path)
			byName := calledName(call) == last
			if d > depth || d == depth && d > 0 && byName && !named {
				best, depth, named = line, d, byName
			}
		}
	}, nil)
	return best
}

// keyLine follows path into a table; it returns the line reached and how many
// parts of the path were found.
func keyLine(table *ast.TableExpr, path []any) (line, depth int) {
	line = table.Line()
	for i, part := range path {
		field := lookup(table, part)
		if field == nil {
			return line, i
		}
		if field.Key != nil && field.Key.Line() > 0 {
			line = field.Key.Line()
		} else {
			line = field.Value.Line()
		}
		next, ok := field.Value.(*ast.TableExpr)
		if !ok {
			return line, i + 1
		}
		table = next
	}
	return line, len(path)
}

func lookup(table *ast.TableExpr, part any) *ast.Field {
	position := 0
	for _, f := range table.Fields {
		if f.Key == nil {
			position++
			if n, ok := part.(int); ok && n == position {
				return f
			}
			continue
		}
		if k, ok := f.Key.(*ast.StringExpr); ok && k.Value == part {
			return f
		}
	}
	return nil
}

func calledName(call *ast.FuncCallExpr) string {
	if call.Func == nil {
		return call.Method
	}
	switch f := call.Func.(type) {
	case *ast.IdentExpr:
		return f.Value
	case *ast.AttrGetExpr:
		if k, ok := f.Key.(*ast.StringExpr); ok {
			return k.Value
		}
	}
	return ""
}

// Names returns every name the chunk declares: locals, parameters, loop
// variables. They are the candidates for a misspelt one.
func (c *Chunk) Names() []string {
	seen := map[string]bool{}
	var names []string
	add := func(list ...string) {
		for _, n := range list {
			if !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
	}
	walk(c.Stmts, func(e ast.Expr) {
		if f, ok := e.(*ast.FunctionExpr); ok && f.ParList != nil {
			add(f.ParList.Names...)
		}
	}, func(s ast.Stmt) {
		switch s := s.(type) {
		case *ast.LocalAssignStmt:
			add(s.Names...)
		case *ast.NumberForStmt:
			add(s.Name)
		case *ast.GenericForStmt:
			add(s.Names...)
		}
	})
	return names
}
