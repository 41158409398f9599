package script

import (
	"context"
	"errors"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
)

// Fault turns what a protected call returned into a *fault.Error: the one that
// was raised, or a fault.Script with the script's line and stack.
func Fault(L *lua.LState, err error) error { return From(L).fault(err) }

func (s *State) fault(err error) error {
	var e *lua.ApiError
	if !errors.As(err, &e) {
		return err
	}
	if r, ok := Is[*raised](e.Object); ok {
		f := r.fault()
		if f.Trace != "" || e.StackTrace == "" {
			return f
		}
		traced := *f
		traced.Trace = cleanTrace(e.StackTrace)
		return &traced
	}
	if overflowed(e) {
		return &fault.Error{
			Code: fault.Script, At: firstLine(s.bundle, e.StackTrace), Message: "stack overflow",
			Hint: "does a function call itself without an end?", Trace: cleanTrace(e.StackTrace),
		}
	}
	if e.Type == lua.ApiErrorPanic {
		return &fault.Error{
			Code: fault.Crashed, At: firstLine(s.bundle, e.StackTrace), Worker: s.opts.Worker,
			Message: "the host failed inside a script: " + e.Object.String(),
			Trace:   e.StackTrace,
		}
	}
	f := s.scripted(e)
	f.Trace = cleanTrace(e.StackTrace)
	if f.At == "" {
		f.At = firstLine(s.bundle, e.StackTrace)
	}
	return s.ended(f)
}

// overflowed reports whether a script called too deep, which gopher-lua tells by
// a panic of Go.
func overflowed(e *lua.ApiError) bool {
	return e.Type == lua.ApiErrorPanic && e.Object.String() == "lua callstack overflow"
}

// scripted words an error that is a plain Lua value.
func (s *State) scripted(e *lua.ApiError) *fault.Error {
	switch v := e.Object.(type) {
	case lua.LString:
		at, text, hint := s.explain(string(v))
		return (&fault.Error{Code: fault.Script, At: at, Message: text}).WithHint("%s", hint)
	case *lua.LTable:
		f := &fault.Error{Code: fault.Script, Message: "a script raised a table"}
		if m, ok := v.RawGetString("message").(lua.LString); ok {
			f.Message = string(m)
		}
		return f
	case *lua.LUserData:
		return &fault.Error{Code: fault.Script, Message: "a script raised a " + typeName(v)}
	}
	return &fault.Error{Code: fault.Script, Message: "a script raised " + e.Object.String()}
}

// ended rewords the error of a call that was cut short.
func (s *State) ended(f *fault.Error) error {
	r := s.run
	if r == nil || s.meter.Err() == nil {
		return f
	}
	switch err := s.meter.Err(); {
	case errors.Is(err, errSteps):
		f.Message = "the script did not end after " + lua.LNumber(s.opts.Steps).String() + " steps"
		f.Hint = "is there a loop without an end?"
	case r.caller.Err() != nil:
		f.Code, f.Message, f.Err = fault.Stopped, "stopped", context.Cause(r.caller)
	default:
		f.Message = "the script did not end after " + s.opts.Timeout.String()
		f.Hint = "is there a loop without an end?"
		f.Err = nil
	}
	return f
}

// caught is what pcall gives to a script for an error.
func (s *State) caught(L *lua.LState, err error) lua.LValue {
	var e *lua.ApiError
	if !errors.As(err, &e) {
		return lua.LString(err.Error())
	}
	if e.Type == lua.ApiErrorPanic {
		return ErrorValue(L, s.fault(err))
	}
	text, ok := e.Object.(lua.LString)
	if !ok {
		return e.Object
	}
	at, message, hint := s.explain(string(text))
	return lua.LString((&fault.Error{Code: fault.Script, At: at, Message: message, Hint: hint}).Error())
}

// topLevel is what gopher-lua calls a file's own code.
var topLevel = pattern(`in function <[^>]*:0>$`)

// cleanTrace drops what says nothing to the author of a script.
func cleanTrace(trace string) string {
	var keep []string
	for _, line := range strings.Split(trace, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line == "stack traceback:" || strings.HasPrefix(line, "[G]:"):
		default:
			keep = append(keep, topLevel().ReplaceAllString(line, "in main chunk"))
		}
	}
	return strings.Join(keep, "\n")
}

// firstLine returns the file:line of the innermost script code in a trace.
func firstLine(b *Bundle, trace string) string {
	for _, line := range strings.Split(trace, "\n") {
		line = strings.TrimSpace(line)
		if at, _, ok := splitPosition(b, line); ok {
			return at
		}
	}
	return ""
}
