package memory

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
)

// Folders lists the folders with their status, as LIST with STATUS does.
func (s *Store) Folders(ctx context.Context) ([]mail.Folder, error) {
	ctx, done, err := s.begin(ctx, OpFolders, "")
	if err != nil {
		return nil, err
	}
	defer done()

	s.mu.Lock()
	var list []mail.Folder
	for _, f := range s.folders {
		id := f.id
		if s.opts.LateIDs {
			id = ""
		}
		list = append(list, mail.Folder{
			Name: f.name, Raw: f.name, Attrs: slices.Clone(f.attrs), Subscribed: f.subscribed,
			Count: len(f.messages), Epoch: f.epochString(), Cursor: f.cursor(), Limit: s.limit, ID: id,
		})
	}
	s.mu.Unlock()
	slices.SortFunc(list, func(a, b mail.Folder) int { return strings.Compare(a.Name, b.Name) })
	return list, s.finish(ctx, OpFolders, "")
}

// Changes answers as a server with CONDSTORE and QRESYNC does, or like a
// Maildir that was read in full.
func (s *Store) Changes(ctx context.Context, ref mail.Ref, since mail.Cursor, fn func([]mail.Meta) error) (mail.Result, error) {
	ctx, done, err := s.begin(ctx, OpChanges, ref.Name)
	if err != nil {
		return mail.Result{}, err
	}
	defer done()

	s.mu.Lock()
	f, err := s.find(OpChanges, ref)
	if err != nil {
		s.mu.Unlock()
		return mail.Result{}, err
	}
	res, metas := f.changes(since, s.opts.Maildir)
	s.mu.Unlock()

	for piece := range slices.Chunk(metas, s.opts.Batch) {
		if err := ctx.Err(); err != nil {
			return mail.Result{}, context.Cause(ctx)
		}
		if err := fn(piece); err != nil {
			return mail.Result{}, err
		}
	}
	return res, s.finish(ctx, OpChanges, ref.Name)
}

func (f *folder) changes(since mail.Cursor, maildir bool) (mail.Result, []mail.Meta) {
	res := mail.Result{Epoch: f.epochString(), Cursor: f.cursor()}
	if maildir {
		res.Cursor = res.Cursor.Marked(f.mark())
	}
	if since == "" {
		res.ID = f.id
	}
	was, _ := since.Mark()
	now, _ := res.Cursor.Mark()
	epoch, next, modseq := parseCursor(since.Place())
	if epoch == res.Epoch && (next > f.next || modseq > f.modseq) {
		res.Rewound = true
		modseq = 0
	}
	switch {
	case maildir && was == now && was != (mail.Mark{}):
		return res, nil
	case epoch != res.Epoch || modseq == 0:
		res.Complete = true
		modseq = 0
	case maildir && since.Place() != res.Cursor.Place():
		res.Complete = true
		modseq = 0
	}
	var metas []mail.Meta
	for _, m := range f.messages {
		if res.Complete {
			res.Present.Add(m.key)
		}
		if m.modseq > modseq {
			metas = append(metas, mail.Meta{Key: m.key, Flags: m.flags, Size: -1})
		}
	}
	if !res.Complete {
		for _, r := range f.gone {
			// A chosen key may be there again.
			if r.modseq > modseq && f.get(r.key) == nil {
				res.Gone.Add(r.key)
			}
		}
	}
	return res, metas
}

// pick returns the messages that are there, in the order of keys.
func (s *Store) pick(op Op, ref mail.Ref, keys mail.KeySet) ([]*message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(op, ref)
	if err != nil {
		return nil, err
	}
	var list []*message
	for key := range keys.All() {
		if m := f.get(key); m != nil {
			list = append(list, m)
		}
	}
	return list, nil
}

// Describe tells everything that is wanted; size and date always come along.
func (s *Store) Describe(ctx context.Context, ref mail.Ref, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error {
	ctx, done, err := s.begin(ctx, OpDescribe, ref.Name)
	if err != nil {
		return err
	}
	defer done()
	list, err := s.pick(OpDescribe, ref, keys)
	if err != nil {
		return err
	}
	for piece := range slices.Chunk(list, s.opts.Batch) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var out []mail.Description
		for _, m := range piece {
			d := mail.Description{Meta: m.meta()}
			if want&mail.WantHeader != 0 {
				d.Header = bytes.Clone(header(m.body))
			}
			if want&mail.WantCRLFSize != 0 {
				d.CRLFSize = int64(len(toCRLF(m.body)))
			}
			out = append(out, d)
		}
		if err := fn(out); err != nil {
			return err
		}
	}
	return s.finish(ctx, OpDescribe, ref.Name)
}

func (m *message) meta() mail.Meta {
	return mail.Meta{Key: m.key, Flags: m.flags, Size: int64(len(m.body)), Date: m.date.Truncate(time.Second)}
}

// Bodies hands out content in the store's own form.
func (s *Store) Bodies(ctx context.Context, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	ctx, done, err := s.begin(ctx, OpBodies, ref.Name)
	if err != nil {
		return err
	}
	defer done()
	list, err := s.pick(OpBodies, ref, keys)
	if err != nil {
		return err
	}
	var failed driver.Partial
	for _, m := range list {
		if err := s.call(ctx, Call{Op: OpBody, Folder: ref.Name, Key: m.key}); err != nil {
			if ends(ctx, err) {
				return err
			}
			failed.Fail(m.key, err)
			continue
		}
		s.mu.Lock()
		f := s.folders[ref.Name]
		there := f != nil && f.get(m.key) != nil
		s.mu.Unlock()
		if !there { // removed while the ones before it were read
			continue
		}
		if err := fn(m.meta(), s.open(ctx, m)); err != nil {
			return err
		}
	}
	if err := s.finish(ctx, OpBodies, ref.Name); err != nil {
		return err
	}
	return failed.OrNil()
}

// open returns a message's content: a file can be read twice, a server's
// literal cannot.
func (s *Store) open(ctx context.Context, m *message) mail.Body {
	r := &contextReader{ctx: ctx, r: bytes.NewReader(m.body)}
	b := mail.Body{Reader: r, Size: int64(len(m.body)), LineEnds: mail.CRLF}
	if s.opts.Maildir {
		b.Reader, b.LineEnds = contextSeeker{r}, mail.LF
	}
	return b
}

type contextReader struct {
	ctx context.Context
	r   io.ReadSeeker
}

func (c *contextReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}

type contextSeeker struct{ *contextReader }

func (c contextSeeker) Seek(offset int64, whence int) (int64, error) { return c.r.Seek(offset, whence) }
