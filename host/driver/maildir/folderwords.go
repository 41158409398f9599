package maildir

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// wordsFile is Dovecot's table of a folder's keywords.
const wordsFile = "dovecot-keywords"

// readWords returns what the letters mean in a folder.
func (s *Store) readWords(f *folder) (table, error) {
	if s.opts.NoKeywords {
		return table{}, nil
	}
	if len(s.opts.Letters) > 0 {
		return fixedTable(s.opts.Letters), nil
	}
	own, _, err := readTable(filepath.Join(f.dir, wordsFile))
	if err != nil {
		return table{}, err
	}
	all, err := s.words.read()
	return own.under(all), err
}

// giveLetters returns what the letters mean in a folder once it has letters for
// the given keywords, as far as there are any left. The tables are durable
// before the first file is named by them.
func (s *Store) giveLetters(ctx context.Context, f *folder, words []string) (table, error) {
	words = withoutPassed(words)
	effective, err := s.readWords(f)
	if err != nil || len(words) == 0 || s.opts.NoKeywords || len(s.opts.Letters) > 0 {
		return effective, err
	}
	s.words.mu.Lock()
	defer s.words.mu.Unlock()
	if own, _, err := readTable(filepath.Join(f.dir, wordsFile)); err != nil || own.holds(words) {
		return effective, err
	}
	all, err := s.words.read()
	if err != nil {
		return table{}, err
	}
	used, err := s.unexplained(ctx, &all)
	if err != nil {
		return table{}, err
	}
	unlock, err := lockWords(f.dir)
	if err != nil {
		return table{}, err
	}
	defer unlock()
	own, rest, err := readTable(filepath.Join(f.dir, wordsFile)) // again, now that nobody writes it
	if err != nil {
		return table{}, err
	}
	before, beforeAll := own, all
	for _, word := range words {
		give(word, &own, &all, used|f.usedLetters())
	}
	if all != beforeAll {
		if err := s.words.write(all); err != nil {
			return table{}, err
		}
	}
	if own != before {
		if err := s.writeWords(f.dir, own.format(rest)); err != nil {
			return table{}, err
		}
	}
	return own.under(all), nil
}

func withoutPassed(words []string) []string {
	var out []string
	for _, word := range words {
		if !strings.EqualFold(word, passedKeyword) {
			out = append(out, word)
		}
	}
	return out
}

func (t *table) holds(words []string) bool {
	for _, word := range words {
		if _, ok := t.letter(word); !ok {
			return false
		}
	}
	return true
}

// unexplained returns the letters in file names, of any folder, that neither the
// folder's table nor the account's explains. Another program knows what they
// mean: given to a keyword, they would put it on messages that never had it. It
// reads names only, and is asked when a letter is to be given: 26 times at most
// in the life of a Maildir.
func (s *Store) unexplained(ctx context.Context, all *table) (uint32, error) {
	if all.full() {
		return 0, nil
	}
	if s.words.looked {
		return s.words.odd, nil
	}
	list, err := s.layout.folders(ctx, s.opts.Timing)
	if err != nil {
		return 0, err
	}
	var odd uint32
	for _, one := range list {
		own, _, err := readTable(filepath.Join(one.dir, wordsFile))
		if err != nil {
			return 0, err
		}
		known := own.bits()
		for _, sub := range []string{"/new", "/cur"} {
			err := readNames(ctx, one.dir+sub, func(some []string) {
				for _, name := range some {
					odd |= letterBits(name[len(cutKey(name, s.opts.InfoSeparator[0])):]) &^ known
				}
			})
			if err != nil {
				return 0, err
			}
		}
	}
	s.words.odd, s.words.looked = odd, true
	return odd, nil
}

// give finds a letter for a keyword in a folder's table: the account's letter
// for it, if the folder does not use it for something else. used are letters
// that are in file names already; they are not given to anything new.
func give(word string, own, all *table, used uint32) {
	if _, ok := own.letter(word); ok {
		return
	}
	at, known := all.letter(word)
	if known && own[at] == "" {
		own[at] = word
		return
	}
	for i := range own {
		if own[i] != "" || all[i] != "" || used&(1<<i) != 0 {
			continue
		}
		if own[i] = word; !known {
			all[i] = word
		}
		return
	}
}

// writeWords replaces a folder's table. The lock's file becomes the table, as
// Dovecot does it.
func (s *Store) writeWords(dir, text string) error {
	lock := filepath.Join(dir, wordsFile+".lock")
	f, err := os.OpenFile(lock, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = s.disk.File(f)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(lock, filepath.Join(dir, wordsFile))
	}
	if err == nil {
		err = s.disk.Dirs(dir)
	}
	return err
}

// How long a lock of Dovecot's is waited for, and when it is taken for left over.
const (
	wordsPatience = 2 * time.Second
	wordsStale    = time.Minute
)

// lockWords takes the lock under which Dovecot writes the table.
func lockWords(dir string) (unlock func(), err error) {
	lock := filepath.Join(dir, wordsFile+".lock")
	for end := time.Now().Add(wordsPatience); ; time.Sleep(20 * time.Millisecond) {
		f, err := os.OpenFile(lock, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			// Removing a lock that has become the table does nothing.
			return func() { _ = os.Remove(lock) }, f.Close()
		}
		if !os.IsExist(err) {
			return nil, err
		}
		if info, serr := os.Stat(lock); serr == nil && time.Since(info.ModTime()) > wordsStale {
			_ = os.Remove(lock)
		} else if time.Now().After(end) {
			return nil, fault.New(fault.Busy, "write keywords", "%s is locked", filepath.Join(dir, wordsFile)).AsTemporary()
		}
	}
}

// wordReader turns letters into flags. It reads the table only when a letter
// turns up that needs it, and remembers what it has seen.
type wordReader struct {
	load  func() (table, error) // nil when words is loaded
	words table
	known map[string]mail.Flags
}

func (s *Store) wordReader(f *folder) *wordReader {
	return &wordReader{load: func() (table, error) { return s.readWords(f) }, known: map[string]mail.Flags{}}
}

func (w *wordReader) flags(letters string) (mail.Flags, error) {
	if letters == "" {
		return mail.Flags{}, nil
	}
	if flags, ok := w.known[letters]; ok {
		return flags, nil
	}
	if w.load != nil && strings.ContainsAny(letters, "abcdefghijklmnopqrstuvwxyz") {
		words, err := w.load()
		if err != nil {
			return mail.Flags{}, err
		}
		w.words, w.load = words, nil
	}
	flags := w.words.flagsOf(letters)
	w.known[letters] = flags
	return flags, nil
}
