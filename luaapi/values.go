package luaapi

import (
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/script/options"
)

// checkSize reads octets: a number, or "20M".
func checkSize(L *lua.LState, n int) int64 {
	if number, ok := L.Get(n).(lua.LNumber); ok && number >= 0 {
		return int64(number)
	}
	size, err := options.ParseSize(L.CheckString(n))
	if err != nil {
		script.ArgError(L, n, "%v", err)
	}
	return size
}

// checkAge reads an age: "30d", or a number of seconds.
func checkAge(L *lua.LState, n int) time.Duration {
	if number, ok := L.Get(n).(lua.LNumber); ok && number >= 0 && number < 1e9 {
		return time.Duration(float64(number) * float64(time.Second))
	}
	age, err := options.ParseAge(L.CheckString(n))
	if err != nil {
		script.ArgError(L, n, "%v", err)
	}
	return age
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
				lines, err := readLines(L, L.CheckString(1))
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
		{name: "error", params: "fields: { code?: string, message: string, temporary?: boolean, final?: boolean, hint?: string }", returns: "imapfw.Error",
			doc: "An error for error() to raise: where it is caught its fields are there.", call: newError},
	}
}

// readLines reads a file into the bundle, once.
func readLines(L *lua.LState, path string) ([]string, error) {
	content, err := script.From(L).ReadFile(L, path, "api.lines")
	if err != nil {
		return nil, err
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
		case "final":
			e.Final = lua.LVAsBool(v)
		default:
			script.ArgError(L, 1, "an error has no field %q: code, message, temporary, final, hint", name)
		}
	})
	if e.Message == "" {
		script.ArgError(L, 1, "an error needs a message")
	}
	L.Push(script.ErrorValue(L, e))
	return 1
}
