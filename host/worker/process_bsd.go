//go:build unix && !linux

package worker

import (
	"os"
	"syscall"
)

// childAttr gives a child its own process group, so that Ctrl-C reaches the
// parent only. When the parent dies the link to it ends, and so does the child.
func childAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// SelfCommand returns the argument vector that runs this binary with arguments.
func SelfCommand(args ...string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return append([]string{self}, args...), nil
}
