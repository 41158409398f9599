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
// with (fd 3 and 4), for ServeChild. What the child starts does not inherit
// them.
func ChildPipes() (in, out *os.File, err error) {
	var files [2]*os.File
	for i, fd := range []int{3, 4} {
		var stat syscall.Stat_t
		if err := syscall.Fstat(fd, &stat); err != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFIFO {
			return nil, nil, fault.New(fault.Config, "", "this command is for imapfw itself: it runs a worker for a parent process")
		}
		syscall.CloseOnExec(fd)
		// Only a non-blocking file can be closed while it is being read.
		if err := syscall.SetNonblock(fd, true); err != nil {
			return nil, nil, fault.Wrap(fault.IO, "open the link to the parent", err)
		}
		files[i] = os.NewFile(uintptr(fd), "link")
	}
	return files[0], files[1], nil
}
