package script

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script/lualib"
	"github.com/imapfw/imapfw/host/script/syntax"
)

// maxFileName bounds the search for a place in what may be a long text.
const maxFileName = 4096

// splitPosition splits "file:line: text" where file is one of the bundle's.
func splitPosition(b *Bundle, text string) (at, rest string, ok bool) {
	for from := 0; ; {
		i := strings.IndexByte(text[from:], ':')
		if i < 0 || from > maxFileName {
			return "", text, false
		}
		i += from
		end := strings.IndexByte(text[i+1:], ':')
		if end > 0 {
			if _, err := strconv.Atoi(text[i+1 : i+1+end]); err == nil && b.byFile(text[:i]) != nil {
				return text[:i+1+end], strings.TrimPrefix(text[i+end+2:], " "), true
			}
		}
		from = i + 1
	}
}

// The texts of gopher-lua that are worth saying otherwise.
var (
	indexText   = pattern(`^attempt to index a non-table object\((\w+)\) with key '(.*)'$`)
	callText    = pattern(`^attempt to call a non-function object$`)
	arithText   = pattern(`^cannot perform (\w+) operation between (\w+) and (\w+)$`)
	compareText = pattern(`^attempt to compare (\w+) with (\w+)$`)
	typeText    = pattern(`^bad argument #(\d+) to (\S+) \((.*) expected, got (.*)\)$`)
	argText     = pattern(`(?s)^bad argument #(\d+) to ([^' ]\S*) \((.*)\)$`)
)

// pattern compiles an expression when it is needed first: few runs see an error of Lua,
// and all of them would wait for it.
func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// explain splits an error text of Lua into its place and its message, and adds
// the name of what was nil, found in the source.
func (s *State) explain(text string) (at, message, hint string) {
	at, message, ok := splitPosition(s.bundle, text)
	if !ok {
		return "", s.reword(nil, 0, text), ""
	}
	i := strings.LastIndexByte(at, ':')
	line, _ := strconv.Atoi(at[i+1:])
	var chunk *syntax.Chunk
	if worded(message) {
		chunk = s.bundle.chunk(at[:i])
	}
	message = s.reword(chunk, line, message)
	for name, advice := range missing {
		if strings.Contains(message, strconv.Quote(name)) {
			hint = advice
		}
	}
	return at, message, hint
}

// worded reports whether a text is one that reword changes with the source.
func worded(text string) bool {
	return strings.HasPrefix(text, "attempt to ") || strings.HasPrefix(text, "cannot perform ")
}

func (s *State) reword(chunk *syntax.Chunk, line int, text string) string {
	if m := typeText().FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("bad argument #%s to %s: expected %s, got %s", m[1], quoteName(m[2]), m[3], m[4])
	}
	if m := argText().FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("bad argument #%s to %s: %s", m[1], quoteName(m[2]), m[3])
	}
	if chunk == nil {
		return text
	}
	if m := indexText().FindStringSubmatch(text); m != nil {
		if name := chunk.Indexed(line, m[2]); name != "" {
			return fmt.Sprintf("%q is %s, it has no field %q", name, article(m[1]), m[2])
		}
		return fmt.Sprintf("attempt to index %s with the key %q", article(m[1]), m[2])
	}
	if callText().MatchString(text) {
		if name := chunk.Called(line, s.isFunction); name != "" {
			return fmt.Sprintf("%q is not a function", name)
		}
		return "attempt to call what is not a function"
	}
	if m := arithText().FindStringSubmatch(text); m != nil {
		kind, what := "arithmetic", "calculate with "
		if m[1] == "concat" {
			kind, what = "concat", "join "
		}
		left, right := chunk.Operands(line, kind)
		return "cannot " + what + article(m[2]) + " and " + article(m[3]) + culprit(left, m[2], right, m[3])
	}
	if m := compareText().FindStringSubmatch(text); m != nil {
		left, right := chunk.Operands(line, "compare")
		return "cannot compare " + article(m[1]) + " with " + article(m[2]) + culprit(left, m[1], right, m[2])
	}
	return text
}

// isFunction reports whether a name, or a field of a library, is a function.
func (s *State) isFunction(name string) bool {
	name, field, _ := strings.Cut(name, ".")
	v := s.lua.G.Global.RawGetString(name)
	if t, ok := v.(*lua.LTable); ok {
		v = lualib.Contents(t).RawGetString(field)
	}
	return v.Type() == lua.LTFunction
}

// culprit names the operand that is nil.
func culprit(left, leftType, right, rightType string) string {
	switch {
	case leftType == "nil" && left != "":
		return fmt.Sprintf(": %q is nil", left)
	case rightType == "nil" && right != "":
		return fmt.Sprintf(": %q is nil", right)
	}
	return ""
}

func article(typ string) string {
	if typ == "nil" {
		return typ
	}
	return "a " + typ
}

func quoteName(name string) string {
	if strings.HasPrefix(name, "(") || strings.HasPrefix(name, "<") {
		return "a function"
	}
	return "'" + name + "'"
}
