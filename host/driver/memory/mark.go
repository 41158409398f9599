package memory

import (
	"crypto/sha256"

	"github.com/imapfw/imapfw/host/mail"
)

// markOf is what a message adds to the mark of its folder, where the store is like
// a Maildir: there the name of its file.
func (s *Store) markOf(m *message) mail.Mark {
	if !s.opts.Maildir {
		return mail.Mark{}
	}
	return nameMark(m)
}

func nameMark(m *message) mail.Mark {
	sum := sha256.Sum256([]byte(string(m.key) + ":" + m.flags.String()))
	return mail.NewMark([16]byte(sum[:16]))
}

// mark is that of a folder.
func (f *folder) mark() (sum mail.Mark) {
	for _, m := range f.messages {
		sum = sum.Plus(nameMark(m))
	}
	return sum
}
