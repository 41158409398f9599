package syntax

import (
	"fmt"

	"github.com/yuin/gopher-lua/ast"

	"github.com/imapfw/imapfw/host/fault"
)

const (
	// flushed is how many list items the compiler of gopher-lua moves at a time.
	flushed = 50
	// maxItems is the longest list it can write: the number of a batch has nine
	// bits, and the longer form is broken.
	maxItems = 510 * flushed
)

// normalize rewrites tables that gopher-lua compiles wrongly, into ones that
// mean the same:
//   - in { "a", when = f() } the last call also became an item of the list;
//   - named fields after fifty items overwrote those with what was left in the
//     registers, so they are moved before the items.
func (c *Chunk) normalize() error {
	var failed error
	walk(c.Stmts, func(e ast.Expr) {
		t, ok := e.(*ast.TableExpr)
		if !ok {
			return
		}
		items := 0
		for _, f := range t.Fields {
			if f.Key == nil {
				items++
				continue
			}
			switch v := f.Value.(type) {
			case *ast.FuncCallExpr:
				v.AdjustRet = true // as if in parentheses: one value
			case *ast.Comma3Expr:
				v.AdjustRet = true
			}
		}
		if items > maxItems && failed == nil {
			failed = (&fault.Error{Code: fault.Config, At: fmt.Sprintf("%s:%d", c.File, t.Line()),
				Message: fmt.Sprintf("a list of %d items is too long for a source", items)}).
				WithHint("keep it in a file of its own and read it with api.lines")
		}
		if items >= flushed && items < len(t.Fields) {
			t.Fields = keyedFirst(t.Fields)
		}
	}, nil)
	return failed
}

func keyedFirst(fields []*ast.Field) []*ast.Field {
	sorted := make([]*ast.Field, 0, len(fields))
	for _, keyed := range []bool{true, false} {
		for _, f := range fields {
			if (f.Key != nil) == keyed {
				sorted = append(sorted, f)
			}
		}
	}
	return sorted
}
