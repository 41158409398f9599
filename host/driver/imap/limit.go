package imap

import (
	"strconv"
	"strings"

	goimap "github.com/emersion/go-imap/v2"

	"github.com/imapfw/imapfw/host/fault"
)

// acceptable returns why a server with a limit would refuse a message of this
// size: what is known beforehand is not sent to be refused.
func acceptable(size, limit int64) error {
	if size == 0 {
		// An empty literal takes the command back (RFC 3502 section 6.3.11).
		return fault.New(fault.Refused, "append", "an empty message cannot be sent to an IMAP server").AsFinal()
	}
	if limit > 0 && size > limit {
		return fault.New(fault.Refused, "append", "its size is %d octets, the server takes %d", size, limit).
			WithHint("see max_append").AsFinal()
	}
	return nil
}

// limit is the size of the largest message that a folder takes: the smallest of
// what the user says, the server, and the server of this folder; 0 if nobody
// tells (RFC 7889).
func (d *Driver) limit(box mailbox) int64 {
	limit := d.opts.MaxAppend
	for _, n := range [...]int64{d.serverLimit.Load(), d.facts.limit(box.name)} {
		if n > 0 && (limit == 0 || n < limit) {
			limit = n
		}
	}
	return limit
}

// serverLimit is the limit that holds for all folders of the server.
func serverLimit(s *session) int64 {
	for c := range s.Caps() {
		if value, ok := strings.CutPrefix(string(c), string(goimap.CapAppendLimit)+"="); ok {
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && n > 0 {
				return n
			}
		}
	}
	return 0
}

// limitsByFolder reports whether each folder has a limit of its own, which STATUS
// tells.
func limitsByFolder(s *session) bool {
	_, ok := s.Caps()[goimap.CapAppendLimit]
	return ok
}
