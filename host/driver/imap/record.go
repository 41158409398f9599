package imap

import (
	"slices"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/mail"
)

// items is a set of FETCH items.
type items uint8

const (
	hasFlags items = 1 << iota
	hasDate
	hasSize
	hasHeader
	hasBody
)

// text returns the items as FETCH asks for them.
func (i items) text() string {
	parts := []string{"UID"}
	for _, item := range []struct {
		bit  items
		name string
	}{
		{hasFlags, "FLAGS"}, {hasDate, "INTERNALDATE"}, {hasSize, "RFC822.SIZE"},
		{hasHeader, "BODY.PEEK[HEADER]"}, {hasBody, "BODY.PEEK[]"},
	} {
		if i&item.bit != 0 {
			parts = append(parts, item.name)
		}
	}
	return "(" + strings.Join(parts, " ") + ")"
}

// record is what FETCH responses told about a message so far.
type record struct {
	uid    uint32
	have   items
	flags  mail.Flags
	date   time.Time
	size   int64
	header []byte
	span   span // of the content in a spool
}

// dateLayout is the date-time of RFC 9051 section 9.
const dateLayout = "_2-Jan-2006 15:04:05 -0700"

// recordOf reads the items of a FETCH response other than content. It reports
// false for one without UID, which is about nobody knows what.
func recordOf(r *conn.Response) (record, bool) {
	uid, ok := r.UID()
	if !ok {
		return record{}, false
	}
	rec := record{uid: uid, size: -1}
	if flags, ok := r.Flags(); ok {
		rec.flags, rec.have = flags, rec.have|hasFlags
	}
	if v, ok := r.Item("RFC822.SIZE"); ok {
		if n, ok := v.Uint(); ok && n < 1<<62 {
			rec.size = int64(n)
		}
		rec.have |= hasSize
	}
	if v, ok := r.Item("INTERNALDATE"); ok {
		// Servers that tell nonsense tell it each time: better no date than
		// no message.
		if t, err := time.Parse(dateLayout, v.Text); err == nil {
			rec.date = t.UTC()
		}
		rec.have |= hasDate
	}
	return rec, true
}

// merge adds what a later response told.
func (rec *record) merge(later record) {
	if later.have&hasFlags != 0 {
		rec.flags = later.flags
	}
	if later.have&hasDate != 0 {
		rec.date = later.date
	}
	if later.have&hasSize != 0 {
		rec.size = later.size
	}
	if later.have&hasHeader != 0 {
		rec.header = later.header
	}
	if later.have&hasBody != 0 {
		rec.span = later.span
	}
	rec.have |= later.have
}

func (rec *record) meta() mail.Meta {
	return mail.Meta{Key: mail.UIDKey(rec.uid), Flags: rec.flags, Size: rec.size, Date: rec.date}
}

// settle puts records in the order of UIDs, one for each, and takes away those
// that lack a wanted item. Servers answer in pieces and out of order.
func settle(list []record, want items) []record {
	slices.SortStableFunc(list, func(a, b record) int {
		switch {
		case a.uid < b.uid:
			return -1
		case a.uid > b.uid:
			return 1
		}
		return 0
	})
	out := list[:0]
	for _, rec := range list {
		if n := len(out); n > 0 && out[n-1].uid == rec.uid {
			out[n-1].merge(rec)
			continue
		}
		out = append(out, rec)
	}
	return slices.DeleteFunc(out, func(rec record) bool { return rec.have&want != want })
}

// uidsOf returns the UIDs of records.
func uidsOf(list []record) mail.KeySet {
	var set mail.KeySet
	for _, rec := range list {
		set.AddUIDs(rec.uid, rec.uid)
	}
	return set
}
