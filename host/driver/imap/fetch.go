package imap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// request is one UID FETCH.
type request struct {
	set  string // as sent; may end in "*"
	want items
	// since is CHANGEDSINCE (RFC 7162 section 3.1.4.1) where it is not zero,
	// with VANISHED where vanished is not nil.
	since    uint64
	vanished *mail.KeySet
	spool    *spool // gets BODY[]
}

// fetch sends a UID FETCH and returns what came back complete, in the order of
// UIDs; also with an error: of a command that was refused, the part that was
// answered is good.
func (s *session) fetch(ctx context.Context, req request) ([]record, error) {
	list, _, err := s.fetchAll(ctx, req)
	return list, err
}

// fetchAll is fetch, and tells which messages came back incomplete.
func (s *session) fetchAll(ctx context.Context, req request) (list []record, incomplete mail.KeySet, err error) {
	var came arrivals
	err = s.DoAll(ctx, req.call(&came))[0].Err
	list, incomplete = came.settle(req.want)
	return list, incomplete, err
}

// arrivals is what a UID FETCH was answered.
type arrivals struct{ list []record }

// settle returns the messages that came back complete, and which did not.
func (a *arrivals) settle(want items) (list []record, incomplete mail.KeySet) {
	came := uidsOf(a.list)
	list = settle(a.list, want)
	return list, minus(came, uidsOf(list))
}

// call is the command, whose answers go to a.
func (req request) call(a *arrivals) conn.Call {
	cmd := conn.Cmd("UID FETCH").Raw(req.set).Raw(req.want.text())
	take := []string{"FETCH"}
	if req.since > 0 {
		modifiers := fmt.Sprintf("CHANGEDSINCE %d", req.since)
		if req.vanished != nil {
			modifiers += " VANISHED"
			take = append(take, "VANISHED")
		}
		cmd.Raw("(" + modifiers + ")")
	}
	var content record // the sections of the response that is being read
	return conn.Call{Cmd: cmd, Take: take, On: func(r *conn.Response) error {
		switch {
		case r.Name == "VANISHED":
			if uids, _, ok := r.Vanished(); ok {
				req.vanished.AddSet(uids)
			}
		case r.Body != nil:
			return content.takeSection(r, req.spool)
		default:
			rec, ok := recordOf(r)
			content.takeInline(r, req.spool)
			if ok {
				content.uid = rec.uid
				rec.merge(content)
				a.list = append(a.list, rec)
			}
			content = record{}
		}
		return nil
	}}
}

// takeSection reads the content of a section while it arrives.
func (rec *record) takeSection(r *conn.Response, sp *spool) error {
	if len(r.Fields) == 0 {
		return nil
	}
	switch section := strings.ToUpper(r.Fields[len(r.Fields)-1].Text); {
	case section == "BODY[HEADER]":
		header, err := io.ReadAll(r.Body)
		if err == nil && int64(len(header)) == r.Size {
			rec.header, rec.have = header, rec.have|hasHeader
		}
		return err
	case section == "BODY[]" && sp != nil:
		at, err := sp.add(r.Body)
		if err == nil && at.size == r.Size {
			rec.span, rec.have = at, rec.have|hasBody
		}
		return err
	}
	return nil
}

// takeInline reads sections that did not come as literals. NIL is no content.
func (rec *record) takeInline(r *conn.Response, sp *spool) {
	if v, ok := r.Item("BODY[HEADER]"); ok && rec.have&hasHeader == 0 && v.Kind == conn.String {
		rec.header, rec.have = []byte(v.Text), rec.have|hasHeader
	}
	if v, ok := r.Item("BODY[]"); ok && rec.have&hasBody == 0 && v.Kind == conn.String && sp != nil {
		if at, err := sp.add(strings.NewReader(v.Text)); err == nil {
			rec.span, rec.have = at, rec.have|hasBody
		}
	}
}

// fetchSet fetches a set of UIDs in commands that every server takes.
func (s *session) fetchSet(ctx context.Context, set mail.KeySet, want items, sp *spool) ([]record, error) {
	var list []record
	for piece := range conn.SplitUIDs(set, conn.MaxSet) {
		part, err := s.fetch(ctx, request{set: conn.SetText(piece), want: want, spool: sp})
		list = append(list, part...)
		if err != nil {
			return list, err
		}
	}
	return list, nil
}

// persist fetches what an earlier command left out, in halves down to single
// messages. Messages that UID SEARCH does not find are gone; failed gets those
// that are there and cannot be had. done is called for what arrived, with the
// spool it is in.
func (d *Driver) persist(ctx context.Context, box mailbox, epoch string, missing mail.KeySet, want items,
	done func([]record, *spool) error, failed func(mail.Key, error),
) error {
	var there mail.KeySet
	err := d.with(ctx, box.name, true, func(ctx context.Context, s *session) error {
		if _, err := s.enter(ctx, box, epoch, 0); err != nil {
			return err
		}
		var err error
		there, err = s.present(ctx, missing)
		return err
	})
	if err != nil || there.Empty() {
		return err
	}
	attempt := func(set mail.KeySet) (got mail.KeySet, err error) {
		sp := newSpool(d.opts.TempDir)
		defer sp.close()
		var list []record
		err = d.with(ctx, box.name, true, func(ctx context.Context, s *session) error {
			if _, err := s.enter(ctx, box, epoch, 0); err != nil {
				return err
			}
			var err error
			list, err = s.fetchSet(ctx, set, want, sp)
			if s.refused(ctx, err) {
				return refusal{err}
			}
			return err
		})
		if len(list) > 0 && (err == nil || isRefusal(err)) {
			got = intersect(uidsOf(list), set)
			if doneErr := done(list, sp); doneErr != nil {
				return got, doneErr
			}
		}
		return got, err
	}
	return inHalves(there, attempt, failed)
}

// refusal marks the error of a command that the server refused, while the
// connection works on.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

func isRefusal(err error) bool {
	_, ok := err.(refusal)
	return ok
}

// giveUp is after how many messages in a row that failed, with none between
// that did not, the rest is not tried any more.
const giveUp = 16

// inHalves does something to a set of UIDs. What an attempt leaves out is tried
// again in halves, down to single messages, whose failure is told to failed.
func inHalves(set mail.KeySet, attempt func(mail.KeySet) (mail.KeySet, error), failed func(mail.Key, error)) error {
	inARow := 0
	var last error
	var try func(mail.KeySet) error
	try = func(set mail.KeySet) error {
		if inARow >= giveUp {
			for k := range set.All() {
				failed(k, last)
			}
			return nil
		}
		got, err := attempt(set)
		if err != nil && !isRefusal(err) {
			return err
		}
		rest := minus(set, got)
		if !got.Empty() {
			inARow = 0
		}
		switch {
		case rest.Empty():
			return nil
		case set.Len() == 1:
			inARow++
			if last = errNotServed(); err != nil {
				last = errors.Unwrap(err)
			}
			failed(mail.UIDKey(set.UIDs()[0].First), last)
			return nil
		case rest.Len() == 1:
			return try(rest)
		}
		for _, half := range halves(rest) {
			if err := try(half); err != nil {
				return err
			}
		}
		return nil
	}
	return try(set)
}

func errNotServed() error {
	return fault.New(fault.Protocol, "fetch", "the server lists the message and does not give it")
}
