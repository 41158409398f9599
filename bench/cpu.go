//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of times in /proc: USER_HZ, which is 100 wherever Linux runs.
const tick = 100.0

// cpu is processor time in seconds.
type cpu struct{ User, System float64 }

func (c cpu) minus(o cpu) cpu { return cpu{c.User - o.User, c.System - o.System} }

// machineUser returns the time that the machine has spent for programs. Time in the
// kernel is left out: its threads write back what the measured program wrote.
func machineUser() (float64, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	v := strings.Fields(string(text[:max(0, bytes.IndexByte(text, '\n'))]))
	if len(v) < 3 {
		return 0, fmt.Errorf("/proc/stat has no line of all processors")
	}
	user, err := strconv.ParseFloat(v[1], 64)
	if err != nil {
		return 0, err
	}
	nice, err := strconv.ParseFloat(v[2], 64)
	return (user + nice) / tick, err
}

// own returns the time that this process has used itself.
func own() cpu {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return cpu{}
	}
	return cpu{seconds(u.Utime), seconds(u.Stime)}
}

// serverCPU returns what all of Dovecot has used, once the sessions of the tool have
// ended: those of processes that go on, and of those that the master has buried.
func serverCPU(ctx context.Context, master int) (cpu, error) {
	for deadline := time.Now().Add(5 * time.Second); ; {
		sum, sessions, err := processes(master)
		if err != nil || !sessions || time.Now().After(deadline) {
			return sum, err
		}
		if err := wait(ctx, 10*time.Millisecond); err != nil {
			return cpu{}, err
		}
	}
}

// processes adds up Dovecot's processes, and tells whether one serves a session.
func processes(master int) (sum cpu, sessions bool, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return cpu{}, false, err
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid ...: the name may hold anything.
		open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
		if open < 0 || end < 0 {
			continue
		}
		pid, v := strings.TrimSpace(string(text[:open])), strings.Fields(string(text[end+1:]))
		isMaster := pid == strconv.Itoa(master)
		if len(v) < 15 || !isMaster && v[1] != strconv.Itoa(master) {
			continue
		}
		number := func(i int) float64 { n, _ := strconv.ParseFloat(v[i], 64); return n / tick }
		sum.User, sum.System = sum.User+number(11), sum.System+number(12)
		if isMaster {
			sum.User, sum.System = sum.User+number(13), sum.System+number(14)
		}
		sessions = sessions || string(text[open+1:end]) == "imap"
	}
	return sum, sessions, nil
}

// waitQuiet waits until the rest of the machine is idle, but not for ever.
func waitQuiet(ctx context.Context) error {
	const share, patience, look = .15, 20 * time.Second, 400 * time.Millisecond
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		before, err := machineUser()
		if err != nil {
			return err
		}
		if err := wait(ctx, look); err != nil {
			return err
		}
		after, err := machineUser()
		if err != nil {
			return err
		}
		if after-before < share*look.Seconds() {
			return nil
		}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
