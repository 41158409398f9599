package syntax

import (
	"fmt"
	"math"
	"strconv"

	"github.com/yuin/gopher-lua/ast"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// maxDepth bounds tables inside tables: the readers of data recurse.
const maxDepth = 64

// Literal reads a source that is one table of plain data, "return { ... }",
// without running it. lines holds the line of every key of the outer table.
func Literal(file string, source []byte) (m wire.Map, lines map[string]int, err error) {
	chunk, err := Parse(file, source)
	if err != nil {
		return nil, nil, err
	}
	l := literal{file: file}
	table, line, ok := chunk.returned()
	if !ok {
		return nil, nil, l.fail(line, "this file is data: it must be one table, return { ... }")
	}
	v, err := l.table(table, 0)
	if err != nil {
		return nil, nil, err
	}
	m, ok = v.(wire.Map)
	if !ok {
		if list, _ := v.(wire.List); len(list) > 0 {
			return nil, nil, l.fail(table.Line(), "expected named fields, such as name = \"...\"")
		}
		m = wire.Map{}
	}
	lines = map[string]int{}
	for _, f := range table.Fields {
		if k, ok := f.Key.(*ast.StringExpr); ok {
			lines[k.Value] = max(k.Line(), f.Value.Line())
			if k.Line() > 0 {
				lines[k.Value] = k.Line()
			}
		}
	}
	return m, lines, nil
}

// returned gives the table of a chunk that is only "return { ... }".
func (c *Chunk) returned() (table *ast.TableExpr, line int, ok bool) {
	if len(c.Stmts) == 0 {
		return nil, 1, false
	}
	ret, isReturn := c.Stmts[0].(*ast.ReturnStmt)
	if !isReturn || len(c.Stmts) != 1 || len(ret.Exprs) != 1 {
		return nil, max(1, c.Stmts[0].Line()), false
	}
	table, ok = ret.Exprs[0].(*ast.TableExpr)
	return table, ret.Line(), ok
}

type literal struct{ file string }

func (l literal) fail(line int, format string, args ...any) error {
	return &fault.Error{Code: fault.Config, At: fmt.Sprintf("%s:%d", l.file, line), Message: fmt.Sprintf(format, args...)}
}

func (l literal) value(e ast.Expr, depth int) (wire.Value, error) {
	switch e := e.(type) {
	case *ast.StringExpr:
		return e.Value, nil
	case *ast.NumberExpr:
		return l.number(e, 1)
	case *ast.UnaryMinusOpExpr:
		if n, ok := e.Expr.(*ast.NumberExpr); ok {
			return l.number(n, -1)
		}
	case *ast.TrueExpr:
		return true, nil
	case *ast.FalseExpr:
		return false, nil
	case *ast.NilExpr:
		return nil, nil
	case *ast.TableExpr:
		return l.table(e, depth+1)
	}
	return nil, l.fail(e.Line(), "only plain data may stand here: strings, numbers, true, false and tables of them")
}

func (l literal) number(e *ast.NumberExpr, sign float64) (wire.Value, error) {
	n, err := strconv.ParseFloat(e.Value, 64)
	if i, hexErr := strconv.ParseInt(e.Value, 0, 64); hexErr == nil && err != nil {
		n, err = float64(i), nil
	}
	if err != nil {
		return nil, l.fail(e.Line(), "malformed number %q", e.Value)
	}
	n *= sign
	if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
		return int64(n), nil
	}
	return n, nil
}

func (l literal) table(t *ast.TableExpr, depth int) (wire.Value, error) {
	if depth > maxDepth {
		return nil, l.fail(t.Line(), "tables are nested too deep")
	}
	var list wire.List
	m := wire.Map{}
	for _, f := range t.Fields {
		v, err := l.value(f.Value, depth)
		if err != nil {
			return nil, err
		}
		if f.Key == nil {
			if v == nil {
				return nil, l.fail(f.Value.Line(), "nil cannot stand in a list")
			}
			list = append(list, v)
			continue
		}
		k, ok := f.Key.(*ast.StringExpr)
		if !ok {
			return nil, l.fail(t.Line(), "keys must be names or strings")
		}
		if _, twice := m[k.Value]; twice {
			return nil, l.fail(max(k.Line(), t.Line()), "%q is given twice", k.Value)
		}
		if v != nil {
			m[k.Value] = v
		}
	}
	switch {
	case len(list) > 0 && len(m) > 0:
		return nil, l.fail(t.Line(), "a table is either a list or has named fields")
	case len(list) > 0:
		return list, nil
	case len(m) > 0:
		return m, nil
	}
	return wire.List{}, nil
}
