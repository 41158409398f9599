//go:build !unix

package worker

import (
	"os"
	"syscall"

	"github.com/imapfw/imapfw/host/fault"
)

func childAttr() *syscall.SysProcAttr { return nil }

func killGroup(p *os.Process) { _ = p.Kill() } // it may be dead already

func signalled(*os.ProcessState) bool { return false }

func keep(any) {}

// SelfCommand fails: only Unix hands open files to a child.
func SelfCommand(...string) ([]string, error) {
	return nil, fault.New(fault.Unsupported, "", "workers cannot be processes on this system")
}

// ChildPipes fails: only Unix hands open files to a child.
func ChildPipes() (in, out *os.File, err error) {
	_, err = SelfCommand()
	return nil, nil, err
}
