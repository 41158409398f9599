package luaapi

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/state"
)

func planObject() object[*engine.Plan] {
	return object[*engine.Plan]{
		name:   "Plan",
		doc:    "What a run is about to do, before it does any of it.",
		string: func(p *engine.Plan) string { return fmt.Sprintf("plan of %d messages", p.Total("")) },
		methods: []function{
			{name: "steps", params: "which?: { op?: imapfw.PlanOp, folder?: string, side?: \"far\"|\"near\" }", returns: "imapfw.Step[]",
				doc: "The steps, of which the given fields are equal.", call: planSteps},
			{name: "drop", params: "step: imapfw.Step, keys?: imapfw.Keys, reason?: string", returns: "integer",
				doc: "Leaves a step or some of its messages alone in this run, and returns how many messages that were.", call: planDrop},
			{name: "alter", params: "step: imapfw.Step, to: { add?: string[], remove?: string[] }, reason?: string",
				doc: "Leaves of a step that changes flags only some of them; a list that is not given stays as it is. Nothing else of a step can be altered.", call: planAlter},
			{name: "total", params: "op?: imapfw.PlanOp", returns: "integer", doc: "How many messages the steps of an operation concern; all steps without one.",
				call: func(L *lua.LState) int {
					p := script.Check[*engine.Plan](L, 1)
					L.Push(lua.LNumber(p.Total(checkOp(L, 2, L.Get(2)))))
					return 1
				}},
		},
	}
}

// planOps are the operations of steps, as scripts write them.
func planOps() []string {
	var ops []string
	for _, op := range []engine.Op{engine.OpPull, engine.OpPush, engine.OpFlag, engine.OpMove, engine.OpRemove,
		engine.OpCreate, engine.OpDrop, engine.OpRename} {
		ops = append(ops, string(op))
	}
	return ops
}

func checkOp(L *lua.LState, n int, v lua.LValue) engine.Op {
	if v == lua.LNil {
		return ""
	}
	for _, op := range planOps() {
		if v == lua.LString(op) {
			return engine.Op(op)
		}
	}
	script.ArgError(L, n, "%q is no operation of a plan: one of %q", v.String(), planOps())
	return ""
}

func planSteps(L *lua.LState) int {
	p := script.Check[*engine.Plan](L, 1)
	op, folder, side := engine.Op(""), "", state.Side(0)
	if t, ok := L.Get(2).(*lua.LTable); ok {
		t.ForEach(func(k, v lua.LValue) {
			switch name := k.String(); name {
			case "op":
				op = checkOp(L, 2, v)
			case "folder":
				folder = v.String()
			case "side":
				switch v.String() {
				case "far":
					side = state.Far
				case "near":
					side = state.Near
				default:
					script.ArgError(L, 2, "%q is no side: \"far\" or \"near\"", v.String())
				}
			default:
				script.ArgError(L, 2, "steps are chosen by op, folder and side, not by %q", name)
			}
		})
	} else if L.Get(2) != lua.LNil {
		script.ArgError(L, 2, "expected a table such as { op = \"delete\" }, got %s", L.Get(2).Type())
	}
	steps := p.Steps(op, folder, side)
	values := make([]lua.LValue, len(steps))
	for i, s := range steps {
		values[i] = script.New(L, s)
	}
	L.Push(script.List(L, values))
	return 1
}

func planDrop(L *lua.LState) int {
	p, step := script.Check[*engine.Plan](L, 1), script.Check[*engine.Step](L, 2)
	var keys *mail.KeySet
	reason := 3
	if _, ok := L.Get(3).(*lua.LTable); ok {
		set := checkKeys(L, 3)
		keys, reason = &set, 4
	} else if L.Get(3) == lua.LNil && L.GetTop() > 3 {
		reason = 4
	}
	L.Push(lua.LNumber(p.Drop(step.ID, keys, L.OptString(reason, "no reason given"))))
	return 1
}

// planAlter narrows the flags of a step.
func planAlter(L *lua.LState) int {
	p, step, to := script.Check[*engine.Plan](L, 1), script.Check[*engine.Step](L, 2), L.CheckTable(3)
	flags := map[string]mail.Flags{"add": step.Add, "remove": step.Remove}
	to.ForEach(func(k, v lua.LValue) {
		list, ok := v.(*lua.LTable)
		if _, known := flags[k.String()]; !known || !ok {
			script.ArgError(L, 3, "a step is altered by lists of flags, add and remove, not by %q", k.String())
		}
		var names []string
		list.ForEach(func(_, flag lua.LValue) { names = append(names, flag.String()) })
		flags[k.String()] = mail.NewFlags(names...)
	})
	if err := p.Narrow(step.ID, flags["add"], flags["remove"], L.OptString(4, "no reason given")); err != nil {
		script.ArgError(L, 3, "%v", err)
	}
	return 0
}

