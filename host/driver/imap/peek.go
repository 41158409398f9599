package imap

import (
	"context"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/mail"
)

// A Dovecot that keeps its mail in a Maildir reads all names of the inbox anew where
// the inbox is opened after a LIST, the one with STATUS included: 25 ms for 20,000
// messages of which none has changed, 150 ms for 100,000. Opened before, its index
// does, in 2 ms. So the inbox is opened first, in the same round trip; and what is read
// in it then is read where it is open.
//
// It is opened for reading only, lest the messages of an inbox that nobody syncs lose
// their \Recent. Whoever writes to it selects it.

func isDovecot(s *session) bool { return strings.EqualFold(s.ServerID()["name"], "Dovecot") }

// peek sends a command that lists folders, and opens the inbox before it where that
// pays. What is told of the folder that is open is what the server knew when it was
// opened, or last asked for news: so it is opened anew, or asked.
func (d *Driver) peek(ctx context.Context, s *session, withStatus bool, list *conn.Command, on func(*conn.Response) error, take ...string) (conn.Reply, error) {
	inbox, err := d.names.forServer(mail.Inbox)
	if err != nil || !withStatus || !isDovecot(s) {
		if s.selected != nil {
			// Not in one round trip: the news may be told after the next command.
			if _, err := s.Do(ctx, conn.Cmd("NOOP"), nil); err != nil && !s.refused(ctx, err) {
				return conn.Reply{}, err
			}
		}
		return s.Do(ctx, list, on, take...)
	}
	sel := &selected{name: inbox.name, peeked: !s.examine, listed: &listed{at: time.Now()}}
	s.selected = nil
	answers := s.DoAll(ctx, sel.call(examine, inbox), conn.Call{Cmd: list, On: on, Take: take})
	if answers[0].Err == nil && sel.validity != 0 && !sel.notSticky {
		s.selected = sel
		if sel.readOnly = s.examine; s.examine {
			s.facts.learn(inbox.name, fact{epoch: sel.epoch(), flags: sel.flags})
		} else {
			s.facts.glimpse(inbox.name, sel.epoch())
		}
		sel.listed.learns = s.facts.learnt(inbox.name)
	}
	return answers[1].Reply, answers[1].Err
}
