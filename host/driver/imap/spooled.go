package imap

import (
	"context"
	"iter"

	"github.com/imapfw/imapfw/host/mail"
)

const (
	// A group of messages is spooled at once: this many, or this many octets,
	// or a single one that is larger.
	groupCount = 200
	groupBytes = 8 << 20
)

// group is a part of a transfer in a spool: with an error, what came before it.
type group struct {
	records []record
	spool   *spool
	err     error
}

// spooled reads content in groups. The connection is lent to others while fn
// works on a group; the next one is being read meanwhile.
func (t *transfer) spooled(ctx context.Context, left mail.KeySet) error {
	drop := func(g group) {
		if g.spool != nil {
			g.spool.close()
		}
	}
	for chunk := range pieces(left, t.d.chunk) {
		var sizes map[uint32]int64
		err := t.d.with(ctx, t.box.name, true, func(ctx context.Context, s *session) error {
			_, err := s.enter(ctx, t.box, t.epoch, 0)
			if err == nil && chunk.Len() > 1 {
				sizes, err = s.sizesOf(ctx, chunk)
			}
			return inFolder(err, t.box.name)
		})
		if err != nil {
			return err
		}
		err = ahead(ctx, groups(chunk, sizes), t.readGroup, func(g group) error {
			defer drop(g)
			for i := range g.records {
				rec := &g.records[i]
				if err := t.hand(ctx, rec, rec.span.size, g.spool.reader(rec.span)); err != nil {
					return err
				}
				t.finished(rec.uid)
			}
			return g.err
		}, drop)
		if err != nil {
			return err
		}
	}
	return nil
}

// groups cuts a set by the sizes of its messages.
func groups(set mail.KeySet, sizes map[uint32]int64) iter.Seq[mail.KeySet] {
	return func(yield func(mail.KeySet) bool) {
		var g mail.KeySet
		var count int
		var bytes int64
		for k := range set.All() {
			uid, _ := k.UID()
			size := sizes[uid]
			if count > 0 && (count == groupCount || bytes+size > groupBytes) {
				if !yield(g) {
					return
				}
				g, count, bytes = mail.KeySet{}, 0, 0
			}
			g.AddUIDs(uid, uid)
			count++
			bytes += size
		}
		if count > 0 {
			yield(g)
		}
	}
}

// readGroup fetches a group into a spool.
func (t *transfer) readGroup(ctx context.Context, set mail.KeySet) (group, error) {
	g := group{spool: newSpool(t.d.opts.TempDir)}
	g.err = t.d.with(ctx, t.box.name, true, func(ctx context.Context, s *session) error {
		_, err := s.enter(ctx, t.box, t.epoch, 0)
		if err != nil {
			return err
		}
		g.records, err = s.fetchSet(ctx, set, bodyItems, g.spool)
		if s.refused(ctx, err) {
			err = nil // what is missing is asked for again
		}
		return inFolder(err, t.box.name)
	})
	return g, nil
}
