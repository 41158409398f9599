package worker

import "syscall"

// childAttr gives a child its own process group, so that Ctrl-C reaches the
// parent only, and has the kernel kill it when the parent dies in whatever way.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// SelfCommand returns the argument vector that runs this very binary with
// arguments, also after the file was replaced by an upgrade.
func SelfCommand(args ...string) ([]string, error) {
	return append([]string{"/proc/self/exe"}, args...), nil
}
