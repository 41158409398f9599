package maildir

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/timing"
)

// Reading a directory is not atomic. A file that is renamed meanwhile may be
// listed under both names, or under none. Under both is easy: the key is the
// same. Under none looks like a message that is gone, and must never be taken
// for that: somebody would remove its copy on the other side.
//
// So a reading is believed when the directories' times show that nothing was
// renamed while it lasted. They show it when they are the same before and after
// and older than the clock's grain (a change within the same tick of the clock
// leaves the same time); or, when they are the same but too young for that, when
// a second reading at once finds the very same names. A folder that does not
// stand still even so gives the sum of what all readings found, and is reported
// as unsure.

// scanPauses are waited before each reading. The second follows at once: it is
// the one that most folders need which were written to a moment ago.
var scanPauses = [...]time.Duration{0, 0, 25 * time.Millisecond, 60 * time.Millisecond, 150 * time.Millisecond}

// listing is what a folder holds.
type listing struct {
	entries []entry            // ordered by key, one for each message
	doubles map[string][]entry // all files of a message that has several
	ends    ends
	cursor  mail.Cursor
	unsure  bool // what is missing may be there
	same    bool // as the cursor says that was given: entries are left out
	cut     bool // of the entries there are only those that were wanted
	byEnds  bool // it was kept without names
	reading int  // its number
}

// looked says what a reading is made for.
type looked struct {
	// since leaves out the names of a folder that is as it says.
	since mail.Cursor
	// wanted leaves out all others of a folder with very many; nil: all are wanted.
	wanted *mail.KeySet
}

// scan reads a folder. The caller holds f.renames, shared or not.
func (s *Store) scan(ctx context.Context, f *folder, what looked) (listing, error) {
	var sum listing     // of the readings so far
	var first mail.Mark // of the reading before, when the times were those of then
	var then times
	stood := false // there was such a reading; it may have found nothing
	_, marked := what.since.Mark()
	most := math.MaxInt
	if marked || what.wanted != nil {
		most = s.mostNames
	}
	for try := 0; try < len(scanPauses); try++ {
		if err := pause(ctx, scanPauses[try]); err != nil {
			return listing{}, err
		}
		before, err := f.times()
		if err != nil {
			return listing{}, err
		}
		now, err := s.lock.now()
		if err != nil {
			return listing{}, err
		}
		raw, err := s.readFolder(ctx, f, most, what.wanted)
		if err != nil {
			return listing{}, err
		}
		after, err := f.times()
		if err != nil {
			return listing{}, err
		}
		still := before == after
		if still && (before.settled(now) || stood && then == before && first == raw.mark) {
			l, err := s.believe(f, raw, s.cursor(before, now, before.settled(now)), what)
			if err != nil || l.same || !raw.short(what) {
				return l, err
			}
		}
		if stood = still; stood {
			first, then = raw.mark, before
		}
		if raw.short(what) {
			most = math.MaxInt
			try--
			continue
		}
		l := s.settleDoubles(f, raw.sorted())
		sum = listing{entries: union(l.entries, sum.entries), doubles: l.doubles, ends: sum.ends.with(raw.ends),
			cut: sum.cut || raw.cut, unsure: true, cursor: s.cursor(before, now, false)}
	}
	return s.keep(f, sum), nil
}

// believe makes a listing of a reading that is good.
func (s *Store) believe(f *folder, raw names, place mail.Cursor, what looked) (listing, error) {
	letters, err := s.tables(f)
	if err != nil {
		return listing{}, err
	}
	mark := raw.mark.Plus(letters)
	if was, marked := what.since.Mark(); marked && was == mark {
		return s.keep(f, listing{entries: raw.entries, cursor: place.Marked(mark), ends: raw.ends, cut: raw.cut, same: true}), nil
	}
	if raw.short(what) {
		return listing{}, nil
	}
	l := s.settleDoubles(f, raw.sorted())
	l.cursor, l.ends, l.cut = place.Marked(mark), raw.ends, raw.cut
	return s.keep(f, l), nil
}

// names is what one reading of a folder finds.
type names struct {
	entries []entry // in no order
	ends    ends
	mark    mail.Mark
	cut     bool // only those that were wanted are among the entries
}

// short reports whether names are missing that are needed.
func (r *names) short(what looked) bool { return r.cut && (what.wanted == nil || r.ends.many) }

// sorted orders the entries, and returns them.
func (r *names) sorted() []entry {
	slices.SortFunc(r.entries, byKey)
	return r.entries
}

// readFolder reads both directories once. new/ comes first: what is moved to cur/
// meanwhile is then found twice rather than never. Where there are more than most
// names, only those of wanted keys are returned, of nil none.
func (s *Store) readFolder(ctx context.Context, f *folder, most int, wanted *mail.KeySet) (names, error) {
	var out names
	unwanted := func(e entry) bool { return wanted == nil || !wanted.Contains(mail.Key(e.key())) }
	for _, sub := range []string{"/new", "/cur"} {
		s.opts.Timing.Count(timing.Directories, 1)
		err := readNames(ctx, f.dir+sub, func(list []string) {
			for _, name := range list {
				if name[0] == '.' {
					continue
				}
				e := newEntry(name, sub == "/new", s.opts.InfoSeparator[0])
				out.ends.add(e)
				out.mark = out.mark.Plus(markOf(name))
				if out.cut && unwanted(e) {
					continue
				}
				out.entries = append(out.entries, e)
				if !out.cut && len(out.entries) > most {
					out.cut, out.entries = true, slices.Clone(slices.DeleteFunc(out.entries, unwanted))
				}
			}
		})
		if err != nil {
			return names{}, err
		}
	}
	return out, nil
}

// readNames hands out the names in a directory, in no order; none when it is not
// there.
func readNames(ctx context.Context, dir string, fn func([]string)) error {
	d, err := os.Open(dir)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer d.Close()
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		some, err := d.Readdirnames(8192)
		fn(some)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// allNames returns the names in a directory, in no order.
func allNames(ctx context.Context, dir string) (names []string, err error) {
	err = readNames(ctx, dir, func(some []string) { names = append(names, some...) })
	return names, err
}

func pause(ctx context.Context, d time.Duration) error {
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
