package maildir

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// Two files with the same key are one message: the key is unique, and a file
// that is being renamed can be seen under both names. Where two really are
// there, they are either one file with two names, left by a rename that was cut
// short, or somebody's copy. The driver keeps one of them in step. It removes
// both if they are equal, and refuses to remove either if they differ: it cannot
// tell which one is meant.

// settleDoubles leaves one entry of those with the same key. It changes entries.
func (s *Store) settleDoubles(f *folder, entries []entry) listing {
	l := listing{entries: entries[:0]}
	for i := 0; i < len(entries); {
		j := i + 1
		for j < len(entries) && entries[j].key() == entries[i].key() {
			j++
		}
		best := entries[j-1]
		if j-i > 1 {
			var there []entry
			if best, there = s.pick(f, entries[i:j]); len(there) > 1 {
				if l.doubles == nil {
					l.doubles = map[string][]entry{}
				}
				l.doubles[best.key()] = there
			}
		}
		l.entries = append(l.entries, best)
		i = j
	}
	return l
}

// pick returns the entry to go by, which is the last one that is there, and all
// that are there.
func (s *Store) pick(f *folder, doubles []entry) (best entry, there []entry) {
	best = doubles[len(doubles)-1]
	for _, e := range doubles {
		if _, err := os.Lstat(f.path(e)); err == nil {
			best = e
			there = append(there, e)
		}
	}
	return best, there
}

// others returns the further files of a message. equal reports whether all of
// them hold the same as the one to go by.
func (s *Store) others(f *folder, e entry) (others []entry, equal bool, err error) {
	f.mu.Lock()
	s.sortOut(f)
	doubles, dropped := f.doubles[e.key()], f.index == nil && f.ends == nil
	var list []end
	if f.ends != nil {
		list = f.ends.list
	}
	f.mu.Unlock()
	if dropped { // since e came from it: the folder is to be read again
		return nil, false, &os.PathError{Op: "look for doubles of", Path: f.path(e), Err: os.ErrNotExist}
	}
	if list != nil {
		doubles = s.under(f, e.key(), list)
	}
	equal = true
	for _, o := range doubles {
		if o == e {
			continue
		}
		same, err := sameContent(f.path(e), f.path(o))
		if missing(err) {
			continue // it was a rename after all
		}
		if err != nil {
			return nil, false, err
		}
		others, equal = append(others, o), equal && same
	}
	return others, equal, nil
}

func sameContent(a, b string) (bool, error) {
	x, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer x.Close()
	y, err := os.Open(b)
	if err != nil {
		return false, err
	}
	defer y.Close()
	ix, err := x.Stat()
	if err != nil {
		return false, err
	}
	iy, err := y.Stat()
	if err != nil {
		return false, err
	}
	if os.SameFile(ix, iy) {
		return true, nil
	}
	bx, by := make([]byte, 64<<10), make([]byte, 64<<10)
	for ix.Size() == iy.Size() {
		n, errx := io.ReadFull(x, bx)
		m, erry := io.ReadFull(y, by)
		if !bytes.Equal(bx[:n], by[:m]) {
			return false, nil
		}
		if ended(errx) || ended(erry) {
			return ended(errx) && ended(erry), nil
		}
		if err := errors.Join(errx, erry); err != nil {
			return false, err
		}
	}
	return false, nil
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
