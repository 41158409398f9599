package script

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script/syntax"
)

// Locator finds the lines of what the user wrote, for the call that runs.
type Locator struct {
	file  string
	line  int // of the call
	chunk *syntax.Chunk
}

// Locate looks at the nearest Lua code on the stack: what called the running Go
// function.
func Locate(L *lua.LState) *Locator {
	file, line := position(L)
	return &Locator{file, line, From(L).bundle.chunk(file)}
}

// Key returns the line of a key in the table given to the call; function is what
// the script calls ("api.imap"), path leads to the key. It is the line of the
// call when the table was not written there.
func (l *Locator) Key(function string, path []any) int {
	if l.chunk == nil {
		return l.line
	}
	return l.chunk.KeyLine(l.line, function, path)
}

// At returns "file:line".
func (l *Locator) At(line int) string {
	if l.file == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", l.file, line)
}

// Excerpt returns the source lines up to a line, which is marked.
func (l *Locator) Excerpt(line, before int) string {
	if l.chunk == nil {
		return ""
	}
	return l.chunk.Excerpt(line, before)
}
