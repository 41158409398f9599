package imap

import (
	"context"
	"errors"
	"strings"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
)

// CreateFolder creates a folder. Servers create its parents; for one that does
// not, it creates them itself.
func (d *Driver) CreateFolder(ctx context.Context, name string) error {
	if err := d.toWrite("create", name); err != nil {
		return err
	}
	box, err := d.names.forServer(name)
	if err != nil {
		return err
	}
	if box.odd {
		return oddName(name)
	}
	marked, doubtful := d.names.marked(box)
	err = d.create(ctx, box, !doubtful)
	if doubtful && isRefusal(err) {
		if err = d.create(ctx, marked, true); err == nil {
			d.names.learnMarks()
		}
	}
	if !isRefusal(err) {
		return err
	}
	at := strings.LastIndexByte(name, '/')
	if at >= 0 && mayLackParent(err) && d.CreateFolder(ctx, name[:at]) == nil {
		err = d.create(ctx, box, true)
	}
	if isRefusal(err) {
		return errors.Unwrap(err)
	}
	return err
}

// create sends CREATE. That the folder is there already is no error; a refusal
// that another attempt could help is marked as one.
//
// With repeat false any answer that is no OK is such a refusal: some servers cut
// the connection after a name that they cannot read.
func (d *Driver) create(ctx context.Context, box mailbox, repeat bool) error {
	return d.with(ctx, "", repeat, func(ctx context.Context, s *session) error {
		reply, err := s.Do(ctx, box.add(conn.Cmd("CREATE")), nil)
		if !repeat && err != nil && reply.Type != "" {
			return refusal{inFolder(err, box.name)}
		}
		if err == nil || !s.refused(ctx, err) {
			return inFolder(err, box.name)
		}
		if reply.Code == "CANNOT" { // it never will (RFC 5530 section 3)
			return (&fault.Error{Code: fault.BadName, Op: "create", Folder: box.name, Err: err}).
				WithHint("the server does not take this name; give it another one there, with rename")
		}
		if there, listErr := s.exists(ctx, box); listErr == nil && there {
			return nil
		}
		return refusal{inFolder(err, box.name)}
	})
}

// oddName refuses to give a folder a name that the server would not encode as it
// should be.
func oddName(name string) error {
	return fault.New(fault.BadName, "create", "the name stands for one that is not encoded as IMAP demands").InFolder(name).
		WithHint("give it another name there, with rename")
}

// mayLackParent tells a refusal that parents could help from others.
func mayLackParent(err error) bool {
	return errors.Is(err, fault.Refused) || errors.Is(err, fault.NotFound)
}

// Subscribe subscribes a folder.
func (d *Driver) Subscribe(ctx context.Context, name string) error {
	if err := d.toWrite("subscribe", name); err != nil {
		return err
	}
	return d.simple(ctx, "SUBSCRIBE", name)
}

func (d *Driver) simple(ctx context.Context, command, name string) error {
	box, err := d.names.forServer(name)
	if err != nil {
		return err
	}
	return d.with(ctx, "", true, func(ctx context.Context, s *session) error {
		_, err := s.Do(ctx, box.add(conn.Cmd(command)), nil)
		return inFolder(err, name)
	})
}

// RemoveFolder removes a folder without messages, and its subscription. That
// nothing arrives between the look and the removal cannot be made sure of in
// IMAP.
func (d *Driver) RemoveFolder(ctx context.Context, name string) error {
	if err := d.toWrite("delete", name); err != nil {
		return err
	}
	box, err := d.names.forServer(name)
	if err != nil {
		return err
	}
	itself := func(folder string) bool { return folder == box.name }
	d.pool.forget(itself) // servers end sessions whose folder is removed
	return d.with(ctx, "", false, func(ctx context.Context, s *session) error {
		st, err := s.status(ctx, box)
		if err != nil {
			return err
		}
		if st.count != 0 {
			return fault.New(fault.Exists, "delete", "there are %d messages in it", st.count).
				InFolder(name).WithHint("a folder is removed only when it is empty")
		}
		if _, err := s.Do(ctx, box.add(conn.Cmd("DELETE")), nil); err != nil {
			return inFolder(err, name)
		}
		d.facts.forget(itself)
		_, err = s.Do(ctx, box.add(conn.Cmd("UNSUBSCRIBE")), nil)
		if s.refused(ctx, err) {
			return nil // it was not subscribed
		}
		return inFolder(err, name)
	})
}
