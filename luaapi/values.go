package luaapi

import (
	"os"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
)

// maxLines is how large a file that api.lines reads may be, in bytes.
const maxLines = 16 << 20

func checkSize(L *lua.LState, n int) int64 {
	size, err := parseSize(plainArgument(L, n))
	if err != nil {
		script.ArgError(L, n, "%v", err)
	}
	return size
}

func checkAge(L *lua.LState, n int) time.Duration {
	age, err := parseAge(plainArgument(L, n))
	if err != nil {
		script.ArgError(L, n, "%v", err)
	}
	return age
}

// plainArgument returns a number or a string.
func plainArgument(L *lua.LState, n int) any {
	switch v := L.Get(n).(type) {
	case lua.LNumber:
		return float64(v)
	case lua.LString:
		return string(v)
	}
	script.ArgError(L, n, "expected a number or a string, got %s", L.Get(n).Type())
	return nil
}

// valueFunctions turn what people write into values.
func valueFunctions() []function {
	return []function{
		{name: "size", params: "size: imapfw.Size", returns: "integer", doc: "Octets of a size such as \"20M\".",
			call: func(L *lua.LState) int { L.Push(lua.LNumber(checkSize(L, 1))); return 1 }},
		{name: "age", params: "age: imapfw.Age", returns: "number", doc: "Seconds of an age such as \"30d\".",
			call: func(L *lua.LState) int { L.Push(lua.LNumber(checkAge(L, 1).Seconds())); return 1 }},
		{name: "lines", params: "path: string", returns: "string[]",
			doc: "The lines of a text file, without empty ones and those that begin with \"#\".",
			call: func(L *lua.LState) int {
				lines, err := readLines(L.CheckString(1))
				if err != nil {
					script.Raise(L, err)
				}
				values := make([]lua.LValue, len(lines))
				for i, line := range lines {
					values[i] = lua.LString(line)
				}
				L.Push(script.List(L, values))
				return 1
			}},
		{name: "error", params: "fields: { code?: string, message: string, temporary?: boolean, hint?: string }", returns: "imapfw.Error",
			doc: "An error for error() to raise: where it is caught its fields are there.", call: newError},
	}
}

func readLines(path string) ([]string, error) {
	full, err := expandHome(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(full)
	if err == nil && info.Size() > maxLines {
		return nil, fault.New(fault.Config, "", "api.lines: %s has more than %d MB", path, maxLines>>20)
	}
	var content []byte
	if err == nil {
		content, err = os.ReadFile(full)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Config, "", err)
	}
	var out []string
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out, nil
}

// newError is api.error.
func newError(L *lua.LState) int {
	t := L.CheckTable(1)
	e := &fault.Error{Code: fault.Script, At: script.Where(L)}
	t.ForEach(func(k, v lua.LValue) {
		switch name := k.String(); name {
		case "code":
			e.Code = fault.Code(v.String())
		case "message":
			e.Message = v.String()
		case "hint":
			e.Hint = v.String()
		case "temporary":
			e.Temporary = lua.LVAsBool(v)
		default:
			script.ArgError(L, 1, "an error has no field %q: code, message, temporary, hint", name)
		}
	})
	if e.Message == "" {
		script.ArgError(L, 1, "an error needs a message")
	}
	L.Push(script.ErrorValue(L, e))
	return 1
}
