package imap

import (
	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/mail"
)

// guid is a STATUS item of Dovecot, which has no MAILBOXID but keeps the same thing,
// and tells it without naming a capability. In a listing it costs as much as to open
// every folder; so a folder is asked for it when it is read from the beginning. The
// inbox, which cannot be renamed, never is.
const guid = "X-GUID"

// askGUID returns the question for a folder's ID, nil where there is none.
func (d *Driver) askGUID(s *session, box mailbox, id *string) *conn.Call {
	if box.name == mail.Inbox || !isDovecot(s) || s.Has("OBJECTID") || s.Ignores(guid) || d.noGUID.Load() {
		return nil
	}
	cmd := box.add(conn.Cmd("STATUS")).Raw("(" + guid + ")")
	return &conn.Call{Cmd: cmd, Take: []string{"STATUS"}, On: func(r *conn.Response) error {
		*id = statusOf(r).id
		return nil
	}}
}
