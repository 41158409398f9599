package lualib

import (
	"fmt"
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// strFormat is string.format of Lua 5.1. (gopher-lua hands the format to Go,
// which knows other verbs and prints "%!d(MISSING)".)
func strFormat(L *lua.LState) int {
	format := L.CheckString(1)
	var out strings.Builder
	arg := 1
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			out.WriteString(format)
			break
		}
		out.WriteString(format[:i])
		format = format[i+1:]
		if strings.HasPrefix(format, "%") {
			out.WriteByte('%')
			format = format[1:]
			continue
		}
		n := strings.IndexFunc(format, func(r rune) bool { return !strings.ContainsRune("-+ #0123456789.", r) })
		if n < 0 || n > 8 {
			L.RaiseError("%s", "invalid format (ends with '%', or its width is too long)")
		}
		arg++
		writeVerb(L, &out, "%"+format[:n], format[n], arg)
		format = format[n+1:]
		if out.Len() > maxString {
			L.RaiseError("string.format: the result is longer than %d MiB", maxString>>20)
		}
	}
	L.Push(lua.LString(out.String()))
	return 1
}

// writeVerb writes one argument. spec is the verb's flags, width and precision.
func writeVerb(L *lua.LState, out *strings.Builder, spec string, verb byte, arg int) {
	if arg > L.GetTop() {
		L.ArgError(arg, "value expected")
	}
	switch verb {
	case 'c':
		out.WriteByte(byte(L.CheckInt(arg)))
	case 'd', 'i', 'u':
		fmt.Fprintf(out, spec+"d", integer(L, arg))
	case 'o', 'x', 'X':
		n := integer(L, arg)
		if n < 0 {
			fmt.Fprintf(out, spec+string(verb), uint64(n))
		} else {
			fmt.Fprintf(out, spec+string(verb), n)
		}
	case 'e', 'E', 'f', 'g', 'G':
		if !strings.Contains(spec, ".") && (verb == 'g' || verb == 'G') {
			spec += ".6" // C's default; Go's is the shortest that reads back
		}
		fmt.Fprintf(out, spec+string(verb), float64(L.CheckNumber(arg)))
	case 'q':
		quote(out, L.CheckString(arg))
	case 's':
		fmt.Fprintf(out, spec+"s", byteString(L.ToStringMeta(L.Get(arg)).String()))
	default:
		L.RaiseError("invalid conversion '%s%c' to 'format'", spec, verb)
	}
}

// byteString counts width and precision in bytes, as Lua does.
type byteString string

func (s byteString) Format(f fmt.State, _ rune) {
	text := string(s)
	if p, ok := f.Precision(); ok && p < len(text) {
		text = text[:p]
	}
	w, _ := f.Width()
	pad := strings.Repeat(" ", max(0, w-len(text)))
	if f.Flag('-') {
		text += pad
	} else {
		text = pad + text
	}
	_, _ = f.Write([]byte(text)) // the builder behind it cannot fail
}

func integer(L *lua.LState, arg int) int64 {
	n := float64(L.CheckNumber(arg))
	if math.IsNaN(n) || n >= 1<<63 || n < -(1<<63) {
		L.ArgError(arg, "number has no integer representation")
	}
	return int64(n)
}

// quote writes a string that Lua reads back as the same bytes.
func quote(out *strings.Builder, s string) {
	out.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\\', '\n':
			out.WriteByte('\\')
			out.WriteByte(c)
		case '\r':
			out.WriteString(`\r`)
		case 0:
			out.WriteString(`\000`)
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
}
