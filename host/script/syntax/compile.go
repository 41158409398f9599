package syntax

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
)

// Compile makes the prototype of a chunk. It is immutable, and may be shared by
// the states of a process.
func (c *Chunk) Compile() (*lua.FunctionProto, error) {
	proto, err := lua.Compile(c.Stmts, c.File)
	if err != nil {
		return nil, &fault.Error{Code: fault.Config, At: c.File + ":1", Message: err.Error()}
	}
	repair(proto)
	return proto, nil
}

// repair mends an instruction that gopher-lua writes wrongly: in a list of
// fifty items (or a multiple) and a last call, the results of the call went over
// the first items. Such a list is the fifty-first rule of somebody's account.
// The batch of the last items (B is 0) must not have the number (C) of the one
// before it.
func repair(proto *lua.FunctionProto) {
	last := map[uint32]uint32{} // table's register -> number of its last batch
	for i, inst := range proto.Code {
		a, b, c := inst>>18&0xff, inst&0x1ff, inst>>9&0x1ff
		switch int(inst >> 26) {
		case lua.OP_NEWTABLE:
			delete(last, a)
		case lua.OP_SETLIST:
			if b == 0 && last[a] == c {
				proto.Code[i] = inst + 1<<9
			}
			last[a] = c
		}
	}
	for _, inner := range proto.FunctionPrototypes {
		repair(inner)
	}
}
