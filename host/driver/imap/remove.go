package imap

import (
	"context"

	goimap "github.com/emersion/go-imap/v2"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func deleted() mail.Flags { return mail.Flags{System: mail.Deleted} }

// remove removes messages for good.
func (ch *changing) remove(ctx context.Context, uids mail.KeySet) error {
	if uids.Empty() {
		return nil
	}
	return ch.on(ctx, "remove", true, func(ctx context.Context, s *session) error {
		there, err := s.present(ctx, uids)
		if err != nil {
			return err
		}
		ch.gone(minus(uids, there))
		return ch.expunge(ctx, s, there)
	})
}

// expunge removes messages that are there, and looks whether they are gone.
func (ch *changing) expunge(ctx context.Context, s *session, uids mail.KeySet) error {
	if uids.Empty() {
		return nil
	}
	mark := &store{goimap.StoreFlagsAdd, deleted(), uids}
	failed := map[mail.Key]error{}
	fail := func(k mail.Key, err error) { failed[k] = err }
	var last error
	if s.Has(goimap.CapUIDPlus) {
		refused, err := s.storeAll(ctx, []*store{mark})
		if err != nil {
			return err
		}
		for _, st := range refused {
			err := inHalves(st.uids, func(set mail.KeySet) (mail.KeySet, error) {
				return s.attempt(ctx, set, st.command(set))
			}, fail)
			if err != nil {
				return err
			}
		}
		for piece := range conn.SplitUIDs(uids, conn.MaxSet) {
			if _, err := s.Do(ctx, conn.Cmd("UID EXPUNGE").UIDs(piece), nil, "EXPUNGE", "VANISHED"); err != nil {
				if !s.refused(ctx, err) {
					return err
				}
				last = err
			}
		}
	} else {
		err := ch.expungeAlone(ctx, s, mark)
		if err != nil && !s.refused(ctx, err) {
			return err
		}
		last = err
	}
	still, err := s.present(ctx, uids)
	if err != nil {
		return err
	}
	ch.each(still, func(o *mail.Outcome) {
		switch {
		case failed[o.Key] != nil:
			o.Err = failed[o.Key]
		case last != nil:
			o.Err = last
		default:
			o.Err = fault.New(fault.Refused, "expunge", "the server says it is done, and the message is still there").InFolder(ch.box.name)
		}
	})
	return nil
}

// expungeTries is how often others may mark messages while we are about to
// expunge.
const expungeTries = 5

// expungeAlone removes messages from a folder of a server without UID EXPUNGE
// (RFC 4315): its EXPUNGE takes every message marked \Deleted. Those that others
// have marked lose the mark meanwhile; a crash in between keeps mail.
func (ch *changing) expungeAlone(ctx context.Context, s *session, mark *store) error {
	restore := func() error { return ch.restore(ctx, s) }
	mine := false // the marks of our own are set
	for range expungeTries {
		marked, err := s.search(ctx, "DELETED")
		if err != nil {
			return err
		}
		strangers := minus(marked, mark.uids)
		if strangers.Empty() {
			if mine {
				_, err = s.Do(ctx, conn.Cmd("EXPUNGE"), nil, "EXPUNGE", "VANISHED")
				if again := restore(); err == nil {
					err = again
				}
				return err
			}
			// The mark comes last, so that the look before EXPUNGE is fresh.
			if err := s.storeEach(ctx, mark); err != nil {
				return first(err, restore())
			}
			mine = true
			continue
		}
		ch.strangers.AddSet(strangers)
		if err := s.storeEach(ctx, &store{goimap.StoreFlagsDel, deleted(), strangers}); err != nil {
			return first(err, restore())
		}
	}
	busy := fault.New(fault.Busy, "expunge", "another program marks messages as deleted in this folder just now").AsTemporary()
	return first(busy, restore())
}

// restore marks again what others had marked.
func (ch *changing) restore(ctx context.Context, s *session) error {
	if ch.strangers.Empty() {
		return nil
	}
	err := s.storeEach(ctx, &store{goimap.StoreFlagsAdd, deleted(), ch.strangers})
	if err == nil {
		ch.strangers = mail.KeySet{}
	}
	return err
}

// restoreLater does it on another connection, where one was lost meanwhile.
func (ch *changing) restoreLater(ctx context.Context) error {
	if ch.strangers.Empty() {
		return nil
	}
	return ch.on(ctx, "store", true, ch.restore)
}

// first returns the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// storeEach sends a STORE, in pieces, until one is refused.
func (s *session) storeEach(ctx context.Context, st *store) error {
	for piece := range conn.SplitUIDs(st.uids, conn.MaxSet) {
		if _, err := s.Do(ctx, st.command(piece), nil); err != nil {
			return err
		}
	}
	return nil
}
