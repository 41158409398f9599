package luaapi

import (
	"context"
	"errors"
	"slices"

	"github.com/imapfw/imapfw/host/fault"
)

// The exit codes of the command. Codes from ExitScript to ExitScriptLast are the
// script's own.
const (
	ExitDone        = 0
	ExitFailed      = 1
	ExitUsage       = 2 // usage or script error
	ExitPartial     = 3 // some folders or messages failed, the rest is done
	ExitAuth        = 4
	ExitGuard       = 5 // refused before anything was written
	ExitTemporary   = 75
	ExitInterrupted = 130
	ExitScript      = 100
	ExitScriptLast  = 199
)

// ownExitCode gives the exit code of each kind of failure that has one of its
// own. Every other kind is ExitFailed, or ExitTemporary where trying again later
// may work.
func ownExitCode(code fault.Code) (int, bool) {
	switch code {
	case fault.Config, fault.Script, fault.SelfCall:
		return ExitUsage, true
	case fault.Partial:
		return ExitPartial, true
	case fault.Auth:
		return ExitAuth, true
	case fault.Guard:
		return ExitGuard, true
	case fault.Network, fault.Busy:
		return ExitTemporary, true
	case fault.Stopped:
		return ExitInterrupted, true
	}
	return 0, false
}

// ExitCode returns the exit code of what a run ended with.
func ExitCode(err error) int {
	if err == nil {
		return ExitDone
	}
	if code, ok := ownExitCode(fault.CodeOf(err)); ok {
		return code
	}
	switch {
	case fault.IsTemporary(err):
		return ExitTemporary
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	}
	return ExitFailed
}

// JoinExitCodes returns the exit code of a run of which several parts ended with
// these: a script's own code, else the first one of a fixed order that any part
// had.
func JoinExitCodes(codes ...int) int {
	for _, code := range codes {
		if code >= ExitScript && code <= ExitScriptLast && code != ExitInterrupted {
			return code
		}
	}
	for _, code := range []int{ExitUsage, ExitGuard, ExitAuth, ExitFailed, ExitPartial, ExitInterrupted, ExitTemporary} {
		if slices.Contains(codes, code) {
			return code
		}
	}
	for _, code := range codes {
		if code != ExitDone {
			return ExitFailed
		}
	}
	return ExitDone
}
