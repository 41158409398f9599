//go:build unix

package worker

import (
	"os"
	"syscall"

	"github.com/imapfw/imapfw/host/fault"
)

// killGroup kills a child that has not been reaped, and everything it started
// in its process group.
func killGroup(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL) // it may be dead already
}

// signalled reports whether a signal from outside ended a process.
func signalled(s *os.ProcessState) bool {
	status, ok := s.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return false
	}
	switch status.Signal() {
	case syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP:
		return true
	}
	return false
}

// ChildPipes returns the ends of the link that a child process was started
// with (fd 3 and 4), for ServeChild.
func ChildPipes() (in, out *os.File, err error) {
	var files [2]*os.File
	for i, fd := range []int{3, 4} {
		var stat syscall.Stat_t
		if err := syscall.Fstat(fd, &stat); err != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFIFO {
			return nil, nil, fault.New(fault.Config, "", "this command is for imapfw itself: it runs a worker for a parent process")
		}
		// Only a non-blocking file can be closed while it is being read.
		if err := syscall.SetNonblock(fd, true); err != nil {
			return nil, nil, fault.Wrap(fault.IO, "open the link to the parent", err)
		}
		files[i] = os.NewFile(uintptr(fd), "link")
	}
	return files[0], files[1], nil
}

// keep sees to it that what this process starts does not inherit a file of the
// link: it would hold the link open after the end of this process.
func keep(file any) {
	c, ok := file.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := c.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { syscall.CloseOnExec(int(fd)) }) // a closed file is not inherited
	}
}
