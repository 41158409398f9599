package imap

import (
	"context"
	"iter"
	"math"
	"slices"
	"strconv"

	goimap "github.com/emersion/go-imap/v2"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

const (
	// batch is how many metas are handed out at once.
	batch = 500
	// chunk is how many messages are fetched by one command, and the most that
	// are in memory, twice.
	chunk = 5000
	// large is the size of a folder from which on it is asked first how much
	// changed, and what changed in parts where that is much.
	large = 10 * chunk
)

// metaItems is what Changes fetches.
const metaItems = hasFlags | hasDate | hasSize

// Changes reads a folder by the cheapest way its server has:
//
//   - QRESYNC (RFC 7162): what changed since HIGHESTMODSEQ, and what vanished.
//   - CONDSTORE: what changed, and the UIDs of all that is there.
//   - otherwise the flags of everything.
//
// The cursor it returns is of the moment before the reading: what changes
// meanwhile is told again the next time. When messages are there that the server
// did not describe, the cursor is empty, and everything is read the next time.
func (d *Driver) Changes(ctx context.Context, folder mail.Ref, since mail.Cursor, fn func([]mail.Meta) error) (mail.Result, error) {
	box, err := d.names.forServer(folder.Name)
	if err != nil {
		return mail.Result{}, err
	}
	r := &reading{d: d, box: box, epoch: folder.Epoch, fn: fn}
	r.since, _ = parseCursor(since)
	if err := d.with(ctx, box.name, true, r.begin); err != nil {
		return mail.Result{}, err
	}
	switch {
	case r.sel.exists == 0:
		r.result.Complete = true
	case r.since.modSeq > 0 && r.now == r.since:
	default:
		if err = r.read(ctx); err == nil && !r.addsUp() {
			err = d.with(ctx, box.name, true, r.count)
		}
		if err == nil && r.now.modSeq == 0 && r.result.Cursor != "" {
			r.result.Cursor = r.now.cursor()
		}
	}
	return r.result, err
}

// reading is one call of Changes.
type reading struct {
	d     *Driver
	box   mailbox
	epoch string
	fn    func([]mail.Meta) error

	sel    *selected
	since  position // zero: from the beginning
	now    position
	result mail.Result

	qresync bool
	early   *answer     // what came with SELECT; nil: nothing, or nothing that counts
	known   bool        // all is
	all     mail.KeySet // what UID SEARCH found
	fresh   int         // messages that were handed out and are new since then
}

// begin selects the folder and decides how it is read. Where it can be asked in
// one command what changed, that goes along with SELECT.
func (r *reading) begin(ctx context.Context, s *session) error {
	r.qresync = s.Has(goimap.CapQResync)
	why := anew
	if r.qresync && r.since.modSeq > 0 { // else who is not there is taken for gone
		why = asListed
	}
	sel, err := r.enter(ctx, s, why)
	if err == nil && why == asListed && sel.listed != nil && (sel.exists == 0 || sel.before(r.since)) {
		sel, err = r.enter(ctx, s, anew) // that all is gone is not believed on a listing's word
	}
	if err != nil {
		return err
	}
	r.sel, r.epoch = sel, sel.epoch()
	r.now = position{uidNext: sel.uidNext, modSeq: sel.modSeq, messages: sel.exists}
	r.result.Epoch, r.result.Cursor = r.epoch, r.now.cursor()
	if sel.before(r.since) {
		r.result.Rewound = true
		r.since = position{}
	}
	if sel.modSeq == 0 {
		r.since = position{} // flags may have changed unseen
	}
	if r.since.modSeq == 0 {
		r.early = nil // it was asked since a moment that does not count
	}
	if sel.exists == 0 || r.since.modSeq > 0 && (r.now == r.since || r.qresync && int(sel.exists) <= r.d.large) {
		return nil
	}
	if few, err := r.few(ctx, s); few || err != nil {
		return inFolder(err, r.box.name)
	}
	if r.all, err = s.search(ctx, "ALL"); err != nil {
		return inFolder(err, r.box.name)
	}
	r.known = true
	if r.since.modSeq == 0 || !r.qresync {
		r.result.Complete, r.result.Present = true, r.all
	}
	// A server that finds fewer messages than it says there are has lost its
	// index, or somebody else is removing some just now.
	r.result.Unsure = r.all.Len() < int(sel.exists)
	return nil
}

// enter selects the folder, and asks along with it what can be asked in one command:
// what changed, or what the folder is called for good.
func (r *reading) enter(ctx context.Context, s *session, why purpose) (*selected, error) {
	var came arrivals
	var a answer
	var ahead *conn.Call
	r.early = nil
	fromStart := r.since == (position{})
	switch {
	case fromStart:
		ahead = r.d.askGUID(s, r.box, &r.result.ID)
	case r.qresync && r.since.modSeq > 0 && int(r.since.messages) <= r.d.large:
		call := request{set: r.since.everything(), want: metaItems, since: r.since.modSeq, vanished: &a.vanished}.call(&came)
		ahead = &call
	}
	sel, asked, err := s.enterAsking(ctx, r.box, r.epoch, why, ahead)
	if err != nil || asked == nil {
		return sel, err
	}
	switch {
	case !fromStart && asked.Err == nil:
		if list, incomplete := came.settle(metaItems); incomplete.Empty() {
			a.records = list
			r.early = &a
		}
	case fromStart && s.refused(ctx, asked.Err) && fault.CodeOf(asked.Err) == fault.Protocol:
		r.d.noGUID.Store(true) // it does not know the word; a NO is about this folder
	}
	return sel, nil
}

// few reports whether so little changed in a large folder that one command may ask for
// all of it.
func (r *reading) few(ctx context.Context, s *session) (bool, error) {
	if !r.qresync || r.since.modSeq == 0 || !s.Has("ESEARCH") {
		return false, nil
	}
	changed, err := s.search(ctx, "MODSEQ "+strconv.FormatUint(r.since.modSeq+1, 10))
	if s.refused(ctx, err) {
		return false, nil // then in parts
	}
	return changed.Len() <= r.d.chunk, err
}

// part is what one command asks for.
type part struct {
	set    string
	expect mail.KeySet // what must come back
}

// parts cuts the reading into commands.
func (r *reading) parts() iter.Seq[part] {
	return func(yield func(part) bool) {
		if !r.known {
			yield(part{set: r.since.everything()})
			return
		}
		next := uint32(1)
		for piece := range pieces(r.all, r.d.chunk) {
			first, last := bounds(piece)
			p := part{expect: piece, set: rangeText(first, last)}
			if r.since.modSeq > 0 {
				// Between the messages there are UIDs that may have vanished.
				p = part{set: rangeText(next, last)}
			}
			next = last + 1
			if !yield(p) {
				return
			}
		}
		if r.since.modSeq > 0 && next != 0 {
			// Not up to "*": n:* is the last message even when it is below n.
			yield(part{set: rangeText(next, math.MaxUint32)})
		}
	}
}

func rangeText(first, last uint32) string {
	text := strconv.FormatUint(uint64(first), 10)
	if last != first {
		text += ":" + strconv.FormatUint(uint64(last), 10)
	}
	return text
}

// answer is what came back.
type answer struct {
	records  []record
	vanished mail.KeySet
	failed   bool // a message that is there is not among the records
}

// read fetches the parts and hands them out.
func (r *reading) read(ctx context.Context) error {
	return ahead(ctx, r.parts(), r.ask, func(a answer) error {
		r.result.Gone.AddSet(a.vanished)
		if a.failed {
			r.result.Cursor = ""
		}
		return r.handOut(a.records)
	}, func(answer) {})
}

// ask fetches one part.
func (r *reading) ask(ctx context.Context, p part) (answer, error) {
	if r.early != nil && !r.known {
		return *r.early, nil
	}
	var a answer
	var missing mail.KeySet
	err := r.d.with(ctx, r.box.name, true, func(ctx context.Context, s *session) error {
		if _, err := s.enter(ctx, r.box, r.epoch, 0); err != nil {
			return err
		}
		a = answer{}
		req := request{set: p.set, want: metaItems, since: r.since.modSeq}
		if r.qresync && r.since.modSeq > 0 {
			req.vanished = &a.vanished
		}
		list, incomplete, err := s.fetchAll(ctx, req)
		if s.refused(ctx, err) && !p.expect.Empty() {
			r.d.log.Debug("the server refused a part of the flags", "folder", r.box.name, "error", err)
			err = nil // what is missing is asked for again
		}
		a.records, missing = list, minus(p.expect, uidsOf(list))
		missing.AddSet(incomplete)
		return inFolder(err, r.box.name)
	})
	if err != nil || missing.Empty() {
		return a, err
	}
	err = r.d.persist(ctx, r.box, r.epoch, missing, metaItems,
		func(late []record, _ *spool) error {
			a.records = append(a.records, late...)
			return nil
		},
		func(k mail.Key, err error) {
			a.failed = true
			r.d.log.Warn("the server does not describe a message", "folder", r.box.name, "key", k, "error", err)
		})
	a.records = settle(a.records, metaItems)
	return a, err
}

// addsUp reports whether what was told explains how many messages there are. It does not
// where somebody was quicker than we; or where the server did not tell, of all that
// vanished, what it should have.
func (r *reading) addsUp() bool {
	if r.result.Complete { // it was told who is there
		return true
	}
	vanished := 0
	for _, run := range r.result.Gone.UIDs() {
		if run.First < r.since.uidNext {
			vanished += int(min(run.Last, r.since.uidNext-1)-run.First) + 1
		}
	}
	return int(r.since.messages)-vanished+r.fresh == int(r.sel.exists)
}

// count asks who is there now: others may have added and removed some since the folder
// was selected.
func (r *reading) count(ctx context.Context, s *session) error {
	sel, err := s.enter(ctx, r.box, r.epoch, anew)
	if err != nil {
		return err
	}
	if r.all, err = s.search(ctx, "ALL"); err != nil {
		return inFolder(err, r.box.name)
	}
	r.result.Complete, r.result.Present = true, r.all
	r.result.Unsure = r.all.Len() < int(sel.exists)
	return nil
}

func (r *reading) handOut(list []record) error {
	metas := make([]mail.Meta, 0, min(len(list), batch))
	for part := range slices.Chunk(list, batch) {
		metas = metas[:0]
		for i := range part {
			metas = append(metas, part[i].meta())
			if part[i].uid >= r.since.uidNext {
				r.fresh++
			}
			if r.now.modSeq == 0 {
				r.now.add(part[i].uid, part[i].flags)
			}
		}
		if err := r.fn(metas); err != nil {
			return err
		}
	}
	return nil
}
