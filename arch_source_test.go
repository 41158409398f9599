package imapfw_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// maxLines is where a file holds more than one concept, whatever it is.
const maxLines = 500

// processWide is what belongs to the process: only the command touches it, so
// that everything else can be run by a test, twice, and side by side.
var processWide = map[string][]string{
	"os":  {"Args", "Exit", "Stdin", "Stdout"},
	"log": {"Fatal", "Fatalf", "Fatalln"},
}

func TestOnlyTheCommandTouchesTheProcess(t *testing.T) {
	for _, p := range packages(t) {
		if within(p.name(), "cmd") || p.name() == "bench" || isTestPackage(p.name()) {
			continue
		}
		eachFile(t, p, func(set *token.FileSet, file *ast.File) {
			names := importNames(file)
			ast.Inspect(file, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(processWide[names[x.Name]], sel.Sel.Name) {
					t.Errorf("%s: %s.%s is for cmd only", at(set, n), x.Name, sel.Sel.Name)
				}
				return true
			})
		})
	}
}

// A package that does something by being imported can be neither tested alone
// nor left out.
func TestNoInitFunctions(t *testing.T) {
	for _, p := range packages(t) {
		eachFile(t, p, func(set *token.FileSet, file *ast.File) {
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
					t.Errorf("%s: no init functions: make a value and pass it on", at(set, d))
				}
			}
		})
	}
}

func TestFilesAreShort(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			// luaapi/meta is generated.
			if path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || path == filepath.Join("luaapi", "meta")) {
				return filepath.SkipDir
			}
			return nil
		}
		if ext := filepath.Ext(path); ext != ".go" && ext != ".lua" {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if n := bytes.Count(content, []byte("\n")); n > maxLines {
			t.Errorf("%s has %d lines: split it by concept (%d at most)", path, n, maxLines)
		}
		return nil
	})
	require.NoError(t, err)
}

// eachFile parses the files of a package that are not tests.
func eachFile(t *testing.T, p goPackage, fn func(*token.FileSet, *ast.File)) {
	t.Helper()
	set := token.NewFileSet()
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		fn(set, file)
	}
}

// importNames tells what stands for which package in a file.
func importNames(file *ast.File) map[string]string {
	out := map[string]string{}
	for _, imp := range file.Imports {
		path, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			continue
		}
		name := path[strings.LastIndex(path, "/")+1:]
		if imp.Name != nil {
			name = imp.Name.Name
		}
		out[name] = path
	}
	return out
}

// at is the place of a node, as an editor opens it.
func at(set *token.FileSet, n ast.Node) string {
	pos := set.Position(n.Pos())
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, pos.Filename); err == nil {
			pos.Filename = rel
		}
	}
	return pos.String()
}
