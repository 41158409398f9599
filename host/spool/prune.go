package spool

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// Prune removes the runs that ended before a moment, and then the oldest ones until
// what is left and need octets more take at most size. Where need is less than none,
// nothing more is to be kept, and sizes do not matter.
func (s *Spool) Prune(before time.Time, size, need int64) error {
	runs, err := s.runs()
	if err != nil {
		return err
	}
	total := max(need, 0)
	if need >= 0 {
		if err := s.measure(runs); err != nil {
			return err
		}
		for _, r := range runs {
			total += r.size
		}
	}
	for _, r := range runs {
		if r.last.After(before) && (total <= size || need < 0) {
			continue
		}
		if err := os.RemoveAll(r.path); err != nil {
			return s.fault("forget what is kept for undo", err)
		}
		total -= r.size
	}
	return nil
}

// kept is what is kept of one run.
type kept struct {
	id   int64
	path string
	size int64
	// last is when the last message came. It is the time of the folder: a message
	// that was linked has the time it had in its mailbox.
	last time.Time
}

// runs returns what is kept, the oldest run first and without its size. What is not
// ours is left alone.
func (s *Spool) runs() ([]kept, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, s.fault("look at what is kept for undo", err)
	}
	var out []kept
	for _, e := range entries {
		id, err := strconv.ParseInt(e.Name(), 10, 64)
		if err != nil || !e.IsDir() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // it went meanwhile
		}
		out = append(out, kept{id: id, path: filepath.Join(s.dir, e.Name()), last: info.ModTime()})
	}
	slices.SortFunc(out, func(a, b kept) int { return cmp.Compare(a.id, b.id) })
	return out, nil
}
