package script

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
)

// Phase is what a state is doing; a set of phases when given to RequirePhase.
type Phase int

// The phases.
const (
	Define Phase = 1 << iota // the top level runs
	Main                     // main runs, in the main worker
	Work                     // the state serves a worker
)

// RequirePhase raises at the user's line unless the state is in one of the
// phases, saying where what ("os.time", "api.EngineManager") belongs.
func RequirePhase(L *lua.LState, in Phase, what string) {
	s := From(L)
	if s.phase&in != 0 || s.bundle.compat {
		return
	}
	message, hint := s.misplaced(in, what)
	Raise(L, fault.New(fault.Config, "", "%s", message).WithHint("%s", hint))
}

func (s *State) misplaced(in Phase, what string) (message, hint string) {
	switch {
	case s.phase == Define && in == Main:
		return what + " cannot be used at the top level of a file", "call it in main(ctx): the top level only defines"
	case s.phase == Define:
		return what + " cannot be used at the top level of a file",
			"call it in a function: the top level runs again in every worker and must define the same there"
	case in == Define:
		return what + " belongs at the top level of the file", "workers find only what is defined there"
	case in == Main:
		return fmt.Sprintf("%s belongs in main(ctx), this is worker %q", what, s.opts.Worker), ""
	}
	return what + " belongs in a method or a hook, this is main(ctx)", "workers run those"
}
