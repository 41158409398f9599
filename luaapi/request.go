package luaapi

import (
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/wire"
)

// request is a call that a worker with a loop has received.
type request struct {
	op    string
	args  wire.Value
	once  sync.Once
	reply chan answer
}

type answer struct {
	value wire.Value
	err   error
}

// answer answers once; what comes later is ignored.
func (r *request) answer(v wire.Value, err error) {
	r.once.Do(func() { r.reply <- answer{v, err} })
}

func requestObject() object[*request] {
	return object[*request]{
		name: "Request", doc: "A call that waits for its answer.",
		string: func(r *request) string { return "request " + r.op },
		fields: []field[*request]{
			{"op", "string", "what is asked for", func(_ *lua.LState, r *request) lua.LValue { return lua.LString(r.op) }},
			{"args", "any", "with what", func(L *lua.LState, r *request) lua.LValue { return script.ToLua(L, r.args) }},
		},
		methods: []function{
			{name: "reply", params: "value?: any", doc: "Answers the call.", call: func(L *lua.LState) int {
				script.Check[*request](L, 1).answer(plainValue(L, 2), nil)
				return 0
			}},
			{name: "fail", params: "err: imapfw.Error|string", doc: "Answers the call with an error.", call: func(L *lua.LState) int {
				r := script.Check[*request](L, 1)
				if e, ok := script.AsError(L.Get(2)); ok {
					r.answer(nil, e)
				} else {
					r.answer(nil, fault.New(fault.Script, r.op, "%s", L.CheckString(2)))
				}
				return 0
			}},
		},
	}
}
