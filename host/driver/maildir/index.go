package maildir

import (
	"slices"

	"github.com/imapfw/imapfw/host/mail"
)

// An index is a folder's last reading, kept to find files by key. It may be
// wrong at any time: who uses it must be prepared that a file is not there.

// lookup returns the file of a message, as far as the index knows, and which
// reading the index is from.
func (s *Store) lookup(f *folder, key mail.Key) (e entry, reading int, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s.sortOut(f)
	i, ok := findEntry(f.index, key)
	if !ok || f.index[i].gone {
		return entry{}, f.reading, false
	}
	return f.index[i], f.reading, true
}

// forget drops the index. f.mu is held.
func (f *folder) forget() {
	f.index, f.doubles, f.raw = nil, nil, nil
	f.reading++
}

// note puts what the driver itself has done to a message into the index.
func (f *folder) note(e entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i, ok := findEntry(f.index, mail.Key(e.key())); ok {
		f.index[i] = e
	}
}

// sortOut makes the index of a reading of which nobody needed one. f.mu is held.
func (s *Store) sortOut(f *folder) {
	if f.raw == nil {
		return
	}
	l := s.settleDoubles(f, names{entries: f.raw}.sorted())
	f.index, f.doubles, f.raw = l.entries, l.doubles, nil
	f.used = lettersIn(l.entries)
}

func lettersIn(list []entry) (used uint32) {
	for _, e := range list {
		used |= letterBits(e.name[e.cut:])
	}
	return used
}

// keepRaw remembers a reading of which nobody may need the index.
func (s *Store) keepRaw(f *folder, raw names, l listing) listing {
	f.mu.Lock()
	f.forget()
	f.raw, f.used = raw.entries, 0
	l.reading = f.reading
	f.mu.Unlock()
	s.limit(f, len(raw.entries))
	return l
}

// keep remembers a listing as the folder's index.
func (s *Store) keep(f *folder, l listing) listing {
	used := lettersIn(l.entries)
	f.mu.Lock()
	// The caller's entries stay as they are; the index is changed in place.
	f.forget()
	f.index, f.doubles, f.used = slices.Clone(l.entries), l.doubles, used
	l.reading = f.reading
	f.mu.Unlock()
	s.limit(f, len(l.entries))
	return l
}

// maxIndexed is how many messages all indexes together hold, but for the one
// that was read last.
const maxIndexed = 300_000

// limit drops the indexes that were not used for longest.
func (s *Store) limit(latest *folder, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.indexed = slices.DeleteFunc(s.indexed, func(i indexed) bool { return i.f == latest })
	s.indexed = append(s.indexed, indexed{latest, size})
	sum := 0
	for i := len(s.indexed) - 1; i >= 0; i-- {
		if sum += s.indexed[i].size; sum <= maxIndexed || s.indexed[i].f == latest {
			continue
		}
		f := s.indexed[i].f
		f.mu.Lock()
		f.forget()
		f.mu.Unlock()
		s.indexed = slices.Delete(s.indexed, i, i+1)
	}
}

// indexed is a folder that has an index, and the size of that.
type indexed struct {
	f    *folder
	size int
}
