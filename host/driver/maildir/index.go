package maildir

import (
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/mail"
)

// An index is what a folder's last reading found, kept to find files by key. It may be
// wrong at any time: who uses it must be prepared that a file is not there. It has one of
// two forms: the names, or only what follows the keys in them, which is little, however
// many files there are: then a file is looked for under each of those.

// lookup returns the file of a message, as far as the index knows, and which
// reading the index is from.
func (s *Store) lookup(f *folder, key mail.Key) (e entry, reading int, ok bool) {
	f.mu.Lock()
	reading = f.reading
	if f.ends != nil {
		list := f.ends.list
		f.mu.Unlock()
		there := s.under(f, string(key), list)
		if len(there) == 0 {
			return entry{}, reading, false
		}
		return there[len(there)-1], reading, true
	}
	defer f.mu.Unlock()
	s.sortOut(f)
	i, ok := findEntry(f.index, key)
	if !ok || f.index[i].gone {
		return entry{}, reading, false
	}
	return f.index[i], reading, true
}

// under returns the files that a message has with one of these ends, the one to go by
// last. Where there is none, those count of which the system does not say that they are
// not there.
func (s *Store) under(f *folder, key string, ends []end) (there []entry) {
	if key == "" || key[0] == '.' || strings.ContainsAny(key, "/\x00") || cutKey(key, s.opts.InfoSeparator[0]) != key {
		return nil // no file that was read has such a key
	}
	var doubtful []entry
	for _, one := range ends {
		e := entry{name: key + one.text, cut: uint16(len(key)), new: one.new}
		switch is, err := isThere(f.path(e)); {
		case is:
			there = append(there, e)
		case err != nil:
			doubtful = append(doubtful, e)
		}
	}
	if len(there) == 0 {
		there = doubtful
	}
	slices.SortFunc(there, byKey)
	return there
}

// forget drops the index. f.mu is held.
func (f *folder) forget() {
	f.index, f.doubles, f.ends, f.raw = nil, nil, nil, false
	f.reading++
}

// sortOut makes the index of a reading of which nobody needed one. f.mu is held.
func (s *Store) sortOut(f *folder) {
	if f.raw {
		l := s.settleDoubles(f, (&names{entries: f.index}).sorted())
		f.index, f.doubles, f.raw = l.entries, l.doubles, false
	}
}

// note puts what the driver itself has done to a message into the index.
func (f *folder) note(e entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ends != nil {
		if !e.gone && !f.ends.have(e) {
			more := f.ends.with(ends{list: []end{{e.name[e.cut:], e.new}}}) // others are looking under those
			f.used |= letterBits(e.name[e.cut:])
			if f.ends = &more; more.many {
				f.forget()
			}
		}
		return
	}
	if i, ok := findEntry(f.index, mail.Key(e.key())); ok && !f.raw {
		f.index[i] = e
	}
}

// keep remembers a listing as the folder's index: its names, where they are there and
// not too many.
func (s *Store) keep(f *folder, l listing) listing {
	f.mu.Lock()
	f.forget()
	size := 0
	switch {
	case !l.ends.many && (l.cut || len(l.entries) > s.mostNames):
		list := l.ends
		f.ends, l.byEnds = &list, true
	case l.cut: // neither form: the next one who needs it reads the folder
	default:
		// The caller's entries stay as they are; the index is changed in place.
		size = len(l.entries)
		f.index, f.doubles, f.raw = slices.Clone(l.entries), l.doubles, l.same
	}
	f.used = l.ends.letters
	if l.reading = f.reading; l.same {
		l.entries = nil
	}
	f.mu.Unlock()
	s.limit(f, size)
	return l
}

// mostNames is how many names are kept of one folder, where what follows the keys does
// as well.
const mostNames = 50_000

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

// end is what follows the key in the names of files: flags, mostly.
type end struct {
	text string
	new  bool // in new/, else in cur/
}

// ends are those of a folder: the combinations of flags that occur in it.
type ends struct {
	list    []end
	letters uint32 // the letters a to z in all of them, as bits
	many    bool   // there are more than are worth looking under
}

// mostEnds is under how many ends a file is looked for: one costs a microsecond.
const mostEnds = 64

// have reports whether the end of a file is among them.
func (es *ends) have(e entry) bool {
	return slices.Contains(es.list, end{e.name[e.cut:], e.new})
}

// add adds the end of a file.
func (es *ends) add(e entry) {
	text := e.name[e.cut:]
	for i, one := range es.list {
		if one.text == text && one.new == e.new {
			if i > 0 { // what is common is to be found early
				es.list[i], es.list[i-1] = es.list[i-1], one
			}
			return
		}
	}
	es.letters |= letterBits(text)
	if es.many {
		return
	}
	// Some file systems take one for the other where only the case differs.
	folded := func(one end) bool { return one.new == e.new && strings.EqualFold(one.text, text) }
	if es.many = len(es.list) == mostEnds || slices.ContainsFunc(es.list, folded); !es.many {
		es.list = append(es.list, end{strings.Clone(text), e.new})
	}
}

// with returns the ends of two readings.
func (es *ends) with(other ends) ends {
	out := ends{list: slices.Clone(es.list), letters: es.letters | other.letters, many: es.many || other.many}
	for _, one := range other.list {
		out.add(entry{name: one.text, new: one.new})
	}
	return out
}
