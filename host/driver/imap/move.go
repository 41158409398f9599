package imap

import (
	"context"
	"errors"
	"strconv"
	"strings"

	goimap "github.com/emersion/go-imap/v2"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// move moves messages to another folder: with MOVE (RFC 6851) where the server
// has it, else with COPY, and a removal only of what was copied.
func (ch *changing) move(ctx context.Context, to string, uids mail.KeySet) error {
	if uids.Empty() {
		return nil
	}
	target, err := ch.d.names.forServer(to)
	if err != nil {
		ch.each(uids, func(o *mail.Outcome) { o.Err = err })
		return nil
	}
	if target.name == ch.box.name {
		ch.each(uids, func(o *mail.Outcome) { o.NewKey = o.Key })
		return nil
	}
	var there mail.KeySet
	moves := false
	err = ch.on(ctx, "move", true, func(ctx context.Context, s *session) error {
		moves = s.Has(goimap.CapMove)
		there, err = s.present(ctx, uids)
		return err
	})
	if err != nil {
		return err
	}
	ch.gone(minus(uids, there))
	if there.Empty() {
		return nil
	}
	if moves {
		// Done twice, the second one finds nothing.
		return ch.on(ctx, "move", true, func(ctx context.Context, s *session) error {
			return ch.sendMove(ctx, s, target, there)
		})
	}
	// A COPY without an answer is not repeated: it might have been done.
	return ch.on(ctx, "copy", false, func(ctx context.Context, s *session) error {
		copied, err := ch.transfer(ctx, s, "UID COPY", target, there)
		if err != nil {
			return err
		}
		return ch.expunge(ctx, s, copied)
	})
}

// sendMove sends UID MOVE. Of a command that is refused a part may have been
// done, so afterwards it looks what is still there.
func (ch *changing) sendMove(ctx context.Context, s *session, target mailbox, uids mail.KeySet) error {
	if _, err := ch.transfer(ctx, s, "UID MOVE", target, uids); err != nil {
		return err
	}
	still, err := s.present(ctx, uids)
	if err != nil {
		return err
	}
	ch.each(minus(uids, still), func(o *mail.Outcome) { o.Err = nil })
	ch.each(still, func(o *mail.Outcome) {
		if o.Err == nil {
			o.Err = fault.New(fault.Refused, "move", "the server says it is done, and the message is still there").InFolder(ch.box.name)
		}
	})
	return nil
}

// transfer sends UID MOVE or UID COPY, in halves where it is refused, and
// returns the UIDs for which it was done. New keys come from COPYUID (RFC 4315).
func (ch *changing) transfer(ctx context.Context, s *session, name string, target mailbox, uids mail.KeySet) (done mail.KeySet, err error) {
	attempt := func(set mail.KeySet) (mail.KeySet, error) {
		for piece := range conn.SplitUIDs(set, conn.MaxSet) {
			reply, err := s.Do(ctx, target.add(conn.Cmd(name).UIDs(piece)), func(r *conn.Response) error {
				if r.Status != nil {
					ch.takeCopyUID(*r.Status)
				}
				return nil
			}, "OK", "EXPUNGE", "VANISHED")
			ch.takeCopyUID(reply)
			switch {
			case err == nil:
				done.AddSet(piece)
			case errors.Is(err, fault.NotFound):
				err = inFolder(err, target.name)
				for k := range minus(set, done).All() {
					ch.fail(k, err)
				}
				return set, nil // smaller sets would fare no better
			case s.refused(ctx, err):
				return intersect(set, done), refusal{err}
			default:
				return mail.KeySet{}, err
			}
		}
		return set, nil
	}
	err = inHalves(uids, attempt, ch.fail)
	return done, err
}

// takeCopyUID notes the new keys that a response code tells.
func (ch *changing) takeCopyUID(r conn.Reply) {
	if r.Code != "COPYUID" || len(r.Args) != 3 {
		return
	}
	from, ok1 := uidList(r.Args[1].Text)
	to, ok2 := uidList(r.Args[2].Text)
	if !ok1 || !ok2 || len(from) != len(to) {
		return
	}
	for i, uid := range from {
		for _, at := range ch.at[uid] {
			ch.out[at].NewKey = mail.UIDKey(to[i])
		}
	}
}

// maxListed bounds what a COPYUID may make us write down.
const maxListed = 1 << 20

// uidList expands a set in the order in which it is written: the n-th UID of one
// set of a COPYUID belongs to the n-th of the other.
func uidList(text string) ([]uint32, bool) {
	var list []uint32
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, ":")
		a, err := strconv.ParseUint(first, 10, 32)
		if err != nil {
			return nil, false
		}
		b := a
		if isRange {
			if b, err = strconv.ParseUint(last, 10, 32); err != nil {
				return nil, false
			}
			a, b = min(a, b), max(a, b)
		}
		if uint64(len(list))+(b-a) >= maxListed {
			return nil, false
		}
		for ; a <= b; a++ {
			list = append(list, uint32(a))
		}
	}
	return list, true
}
