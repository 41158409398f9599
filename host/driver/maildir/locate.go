package maildir

import (
	"context"
	"math"
	"slices"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// locator finds the files of messages during one call. It goes by the folder's
// index, and reads the folder again when that turns out to be wrong: not for
// each message, since one reading tells about all of them.
type locator struct {
	store *Store
	f     *folder
	op    string
	ref   mail.Ref
	// owns reports that the caller holds f.renames.
	owns bool
	// wanted are the keys that this call asks for.
	wanted mail.KeySet
	// sure is the number of a reading of this call that is to be believed: what
	// is not in it is gone. 0 when there was none.
	sure int
	// seen are the files of wanted keys in such a reading of a folder with very many,
	// whose index has no names; nil when there was none.
	seen []entry
	// How often the folder may still be read, hastily and with care. They bound
	// the work on a folder that another program renames without end.
	glances, scans int
}

func (s *Store) locator(op string, f *folder, wanted mail.KeySet, owns bool) *locator {
	return &locator{store: s, f: f, op: op, ref: mail.Ref{Name: f.name, Epoch: f.epochNow()}, wanted: wanted, owns: owns,
		glances: 50, scans: 5}
}

// do calls fn with the file of a message. When fn says that the file is not
// there, the message is looked for again. It returns false when the message is
// gone for sure.
func (l *locator) do(ctx context.Context, key mail.Key, fn func(entry) error) (bool, error) {
	var tried entry
	for {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		e, reading, known := l.store.lookup(l.f, key)
		if !known && l.seen != nil {
			// It may have got an end since then that no file had.
			i, found := findEntry(l.seen, key)
			if !found {
				return false, nil
			}
			e, known = l.seen[i], true
		}
		if known {
			if err := fn(e); !missing(err) {
				return true, err
			}
		} else if l.sure != 0 && l.sure == reading {
			return false, nil
		}
		// One hasty reading finds a file that was renamed. That it is not
		// there, only a careful one can tell.
		read := l.scan
		if known && e != tried && l.glances > 0 {
			read = l.glance
		}
		tried = e
		if err := read(ctx); err != nil {
			return false, err
		}
	}
}

func (l *locator) glance(ctx context.Context) error {
	l.glances--
	l.seen = nil
	defer l.share()()
	raw, err := l.store.readFolder(ctx, l.f, l.store.mostNames, &l.wanted)
	if err != nil {
		return err
	}
	l.f.mu.Lock()
	l.store.sortOut(l.f)
	known, knownEnds, used := l.f.index, l.f.ends, l.f.used
	l.f.mu.Unlock()
	found := listing{ends: raw.ends, cut: raw.cut}
	if knownEnds != nil {
		found.ends, found.cut = knownEnds.with(raw.ends), true
	}
	found.ends.letters |= used
	if raw.cut && found.ends.many { // only names help
		if raw, err = l.store.readFolder(ctx, l.f, math.MaxInt, nil); err != nil {
			return err
		}
	}
	if found.cut = found.cut && !found.ends.many; !found.cut {
		list := l.store.settleDoubles(l.f, raw.sorted())
		found.entries, found.doubles = union(list.entries, known), list.doubles
	}
	l.store.keep(l.f, found)
	return nil
}

func (l *locator) scan(ctx context.Context) error {
	if l.scans == 0 {
		return fault.New(fault.Busy, l.op, "another program keeps renaming the files").InFolder(l.f.name).AsTemporary()
	}
	l.scans--
	l.seen = nil
	defer l.share()()
	list, err := l.store.scan(ctx, l.f, looked{wanted: &l.wanted})
	if err == nil { // a folder that went away meanwhile reads like an empty one
		_, _, err = l.store.lookUp(l.op, l.ref)
	}
	if l.sure = 0; err == nil && !list.unsure {
		if l.sure = list.reading; list.byEnds {
			l.sure, l.seen = 0, slices.DeleteFunc(append([]entry{}, list.entries...), l.unwanted)
		}
	}
	return err
}

func (l *locator) unwanted(e entry) bool { return !l.wanted.Contains(mail.Key(e.key())) }

// share takes f.renames for a reading, unless the caller has it.
func (l *locator) share() (release func()) {
	if l.owns {
		return func() {}
	}
	l.f.renames.RLock()
	return l.f.renames.RUnlock
}
