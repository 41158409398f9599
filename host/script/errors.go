package script

import (
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
)

// raised is an error as a Lua value. The error itself is never changed: where it
// was raised is kept beside it.
type raised struct {
	err *fault.Error
	at  string
}

// fault returns the error with the place where it was raised.
func (r *raised) fault() *fault.Error {
	if _, several := r.err.Err.(Mistakes); several || r.err.At != "" || r.at == "" {
		return r.err
	}
	placed := *r.err
	placed.At = r.at
	return &placed
}

// openErrors registers the userdata of errors.
func (s *State) openErrors(L *lua.LState) {
	text := func(get func(e *fault.Error) string) func(*lua.LState, *raised) lua.LValue {
		return func(_ *lua.LState, r *raised) lua.LValue {
			if v := get(r.fault()); v != "" {
				return lua.LString(v)
			}
			return lua.LNil
		}
	}
	Register(L, Type[*raised]{
		Name: "error",
		Fields: map[string]func(*lua.LState, *raised) lua.LValue{
			"code":    text(func(e *fault.Error) string { return string(e.Code) }),
			"message": text(message),
			"op":      text(func(e *fault.Error) string { return e.Op }),
			"account": text(func(e *fault.Error) string { return e.Account }),
			"folder":  text(func(e *fault.Error) string { return e.Folder }),
			"key":     text(func(e *fault.Error) string { return e.Key }),
			"worker":  text(func(e *fault.Error) string { return e.Worker }),
			"at":      text(func(e *fault.Error) string { return e.At }),
			"hint":    text(func(e *fault.Error) string { return e.Hint }),
			"temporary": func(_ *lua.LState, r *raised) lua.LValue {
				return lua.LBool(r.err.Temporary)
			},
			"final": func(_ *lua.LState, r *raised) lua.LValue {
				return lua.LBool(r.err.Final)
			},
		},
		Methods: map[string]lua.LGFunction{
			// wrap says what the script was doing: err:wrap("filing the bills")
			"wrap": func(L *lua.LState) int {
				e := Check[*raised](L, 1).fault()
				wrapped := *e
				wrapped.Op, wrapped.Message, wrapped.Err = L.CheckString(2), "", e
				wrapped.At, wrapped.Hint, wrapped.Folder, wrapped.Key = "", "", "", ""
				L.Push(ErrorValue(L, &wrapped))
				return 1
			},
		},
		String: func(r *raised) string { return r.fault().Error() },
		Meta: map[string]lua.LGFunction{
			"__concat": func(L *lua.LState) int {
				L.Push(lua.LString(L.ToStringMeta(L.Get(1)).String() + L.ToStringMeta(L.Get(2)).String()))
				return 1
			},
		},
	})
}

// message is what happened, without where and what was being done.
func message(e *fault.Error) string {
	bare := *e
	bare.At, bare.Op, bare.Folder, bare.Key, bare.Hint = "", "", "", "", ""
	return bare.Error()
}

// ErrorValue returns err as the userdata that Raise raises.
func ErrorValue(L *lua.LState, err error) *lua.LUserData {
	return New(L, &raised{err: asFault(err)})
}

func asFault(err error) *fault.Error {
	var e *fault.Error
	if errors.As(err, &e) && error(e) == err {
		return e
	}
	if e != nil { // wrapped by fmt.Errorf: keep its text and its nature
		return &fault.Error{Code: e.Code, Temporary: e.Temporary, Final: e.Final, After: e.After, Account: e.Account, Worker: e.Worker, Err: err}
	}
	return &fault.Error{Code: fault.CodeOf(err), Err: err}
}

// AsError returns the error inside a Lua value made by ErrorValue.
func AsError(v lua.LValue) (*fault.Error, bool) {
	r, ok := Is[*raised](v)
	if !ok {
		return nil, false
	}
	return r.fault(), true
}

// Raise raises err in Lua as a userdata (code, message, temporary, op, account,
// folder, worker, at, hint; __tostring), noting the user's file:line where err
// has none. The error survives pcall, and comes back to Go as the *fault.Error
// it is. Raise does not return.
func Raise(L *lua.LState, err error) {
	L.Error(New(L, &raised{err: asFault(err), at: Where(L)}), 0)
}

// Raisef raises a fault of code at the user's line: "file:line: what: text".
func Raisef(L *lua.LState, code fault.Code, what, format string, args ...any) {
	Raise(L, fault.New(code, what, format, args...))
}

// Where returns file:line of the nearest Lua code on the stack, or "".
func Where(L *lua.LState) string {
	file, line := position(L)
	if file == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// Mistakes is several errors found together.
type Mistakes []error

func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, err := range m {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is and errors.As look at each.
func (m Mistakes) Unwrap() []error { return m }

// Together returns the errors as one: nil, the only one, or a fault that holds
// Mistakes.
func Together(list []error) error {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return &fault.Error{Code: fault.CodeOf(list[0]), Err: Mistakes(list)}
}

// Mistake is the text of a mistake in what the user wrote, and what helps to
// see it.
type Mistake struct {
	Text    string
	Excerpt string // source lines, the last one marked
	More    string // what is possible there
}

func (m *Mistake) Error() string { return m.Text }

// Detail returns what to print below an error, or "".
func Detail(err error) string {
	var m *Mistake
	if !errors.As(err, &m) {
		return ""
	}
	return strings.Trim(m.Excerpt+"\n"+m.More, "\n")
}

// Report notes a mistake found while the top level runs, so that it goes on and
// shows all of them; in another phase it raises.
func (s *State) Report(L *lua.LState, err error) {
	if s.phase != Define {
		Raise(L, err)
	}
	if s.Noted(err) {
		return
	}
	s.collect = append(s.collect, (&raised{err: asFault(err), at: Where(L)}).fault())
}

// Noted reports whether the same mistake was reported before.
func (s *State) Noted(err error) bool {
	for _, have := range s.collect {
		if have.Error() == err.Error() {
			return true
		}
	}
	return false
}

// mistakes joins what was reported with what ended the top level.
func (s *State) mistakes(err error) error {
	list := s.collect
	if err != nil {
		list = append(list, err)
	}
	s.collect = nil
	return Together(list)
}
