package conn

import (
	"iter"
	"strconv"
	"strings"

	"github.com/imapfw/imapfw/host/mail"
)

// MaxSet is how many octets a set may take in a command: with the rest of it,
// the command stays below the 8000 octets that every server takes.
const MaxSet = 7000

// SplitUIDs yields the UIDs of a set in pieces whose text is at most max
// octets, in order. A single range may be longer than max.
func SplitUIDs(set mail.KeySet, max int) iter.Seq[mail.KeySet] {
	return func(yield func(mail.KeySet) bool) {
		var piece mail.KeySet
		size := 0
		for _, r := range set.UIDs() {
			n := len(rangeText(r))
			if size > 0 && size+1+n > max {
				if !yield(piece) {
					return
				}
				piece, size = mail.KeySet{}, -1
			}
			piece.AddUIDs(r.First, r.Last)
			size += 1 + n
		}
		if !piece.Empty() {
			yield(piece)
		}
	}
}

func rangeText(r mail.UIDRange) string {
	first := strconv.FormatUint(uint64(r.First), 10)
	if r.First == r.Last {
		return first
	}
	return first + ":" + strconv.FormatUint(uint64(r.Last), 10)
}

// SetText returns the UIDs of a set as a sequence-set (RFC 9051 section 9),
// empty for none.
func SetText(set mail.KeySet) string {
	var b strings.Builder
	for i, r := range set.UIDs() {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(rangeText(r))
	}
	return b.String()
}

// ParseUIDs reads a sequence-set of UIDs as servers send it in VANISHED,
// COPYUID, MODIFIED and ESEARCH. It reports false for anything else, "*"
// included.
func ParseUIDs(text string) (mail.KeySet, bool) {
	var set mail.KeySet
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, ":")
		a, ok := parseUID(first)
		b := a
		if isRange && ok {
			b, ok = parseUID(last)
		}
		if !ok {
			return mail.KeySet{}, false
		}
		set.AddUIDs(a, b)
	}
	return set, true
}

func parseUID(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && n > 0
}
