package imap

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/mail"
)

// describeChunk is how many messages are described by one command: with their
// headers they are in memory, twice.
const describeChunk = 500

// Describe fetches size, date and header; flags come along.
func (d *Driver) Describe(ctx context.Context, folder mail.Ref, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error {
	box, err := d.names.forServer(folder.Name)
	if err != nil {
		return err
	}
	items := hasFlags
	if want&(mail.WantSize|mail.WantCRLFSize) != 0 {
		items |= hasSize // RFC822.SIZE counts the CRLF form
	}
	if want&mail.WantDate != 0 {
		items |= hasDate
	}
	if want&mail.WantHeader != 0 {
		items |= hasHeader
	}
	var failed driver.Partial
	err = ahead(ctx, pieces(keys, describeChunk), func(ctx context.Context, set mail.KeySet) ([]record, error) {
		return d.describe(ctx, box, folder.Epoch, set, items, failed.Fail)
	}, func(list []record) error {
		out := make([]mail.Description, len(list))
		for i := range list {
			out[i] = mail.Description{Meta: list[i].meta(), Header: list[i].header}
			if want&mail.WantCRLFSize != 0 {
				out[i].CRLFSize = list[i].size
			}
		}
		if len(out) == 0 {
			return nil
		}
		return fn(out)
	}, func([]record) {})
	if err != nil {
		return err
	}
	return failed.OrNil()
}

func (d *Driver) describe(ctx context.Context, box mailbox, epoch string, set mail.KeySet, want items, failed func(mail.Key, error)) ([]record, error) {
	var list []record
	err := d.with(ctx, box.name, true, func(ctx context.Context, s *session) error {
		_, err := s.enter(ctx, box, epoch, 0)
		if err == nil {
			list, err = s.fetchSet(ctx, set, want, nil)
		}
		if s.refused(ctx, err) && s.selected != nil {
			err = nil
		}
		return inFolder(err, box.name)
	})
	missing := minus(set, uidsOf(list))
	if err != nil || missing.Empty() {
		return list, err
	}
	err = d.persist(ctx, box, epoch, missing, want, func(late []record, _ *spool) error {
		list = append(list, late...)
		return nil
	}, failed)
	return settle(list, want), err
}

// sizesOf fetches the sizes of messages that are there; those it does not get
// are left out.
func (s *session) sizesOf(ctx context.Context, set mail.KeySet) (map[uint32]int64, error) {
	sizes := map[uint32]int64{}
	for piece := range conn.SplitUIDs(set, conn.MaxSet) {
		list, err := s.fetch(ctx, request{set: conn.SetText(piece), want: hasSize})
		if err != nil && !s.refused(ctx, err) {
			return nil, err
		}
		for _, rec := range list {
			sizes[rec.uid] = rec.size
		}
	}
	return sizes, nil
}
