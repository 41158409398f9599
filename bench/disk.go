//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// makeDir makes the folder that everything of a run is kept in. Dovecot serves mail
// as an unprivileged user, who must get there.
func makeDir(work string) (string, error) {
	work, err := filepath.Abs(work)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(work, 0o755); err != nil {
		return "", err
	}
	if os.Getuid() == 0 {
		for dir := work; dir != "/"; dir = filepath.Dir(dir) {
			info, err := os.Stat(dir)
			if err != nil {
				return "", err
			}
			if info.Mode()&1 == 0 {
				return "", fmt.Errorf("the users that Dovecot runs as cannot get to %s: chmod o+x %s", work, dir)
			}
		}
	}
	// The address of a socket has room for 107 bytes, and Dovecot's are below.
	if len(work) > 50 {
		return "", fmt.Errorf("no room for the names of Dovecot's sockets: take a path of at most 50 bytes, not %s", work)
	}
	dir, err := os.MkdirTemp(work, "bench-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711)
}

// image is a file that holds a file system of its own: an ordinary journaled ext4,
// whatever it lies on.
type image struct{ file, dir string }

// mountImage makes an image beside dir and mounts it there.
func mountImage(ctx context.Context, dir, size string) (*image, error) {
	if os.Getuid() != 0 {
		return nil, errors.New("-image: only root can mount one")
	}
	i := &image{file: dir + ".img", dir: dir}
	for _, command := range [][]string{
		{"truncate", "-s", size, i.file},
		{"mkfs.ext4", "-q", "-F", "-i", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0", i.file},
		{"mount", "-o", "loop", i.file, dir},
	} {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
		if path, err := exec.LookPath("/usr/sbin/" + command[0]); err == nil {
			cmd.Path, cmd.Err = path, nil
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, errors.Join(fmt.Errorf("-image: %v: %w\n%s", command, err, out), os.Remove(i.file))
		}
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		return nil, errors.Join(err, i.close())
	}
	return i, nil
}

// close unmounts and removes the image. Programs that were just killed may hold it
// for a moment.
func (i *image) close() error {
	var err error
	for range 50 {
		if err = syscall.Unmount(i.dir, 0); !errors.Is(err, syscall.EBUSY) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("unmount %s (then remove %s): %w", i.dir, i.file, err)
	}
	return os.Remove(i.file)
}

// doubts tells what makes numbers from a disk worth less; "" when there is nothing.
func doubts(dir string) string {
	const tmpfs, ext4 = 0x01021994, 0xEF53
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return ""
	}
	switch fs.Type {
	case tmpfs:
		return dir + " is on tmpfs, which hides what it costs to make mail durable"
	case ext4:
		if !journaled(dir) {
			return dir + " is on an ext4 without a journal, where creating a file after many were removed takes 30 times as long: use -image"
		}
	}
	return ""
}

// journaled tells whether an ext4 has a journal: then a thread of the kernel writes
// it, which has an entry in /proc.
func journaled(dir string) bool {
	var stat syscall.Stat_t
	if err := syscall.Stat(dir, &stat); err != nil {
		return true
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return true
	}
	number := fmt.Sprintf("%d:%d", stat.Dev>>8&0xfff, stat.Dev&0xff|stat.Dev>>12&0xfff00)
	for lines := bufio.NewScanner(bytes.NewReader(mounts)); lines.Scan(); {
		// ID parent major:minor root mountpoint options ... - type source options
		left, right, _ := strings.Cut(lines.Text(), " - ")
		before, after := strings.Fields(left), strings.Fields(right)
		if len(before) < 3 || len(after) < 2 || before[2] != number {
			continue
		}
		found, err := filepath.Glob("/proc/fs/jbd2/" + filepath.Base(after[1]) + "-*")
		return err != nil || len(found) > 0
	}
	return true
}
