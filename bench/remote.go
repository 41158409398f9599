//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// password is the one of every account.
const password = dovecot.Password

// remote is a session with an account of the server: of us, not of a tool.
type remote struct {
	client *imapclient.Client
	// known are the contents that were read before: a UID never gets another one
	// (RFC 9051 section 2.3.1.1).
	known map[string]map[imap.UID]digest
	added []string // see tool
}

// session runs do in a session of its own.
func (a *account) session(ctx context.Context, do func(*remote) error) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", a.server.Addr())
	if err != nil {
		return fmt.Errorf("reach the server: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	r := &remote{client: imapclient.New(conn, nil), known: a.known, added: a.tool.Added}
	defer func() { _ = r.client.Close() }()
	if err := r.client.Login(a.user, password).Wait(); err != nil {
		return fmt.Errorf("sign in as %s: %w", a.user, err)
	}
	if err := do(r); err != nil {
		return fmt.Errorf("account %s: %w", a.user, err)
	}
	return r.client.Logout().Wait()
}

// open selects a folder, to change it or only to look at it.
func (r *remote) open(name string, look bool) error {
	if _, err := r.client.Select(name, &imap.SelectOptions{ReadOnly: look}).Wait(); err != nil {
		return fmt.Errorf("select %s: %w", name, err)
	}
	return nil
}

// everything is the set of all messages of a folder.
func everything() imap.UIDSet {
	var all imap.UIDSet
	all.AddRange(1, 0)
	return all
}

// mailbox reads all folders. Contents are streamed, and only those that were not
// read before.
func (r *remote) mailbox(look bool) (mailbox, error) {
	list, err := r.client.List("", "*", nil).Collect()
	if err != nil {
		return nil, fmt.Errorf("list the folders: %w", err)
	}
	out := mailbox{}
	for _, f := range list {
		if hasAttr(f.Attrs, imap.MailboxAttrNoSelect) || hasAttr(f.Attrs, imap.MailboxAttrNonExistent) {
			continue
		}
		if err := r.open(f.Mailbox, look); err != nil {
			return nil, err
		}
		if out[f.Mailbox], err = r.folder(f.Mailbox); err != nil {
			return nil, fmt.Errorf("read %s: %w", f.Mailbox, err)
		}
	}
	return out, nil
}

func hasAttr(attrs []imap.MailboxAttr, want imap.MailboxAttr) bool {
	for _, a := range attrs {
		if a == want {
			return true
		}
	}
	return false
}

// folder reads the folder that is open.
func (r *remote) folder(name string) ([]held, error) {
	list, err := r.flags()
	if err != nil {
		return nil, err
	}
	known := r.known[name]
	if known == nil {
		known = map[imap.UID]digest{}
		r.known[name] = known
	}
	var missing imap.UIDSet
	for _, m := range list {
		if _, ok := known[imap.UID(m.UID)]; !ok {
			missing.AddNum(imap.UID(m.UID))
		}
	}
	if len(missing) > 0 {
		if len(known) == 0 {
			missing = everything()
		}
		if err := r.read(missing, known); err != nil {
			return nil, err
		}
	}
	for i, m := range list {
		d, ok := known[imap.UID(m.UID)]
		if !ok {
			return nil, fmt.Errorf("the server does not give message %d", m.UID)
		}
		list[i].Digest = d
	}
	return list, nil
}

// flags reads UIDs and flags of the folder that is open.
func (r *remote) flags() ([]held, error) {
	list := []held{}
	cmd := r.client.Fetch(everything(), &imap.FetchOptions{UID: true, Flags: true})
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		var m held
		for item := msg.Next(); item != nil; item = msg.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				m.UID = uint32(item.UID)
			case imapclient.FetchItemDataFlags:
				m.Flags = lettersOf(item.Flags)
			}
		}
		list = append(list, m)
	}
	return list, cmd.Close()
}

// read makes the digests of messages.
func (r *remote) read(set imap.UIDSet, into map[imap.UID]digest) error {
	d, buf := newDigester(r.added), make([]byte, 64<<10)
	cmd := r.client.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		var uid imap.UID
		d.reset()
		for item := msg.Next(); item != nil; item = msg.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				uid = item.UID
			case imapclient.FetchItemDataBodySection:
				if _, err := io.CopyBuffer(d, struct{ io.Reader }{item.Literal}, buf); err != nil {
					_ = cmd.Close()
					return err
				}
			}
		}
		into[uid] = d.sum()
	}
	return cmd.Close()
}

// lettersOf is how a Maildir writes the flags.
func lettersOf(flags []imap.Flag) string {
	var info []byte
	for _, f := range flags {
		switch f {
		case imap.FlagDraft:
			info = append(info, 'D')
		case imap.FlagFlagged:
			info = append(info, 'F')
		case imap.FlagAnswered:
			info = append(info, 'R')
		case imap.FlagSeen:
			info = append(info, 'S')
		case imap.FlagDeleted:
			info = append(info, 'T')
		}
	}
	return maildirFlags(string(info))
}

// flagsOf is the other way round.
func flagsOf(info string) []imap.Flag {
	names := map[rune]imap.Flag{'D': imap.FlagDraft, 'F': imap.FlagFlagged, 'R': imap.FlagAnswered, 'S': imap.FlagSeen, 'T': imap.FlagDeleted}
	var out []imap.Flag
	for _, c := range info {
		out = append(out, names[c])
	}
	return out
}
