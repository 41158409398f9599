package maildir

import (
	"crypto/sha256"

	"github.com/imapfw/imapfw/host/mail"
)

// The mark of a folder is the sum over the names of its files. What flags the
// letters in them mean is the matter of tables, whose digest is kept with it.

func markOf(name string) mail.Mark {
	sum := sha256.Sum256([]byte(name))
	return mail.NewMark([16]byte(sum[:16]))
}

// renamed is what the renaming of a file adds to the mark of its folder.
func renamed(from, to string) mail.Mark { return markOf(to).Minus(markOf(from)) }

// removed is what the removal of files adds to the mark of their folder.
func removed(files ...entry) (m mail.Mark) {
	for _, e := range files {
		m = m.Minus(markOf(e.name))
	}
	return m
}

// tables returns the mark of what the letters in a folder's file names mean.
func (s *Store) tables(f *folder) (mail.Mark, error) {
	words, err := s.readWords(f)
	if err != nil {
		return mail.Mark{}, err
	}
	text := words.format(nil)
	if text == "" {
		return mail.Mark{}, nil
	}
	return markOf(text), nil
}
