//go:build unix && !linux

package dovecot

import "syscall"

// ownGroup puts Dovecot into a process group of its own.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