func stepObject() object[*engine.Step] {
	text := func(name, doc string, get func(s *engine.Step) string) field[*engine.Step] {
		return field[*engine.Step]{name, "string", doc, func(_ *lua.LState, s *engine.Step) lua.LValue { return lua.LString(get(s)) }}
	}
	number := func(name, doc string, get func(s *engine.Step) int) field[*engine.Step] {
		return field[*engine.Step]{name, "integer", doc, func(_ *lua.LState, s *engine.Step) lua.LValue { return lua.LNumber(get(s)) }}
	}
	return object[*engine.Step]{
		name:   "Step",
		doc:    "One operation of a plan on messages of one folder.",
		string: func(s *engine.Step) string { return fmt.Sprintf("%s %d in %s", s.Op, s.Count(), s.Folder) },
		fields: []field[*engine.Step]{
			number("id", "its number in the plan", func(s *engine.Step) int { return s.ID }),
			{"op", "imapfw.PlanOp", "what it does", func(_ *lua.LState, s *engine.Step) lua.LValue { return lua.LString(s.Op) }},
			text("folder", "the folder's name, as both sides show it", func(s *engine.Step) string { return s.Folder }),
			text("side", "the side that is written: \"far\" or \"near\"", func(s *engine.Step) string { return s.Side.String() }),
			{"keys", "imapfw.Keys", "the messages: UIDs or names of files; a new list each time",
				func(L *lua.LState, s *engine.Step) lua.LValue { return keyValues(L, s.Keys()) }},
			number("count", "number of messages", (*engine.Step).Count),
			number("folder_count", "number of messages in the folder on the side the keys are of", func(s *engine.Step) int { return s.FolderCount }),
			text("to", "the other folder of op \"move\", the new name of op \"rename\"", func(s *engine.Step) string { return s.To }),
			{"expiry", "boolean", "a removal near of messages that are not kept near any more; far keeps them",
				func(_ *lua.LState, s *engine.Step) lua.LValue { return lua.LBool(s.Expiry) }},
			text("form", "what op \"pull\" delivers: \"\" the message, \"placeholder\", or \"upgrade\" the message in the place of its placeholder",
				func(s *engine.Step) string { return string(s.Form) }),
			text("reason", "why, where that is not obvious", func(s *engine.Step) string { return s.Reason }),
			{"add", "string[]", "flags to add, of op \"flags\"", func(L *lua.LState, s *engine.Step) lua.LValue { return listOf(L, s.Add.Strings()) }},
			{"remove", "string[]", "flags to remove, of op \"flags\"", func(L *lua.LState, s *engine.Step) lua.LValue { return listOf(L, s.Remove.Strings()) }},
		},
	}
}

func pairObject() object[*engine.FolderPair] {
	count := func(n int) lua.LValue {
		if n < 0 {
			return lua.LNil
		}
		return lua.LNumber(n)
	}
	return object[*engine.FolderPair]{
		name:   "FolderPair",
		doc:    "A folder as both sides have it.",
		string: func(f *engine.FolderPair) string { return f.Name },
		fields: []field[*engine.FolderPair]{
			{"name", "string", "its name, as both sides show it", func(_ *lua.LState, f *engine.FolderPair) lua.LValue { return lua.LString(f.Name) }},
			{"far_count", "integer?", "messages far; nil where the folder is missing", func(_ *lua.LState, f *engine.FolderPair) lua.LValue { return count(f.FarCount) }},
			{"near_count", "integer?", "messages near; nil where the folder is missing", func(_ *lua.LState, f *engine.FolderPair) lua.LValue { return count(f.NearCount) }},
			{"attrs", "table<string, true>", "its attributes", func(L *lua.LState, f *engine.FolderPair) lua.LValue { return setOf(L, f.Attrs) }},
		},
	}
}

func conflictObject() object[*engine.ConflictCase] {
	return object[*engine.ConflictCase]{
		name:   "Conflict",
		doc:    "A message that was removed on one side while its flags were changed on the other.",
		string: func(c *engine.ConflictCase) string { return "conflict in " + c.Folder },
		fields: []field[*engine.ConflictCase]{
			{"folder", "string", "the folder's name, as both sides show it", func(_ *lua.LState, c *engine.ConflictCase) lua.LValue { return lua.LString(c.Folder) }},
			{"removed_on", "string", "\"far\" or \"near\"", func(_ *lua.LState, c *engine.ConflictCase) lua.LValue { return lua.LString(c.RemovedOn.String()) }},
			{"id", "string", "the key on the side that kept it", func(_ *lua.LState, c *engine.ConflictCase) lua.LValue { return lua.LString(c.Key) }},
			{"flags", "table<string, true>", "its flags there", func(L *lua.LState, c *engine.ConflictCase) lua.LValue { return setOf(L, c.Flags.Strings()) }},
		},
	}
}
