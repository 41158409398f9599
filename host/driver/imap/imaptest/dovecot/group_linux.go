package dovecot

import "syscall"

// ownGroup puts Dovecot into a process group of its own, and lets it end when
// the test is killed: a timeout runs no cleanup.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
}
