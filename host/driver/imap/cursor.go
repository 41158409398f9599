package imap

import (
	"fmt"
	"strings"

	"github.com/imapfw/imapfw/host/mail"
)

// position is where a folder stands: what a mail.Cursor of this driver says.
type position struct {
	uidNext  uint32
	modSeq   uint64 // HIGHESTMODSEQ; 0 where the folder has none
	messages uint32
}

// cursorVersion is the first character of every cursor.
const cursorVersion = "1"

// cursor returns the position as text. Without UIDNEXT there is nothing that
// could be compared later.
func (p position) cursor() mail.Cursor {
	if p.uidNext == 0 {
		return ""
	}
	return mail.Cursor(fmt.Sprintf("%s:%d:%d:%d", cursorVersion, p.uidNext, p.modSeq, p.messages))
}

// complete returns the cursor if equality of cursors proves that nothing
// changed. Without MODSEQ flags change unseen.
func (p position) complete() mail.Cursor {
	if p.modSeq == 0 {
		return ""
	}
	return p.cursor()
}

// parseCursor reads a cursor. One of another version, or of another driver, is
// as good as none.
func parseCursor(c mail.Cursor) (position, bool) {
	var p position
	rest, ok := strings.CutPrefix(string(c), cursorVersion+":")
	if !ok {
		return p, false
	}
	n, err := fmt.Sscanf(rest, "%d:%d:%d", &p.uidNext, &p.modSeq, &p.messages)
	if err != nil || n != 3 || p.cursor() != c {
		return position{}, false
	}
	return p, true
}
