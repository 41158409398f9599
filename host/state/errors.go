package state

import (
	"fmt"

	"github.com/imapfw/imapfw/host/fault"
)

// busy is the fault of a second instance. pid is the first one, 0 where it is
// not known.
func busy(what string, pid int) error {
	who := "another imapfw"
	if pid > 0 {
		who = fmt.Sprintf("another imapfw (process %d)", pid)
	}
	return fault.New(fault.Busy, opOpen, "%s is using %s", who, what).
		WithHint("wait for it to end, or stop it, and run again").AsTemporary()
}
