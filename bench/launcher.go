//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// launchMode, as the first argument, makes this program a launcher. A process counts
// the memory of the one it was forked from as its own until it runs its program, so
// that a tool must not be started by a process that holds a corpus: it is started by
// this small one.
const launchMode = "launch-one-command"

// usage is what a command cost, with the children it waited for.
type usage struct {
	Exit     int     `json:"exit"` // -1 when it was killed
	TimedOut bool    `json:"timed_out,omitempty"`
	Wall     float64 `json:"wall_s"`
	User     float64 `json:"user_s"`
	System   float64 `json:"system_s"`
	PeakKiB  int64   `json:"peak_kib"`
	// FloorKiB is the launcher's own size, below which PeakKiB cannot be.
	FloorKiB int64 `json:"floor_kib"`
}

// launch runs the command of its arguments, LOG TIMEOUT COMMAND..., and writes its
// usage.
func launch(args []string, out io.Writer) error {
	if len(args) < 3 {
		return fmt.Errorf("%s LOG TIMEOUT COMMAND", launchMode)
	}
	timeout, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	log, err := os.Create(args[0])
	if err != nil {
		return err
	}
	// The command is killed with the thread that started it.
	runtime.LockOSThread()
	cmd := exec.Command(args[2], args[3:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	var u usage
	killer := time.AfterFunc(timeout, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	_ = cmd.Wait() // how it ended is in its state
	u.Wall = time.Since(start).Seconds()
	u.TimedOut = !killer.Stop()
	u.Exit = cmd.ProcessState.ExitCode()
	ru, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return fmt.Errorf("the system tells no usage of %s", args[2])
	}
	u.User, u.System, u.PeakKiB = seconds(ru.Utime), seconds(ru.Stime), ru.Maxrss
	if u.FloorKiB, err = residentPeak(); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(u)
}

// residentPeak returns the most memory that this process has used. Its ru_maxrss would
// not do: that is of the one it was forked from, too.
func residentPeak() (kib int64, err error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, found := strings.Cut(string(text), "VmHWM:")
	fields := strings.Fields(after)
	if !found || len(fields) == 0 {
		return 0, errors.New("/proc/self/status has no VmHWM")
	}
	return strconv.ParseInt(fields[0], 10, 64)
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }

// timed runs a command through a launcher. What the command prints goes to the file
// log.
func timed(ctx context.Context, command, env []string, dir, log string, timeout time.Duration) (usage, error) {
	self, err := os.Executable()
	if err != nil {
		return usage{}, err
	}
	args := append([]string{launchMode, log, timeout.String()}, command...)
	cmd := exec.CommandContext(ctx, self, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.Dir = &stdout, &stderr, env, dir
	if err := cmd.Run(); err != nil {
		return usage{}, fmt.Errorf("run %s: %w\n%s", command[0], err, stderr.Bytes())
	}
	var u usage
	if err := json.Unmarshal(stdout.Bytes(), &u); err != nil {
		return usage{}, fmt.Errorf("read what %s cost: %w", command[0], err)
	}
	return u, nil
}
