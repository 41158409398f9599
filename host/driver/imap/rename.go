package imap

import (
	"context"
	"errors"
	"strings"

	goimap "github.com/emersion/go-imap/v2"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// RenameFolder sends RENAME (RFC 9051 section 6.3.6), which also renames the
// folders below, and moves the subscriptions along: servers leave them where
// they were. For a server that does not create the parents of the new name, it
// creates them itself. A RENAME without an answer is not repeated.
func (d *Driver) RenameFolder(ctx context.Context, from, to string) error {
	const op = "rename"
	if err := d.toWrite(op, from); err != nil {
		return err
	}
	old, err := d.names.forServer(from)
	if err != nil {
		return err
	}
	box, err := d.names.forServer(to)
	if err != nil {
		return err
	}
	switch {
	case box.odd:
		return oddName(to)
	case old.name == mail.Inbox || box.name == mail.Inbox:
		// RENAME of the inbox would move its messages, and leave it there.
		return fault.New(fault.Refused, op, "the inbox stays what it is").InFolder(from)
	case strings.HasPrefix(box.name, old.name+"/"):
		return fault.New(fault.BadName, op, "%q lies below it", to).InFolder(from)
	}
	moved := func(folder string) bool { return folder == old.name || strings.HasPrefix(folder, old.name+"/") }
	d.pool.forget(moved) // servers end sessions whose folder goes away
	marked, doubtful := d.names.marked(box)
	err = d.rename(ctx, old, box, doubtful)
	if doubtful && isRefusal(err) {
		if err = d.rename(ctx, old, marked, false); err == nil {
			d.names.learnMarks()
		}
	}
	if isRefusal(err) {
		at := strings.LastIndexByte(to, '/')
		if err = errors.Unwrap(err); at < 0 || !mayLackParent(err) {
			return err
		}
		if parentErr := d.CreateFolder(ctx, to[:at]); parentErr != nil {
			return err
		}
		if err = d.rename(ctx, old, box, false); isRefusal(err) {
			return errors.Unwrap(err)
		}
	}
	d.facts.forget(moved)
	d.names.forget(moved)
	return err
}

// rename renames a folder on one session. A refusal that parents could help from
// is marked as one; with doubtful, any answer that is no OK, see create.
func (d *Driver) rename(ctx context.Context, old, box mailbox, doubtful bool) error {
	return d.with(ctx, "", false, func(ctx context.Context, s *session) error {
		subscribed, err := s.subscribedBelow(ctx, old)
		if err != nil {
			return inFolder(err, old.name)
		}
		reply, err := s.Do(ctx, box.add(old.add(conn.Cmd("RENAME"))), nil)
		if err != nil && doubtful && reply.Type != "" {
			return refusal{inFolder(err, old.name)}
		}
		if err != nil {
			return s.explainRename(ctx, old, box, reply, err)
		}
		for _, raw := range subscribed {
			if err := s.resubscribe(ctx, raw, old, box); err != nil {
				d.log.Warn("the folder was renamed, but its subscription was not moved along", "folder", box.name, "error", err)
				break
			}
		}
		return nil
	})
}

// explainRename makes a refusal say which of the two names is to blame: many
// servers give no response code.
func (s *session) explainRename(ctx context.Context, old, box mailbox, reply conn.Reply, err error) error {
	if !s.refused(ctx, err) {
		return inFolder(err, old.name)
	}
	if reply.Code == "CANNOT" {
		return (&fault.Error{Code: fault.BadName, Op: "rename", Folder: old.name, Err: err}).
			WithHint("the server does not take the name %q; give it another one there, with rename", box.name)
	}
	if there, lerr := s.exists(ctx, old); lerr == nil && !there {
		return (&fault.Error{Code: fault.NotFound, Op: "rename", Folder: old.name, Err: err}).WithHint("the server does not list it")
	}
	if there, lerr := s.exists(ctx, box); lerr == nil && there {
		return &fault.Error{Code: fault.Exists, Op: "rename", Folder: old.name, Err: err}
	}
	return refusal{inFolder(err, old.name)}
}

// wire is a folder's name as the server writes it.
func (s *session) wire(b mailbox) string {
	switch {
	case b.raw != "":
		return b.raw
	case s.UTF8():
		return b.server
	}
	return conn.EncodeName(b.server)
}

// subscribedBelow returns the subscriptions of a folder and of those below it,
// as the server writes them.
func (s *session) subscribedBelow(ctx context.Context, b mailbox) ([]string, error) {
	top := s.wire(b)
	cmd, take := conn.Cmd("LSUB"), "LSUB"
	if s.Has(goimap.CapListExtended) {
		cmd, take = conn.Cmd("LIST").Raw("(SUBSCRIBED)"), "LIST"
	}
	var out []string
	_, err := s.Do(ctx, cmd.Text("").Text(top+"*"), func(r *conn.Response) error {
		if len(r.Fields) < 3 {
			return nil
		}
		raw, delim := r.Fields[2].Text, r.Fields[1].Text
		if raw == top || delim != "" && strings.HasPrefix(raw, top+delim) {
			out = append(out, raw)
		}
		return nil
	}, take)
	if s.refused(ctx, err) {
		return nil, nil // it has no subscriptions
	}
	return out, err
}

// resubscribe moves one subscription from the old name to the new one.
func (s *session) resubscribe(ctx context.Context, raw string, old, box mailbox) error {
	moved := s.wire(box) + strings.TrimPrefix(raw, s.wire(old))
	if _, err := s.Do(ctx, conn.Cmd("SUBSCRIBE").RawMailbox(moved), nil); err != nil {
		return err
	}
	_, err := s.Do(ctx, conn.Cmd("UNSUBSCRIBE").RawMailbox(raw), nil)
	if s.refused(ctx, err) {
		return nil // the server has moved it itself
	}
	return err
}
