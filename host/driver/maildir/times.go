package maildir

import (
	"strconv"

	"github.com/imapfw/imapfw/host/mail"
)

// times are when the two directories of a folder last changed, and its table of
// keywords: Dovecot may name files by it before it writes it.
type times struct{ new, cur, words dirTime }

func (f *folder) times() (times, error) {
	var t times
	var err error
	if t.new, err = statDir(f.dir + "/new"); err != nil {
		return t, err
	}
	if t.cur, err = statDir(f.dir + "/cur"); err != nil {
		return t, err
	}
	t.words, err = statDir(f.dir + "/" + wordsFile)
	return t, err
}

// settled reports whether a change at the time now or later is sure to show.
func (t times) settled(now int64) bool {
	return t.new.settled(now) && t.cur.settled(now) && t.words.settled(now)
}

// cursor says where a folder stands: with the same cursor it is the same. While
// it may still change without showing it, its cursor is equal to no other, its
// own next one included. (Git calls this a racy entry of its index.)
func (s *Store) cursor(t times, now int64, settled bool) mail.Cursor {
	c := "2"
	for _, n := range []int64{t.new.mtime, t.new.ctime, t.cur.mtime, t.cur.ctime, t.words.mtime, t.words.ctime} {
		c += " " + strconv.FormatInt(n, 36)
	}
	if !settled {
		c += " moving " + s.keys.process + " " + strconv.FormatInt(now, 36) + " " + strconv.FormatUint(s.keys.serial.Add(1), 36)
	}
	return mail.Cursor(c)
}
