package conn

import (
	"iter"

	"github.com/imapfw/imapfw/host/mail"
)

// MaxSet is how many octets a set may take in a command: with the rest of it,
// the command stays below the 8000 octets that every server takes.
const MaxSet = 7000

// SplitUIDs yields the UIDs of a set in pieces whose text is at most max
// octets, in order.
func SplitUIDs(set mail.KeySet, max int) iter.Seq[mail.KeySet] { panic("unwritten") }

// ParseUIDs reads a sequence-set of UIDs as servers send it in VANISHED,
// COPYUID, MODIFIED and ESEARCH. It reports false for anything else, "*"
// included.
func ParseUIDs(text string) (mail.KeySet, bool) { panic("unwritten") }
