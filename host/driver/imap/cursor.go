package imap

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/imapfw/imapfw/host/mail"
)

// position is where a folder stands: what a mail.Cursor of this driver says.
type position struct {
	uidNext  uint32
	modSeq   uint64 // HIGHESTMODSEQ; 0 where the folder has none
	messages uint32
	// digest is of all UIDs and flags, where there is no MODSEQ. It makes the
	// cursor tell that something changed, after everything was read.
	digest uint64
}

// cursorVersion is the first character of every cursor.
const cursorVersion = "1"

// cursor returns the position as text. Without UIDNEXT there is nothing that
// could be compared later.
func (p position) cursor() mail.Cursor {
	if p.uidNext == 0 {
		return ""
	}
	return mail.Cursor(fmt.Sprintf("%s:%d:%d:%d:%x", cursorVersion, p.uidNext, p.modSeq, p.messages, p.digest))
}

// complete returns the cursor if equality of cursors proves that nothing
// changed. Without MODSEQ flags change unseen.
func (p position) complete() mail.Cursor {
	if p.modSeq == 0 {
		return ""
	}
	return p.cursor()
}

// everything is the set of all messages that were or are in the folder. There are servers
// for which "*" is the last message that is left: of "1:*" they do not tell that those
// above it vanished.
func (p position) everything() string {
	if p.uidNext <= 1 {
		return "1:*"
	}
	return fmt.Sprintf("%s,%d:*", rangeText(1, p.uidNext-1), p.uidNext)
}

// add puts a message into the digest, in any order.
func (p *position) add(uid uint32, flags mail.Flags) {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d %s", uid, strings.ToLower(flags.String()))
	p.digest += h.Sum64()
}

// parseCursor reads a cursor. One of another version, or of another driver, is
// as good as none.
func parseCursor(c mail.Cursor) (position, bool) {
	var p position
	rest, ok := strings.CutPrefix(string(c), cursorVersion+":")
	if !ok {
		return p, false
	}
	n, err := fmt.Sscanf(rest, "%d:%d:%d:%x", &p.uidNext, &p.modSeq, &p.messages, &p.digest)
	if err != nil || n != 4 || p.cursor() != c {
		return position{}, false
	}
	return p, true
}
