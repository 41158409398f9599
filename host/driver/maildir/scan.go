package maildir

import (
	"context"
	"errors"
	"io"
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
	cursor  mail.Cursor
	unsure  bool // what is missing may be there
	same    bool // as the cursor says that was given: entries are left out
	reading int  // its number
}

// scan reads a folder, and tells whether it is as since says. The caller holds
// f.renames, shared or not.
func (s *Store) scan(ctx context.Context, f *folder, since mail.Cursor) (listing, error) {
	var sum listing     // of the readings so far
	var first mail.Mark // of the reading before, when the times were those of then
	var then times
	stood := false // there was such a reading; it may have found nothing
	for try := range len(scanPauses) {
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
		raw, err := s.readFolder(ctx, f)
		if err != nil {
			return listing{}, err
		}
		after, err := f.times()
		if err != nil {
			return listing{}, err
		}
		still := before == after
		if still && (before.settled(now) || stood && then == before && first == raw.mark) {
			return s.believe(f, raw, s.cursor(before, now, before.settled(now)), since)
		}
		if stood = still; stood {
			first, then = raw.mark, before
		}
		l := s.settleDoubles(f, raw.sorted())
		sum = listing{entries: union(l.entries, sum.entries), doubles: l.doubles, unsure: true, cursor: s.cursor(before, now, false)}
	}
	return s.keep(f, sum), nil
}

// believe makes a listing of a reading that is good.
func (s *Store) believe(f *folder, raw names, place, since mail.Cursor) (listing, error) {
	letters, err := s.tables(f)
	if err != nil {
		return listing{}, err
	}
	mark := raw.mark.Plus(letters)
	if was, marked := since.Mark(); marked && was == mark {
		return s.keepRaw(f, raw, listing{cursor: place.Marked(mark), same: true}), nil
	}
	l := s.settleDoubles(f, raw.sorted())
	l.cursor = place.Marked(mark)
	return s.keep(f, l), nil
}

// names is what one reading of a folder finds.
type names struct {
	entries []entry // in no order
	mark    mail.Mark
}

// sorted orders the entries, and returns them.
func (r names) sorted() []entry {
	slices.SortFunc(r.entries, byKey)
	return r.entries
}

// readFolder reads both directories once. new/ comes first: what is moved to cur/
// meanwhile is then found twice rather than never.
func (s *Store) readFolder(ctx context.Context, f *folder) (names, error) {
	var out names
	for _, sub := range []string{"/new", "/cur"} {
		s.opts.Timing.Count(timing.Directories, 1)
		list, err := readNames(ctx, f.dir+sub)
		if err != nil {
			return names{}, err
		}
		out.entries = slices.Grow(out.entries, len(list))
		for _, name := range list {
			if name[0] != '.' {
				out.entries = append(out.entries, newEntry(name, sub == "/new", s.opts.InfoSeparator[0]))
				out.mark = out.mark.Plus(markOf(name))
			}
		}
	}
	return out, nil
}

// readNames returns the names in a directory, in no order; none when it is not
// there.
func readNames(ctx context.Context, dir string) ([]string, error) {
	d, err := os.Open(dir)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var names []string
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		some, err := d.Readdirnames(8192)
		names = append(names, some...)
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, err
		}
	}
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
