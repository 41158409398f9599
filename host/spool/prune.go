package spool

import (
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

// Prune removes the runs that ended before a moment, and then the oldest ones
// until what is left and need octets more take at most size.
func (s *Spool) Prune(before time.Time, size, need int64) error {
	runs, err := s.runs()
	if err != nil {
		return err
	}
	total := need
	for _, r := range runs {
		total += r.size
	}
	for _, r := range runs {
		if r.newest.After(before) && total <= size {
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
	id     int64
	path   string
	size   int64
	newest time.Time
}

// runs returns what is kept, the oldest run first. What is not ours is left
// alone.
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
		r := kept{id: id, path: filepath.Join(s.dir, e.Name())}
		files, err := os.ReadDir(r.path)
		if err != nil {
			return nil, s.fault("look at what is kept for undo", err)
		}
		for _, f := range files {
			info, err := f.Info()
			if err != nil {
				continue // it went meanwhile
			}
			r.size += info.Size()
			if info.ModTime().After(r.newest) {
				r.newest = info.ModTime()
			}
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b kept) int { return int(a.id - b.id) })
	return out, nil
}
