package imap

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// session is a connection and what is selected on it. It belongs to whom the
// pool lent it; appends on their way are the exception, see delivery.
type session struct {
	*conn.Conn
	facts    *facts // the Driver's
	examine  bool   // folders are opened for reading only
	selected *selected
	used     time.Time // when it was given back

	// appends counts the APPENDs without an answer, appendsTo is the folder of
	// the latest.
	appends   atomic.Int32
	appendsTo atomic.Pointer[string]
}

// selected is what SELECT told about a folder (RFC 9051 section 6.3.2).
type selected struct {
	name     string // as mail.Folder.Name
	validity uint32
	uidNext  uint32 // 0 when the server did not tell
	modSeq   uint64 // 0 when the folder has none
	exists   uint32
	readOnly bool
	flags    permanentFlags
	// notSticky: the server gives other UIDs in each session.
	notSticky bool

	// peeked: it was opened for reading only; what flags the folder keeps was not
	// told. See peek.
	peeked bool
	listed *listed // it was opened along with a listing
}

// listed tells of a folder that was opened along with a listing how long its counters
// may be taken for those of now: a server may show a folder as it was when it was
// opened, however long ago.
type listed struct {
	at     time.Time
	learns int  // facts.learns of then: nobody else has selected it since
	used   bool // its counters are good for one reading
}

// listedHolds is how long a listing is of now.
const listedHolds = 5 * time.Second

// before reports that the folder's counters are below those of a position.
func (sel *selected) before(p position) bool {
	return sel.uidNext > 0 && p.uidNext > sel.uidNext || sel.modSeq > 0 && p.modSeq > sel.modSeq
}

func (sel *selected) epoch() string { return epochOf(sel.validity) }

func epochOf(validity uint32) string { return strconv.FormatUint(uint64(validity), 10) }

func (s *session) alive() bool { return s.Alive() }

func (s *session) close() { _ = s.Close() }

// suits says how well the session serves a folder; more is better.
func (s *session) suits(folder string) int {
	appends := s.appends.Load() > 0
	switch {
	case s.selected != nil && s.selected.name == folder:
		return 4
	case appends && *s.appendsTo.Load() == folder:
		return 3
	case appends:
		return 0
	case s.selected == nil:
		return 2
	}
	return 1
}

// purpose is what a folder is entered for, beside reading in it.
type purpose int

const (
	anew     purpose = 1 << iota // the counters have to be those of now
	asListed                     // they may be those of a listing that was just made
	toWrite                      // flags are changed in it, or what flags it keeps is to be known
)

// enter selects a folder unless it is selected, and checks the epoch.
func (s *session) enter(ctx context.Context, box mailbox, epoch string, why purpose) (*selected, error) {
	sel, _, err := s.enterAsking(ctx, box, epoch, why, nil)
	return sel, err
}

// enterAsking is enter, and sends ahead, if that is not nil, for the folder that it
// will be in: in the same round trip, where it selects. The answer is nil where
// nothing was sent.
func (s *session) enterAsking(ctx context.Context, box mailbox, epoch string, why purpose, ahead *conn.Call) (*selected, *conn.Answer, error) {
	var asked *conn.Answer
	if s.hasEntered(box, why) {
		if why&asListed != 0 {
			s.selected.listed.used = true
		}
		if ahead != nil {
			asked = &s.DoAll(ctx, *ahead)[0]
		}
	} else {
		s.selected = nil // also when SELECT fails (RFC 9051 section 6.3.2)
		var sel *selected
		var err error
		if sel, asked, err = s.sendSelect(ctx, box, ahead); err != nil {
			return nil, nil, err
		}
		s.selected = sel
		s.facts.learn(box.name, fact{epoch: sel.epoch(), flags: sel.flags})
	}
	if epoch != "" && epoch != s.selected.epoch() {
		return nil, nil, epochChanged(box.name, epoch, s.selected.epoch())
	}
	return s.selected, asked, nil
}

// hasEntered reports whether a folder is selected in a way that serves the purpose.
func (s *session) hasEntered(box mailbox, why purpose) bool {
	sel := s.selected
	if sel == nil || sel.name != box.name || why&anew != 0 || why&toWrite != 0 && sel.peeked {
		return false
	}
	if l := sel.listed; why&asListed != 0 &&
		(l == nil || l.used || time.Since(l.at) > listedHolds || s.facts.learnt(box.name) != l.learns) {
		return false
	}
	// A folder that was made anew may still be the old one here, and one that
	// was renamed has left its name to others.
	known, ok := s.facts.of(box.name)
	return ok && known.epoch == sel.epoch()
}

func epochChanged(folder, was, is string) error {
	return fault.New(fault.EpochChanged, "select", "UIDVALIDITY is %s, it was %s", is, was).InFolder(folder)
}

// sendSelect selects a folder, and sends one more command for it right behind. A
// folder that cannot be selected leaves none selected, so that is refused too.
func (s *session) sendSelect(ctx context.Context, box mailbox, ahead *conn.Call) (*selected, *conn.Answer, error) {
	sel := &selected{name: box.name}
	command := "SELECT"
	if s.examine {
		command = examine
	}
	calls := []conn.Call{sel.call(command, box)}
	if ahead != nil {
		calls = append(calls, *ahead)
	}
	answers := s.DoAll(ctx, calls...)
	if err := answers[0].Err; err != nil {
		return nil, nil, s.explain(ctx, box, err)
	}
	sel.readOnly = answers[0].Reply.Code == "READ-ONLY"
	if sel.notSticky {
		return nil, nil, fault.New(fault.Unsupported, "select", "the server does not keep the UIDs of this folder").
			InFolder(box.name).WithHint("leave it out with the option folders")
	}
	if sel.validity == 0 {
		return nil, nil, fault.New(fault.Protocol, "select", "the server tells no UIDVALIDITY").
			InFolder(box.name).WithHint("without it UIDs cannot be trusted, so the folder is left alone")
	}
	if ahead != nil {
		return sel, &answers[1], nil
	}
	return sel, nil, nil
}

// examine selects a folder for reading only: it does not even take away \Recent.
const examine = "EXAMINE"

// call is a command that selects a folder.
func (sel *selected) call(command string, box mailbox) conn.Call {
	return conn.Call{Cmd: box.add(conn.Cmd(command)), On: func(r *conn.Response) error {
		sel.note(r)
		return nil
	}, Take: []string{"OK", "NO", "EXISTS", "FLAGS", "RECENT", "LIST"}}
}

// note takes one untagged response to SELECT.
func (sel *selected) note(r *conn.Response) {
	if r.Name == "EXISTS" {
		sel.exists = r.Num
		return
	}
	if r.Status == nil {
		return
	}
	number := func() uint64 {
		if len(r.Status.Args) == 0 {
			return 0
		}
		n, _ := r.Status.Args[0].Uint()
		return n
	}
	switch r.Status.Code {
	case "UIDVALIDITY":
		sel.validity = uint32(number())
	case "UIDNEXT":
		sel.uidNext = uint32(number())
	case "UIDNOTSTICKY":
		sel.notSticky = true
	case "HIGHESTMODSEQ":
		sel.modSeq = number()
	case "PERMANENTFLAGS":
		if len(r.Status.Args) > 0 {
			names := r.Status.Args[0].Strings()
			sel.flags = permanentFlags{told: true, flags: mail.NewFlags(names...)}
			for _, name := range names {
				sel.flags.anyKeyword = sel.flags.anyKeyword || name == `\*`
			}
		}
	}
}

// explain makes a refusal to open a folder say whether the folder is there:
// many servers give no response code.
func (s *session) explain(ctx context.Context, box mailbox, err error) error {
	if s.refused(ctx, err) && fault.CodeOf(err) == fault.Refused {
		if there, listErr := s.exists(ctx, box); listErr == nil && !there {
			return (&fault.Error{Code: fault.NotFound, Op: "select", Folder: box.name, Err: err}).
				WithHint("the server does not list it")
		}
	}
	return inFolder(err, box.name)
}

// exists asks whether the server lists a folder that can be selected.
func (s *session) exists(ctx context.Context, box mailbox) (bool, error) {
	there := false
	// A name with a wildcard in it also matches others.
	wild := strings.ContainsAny(s.wire(box), "%*")
	_, err := s.Do(ctx, box.add(conn.Cmd("LIST").Text("")), func(r *conn.Response) error {
		if len(r.Fields) == 3 && (!wild || r.Fields[2].Text == s.wire(box)) {
			f := mail.Folder{Attrs: r.Fields[0].Strings()}
			there = there || f.Selectable()
		}
		return nil
	}, "LIST")
	return there, err
}

// refused tells an answer that says no from a connection that does not work.
func (s *session) refused(ctx context.Context, err error) bool {
	var e *fault.Error
	return err != nil && ctx.Err() == nil && s.alive() && errors.As(err, &e) && e.Code != fault.EpochChanged
}

// inFolder names the folder in an error by the name that the rest of the program
// knows it by. A refusal stays one.
func inFolder(err error, name string) error {
	if r, ok := err.(refusal); ok {
		return refusal{inFolder(r.error, name)}
	}
	return fault.WithFolder(err, name)
}

// search returns the UIDs that match. keys is protocol text.
func (s *session) search(ctx context.Context, keys string) (mail.KeySet, error) {
	var found mail.KeySet
	cmd := conn.Cmd("UID SEARCH")
	if s.Has("ESEARCH") {
		cmd.Raw("RETURN (ALL)")
	}
	_, err := s.Do(ctx, cmd.Raw(keys), func(r *conn.Response) error {
		if r.Name == "SEARCH" {
			for _, v := range r.Fields {
				if n, ok := v.Uint(); ok && n > 0 && n < 1<<32 {
					found.AddUIDs(uint32(n), uint32(n))
				}
			}
			return nil
		}
		for i := 0; i+1 < len(r.Fields); i++ {
			if strings.EqualFold(r.Fields[i].Text, "ALL") {
				set, ok := conn.ParseUIDs(r.Fields[i+1].Text)
				if !ok {
					return fault.New(fault.Protocol, "uid search", "the answer %q is no set of UIDs", r.Fields[i+1].Text)
				}
				found.AddSet(set)
			}
		}
		return nil
	}, "SEARCH", "ESEARCH")
	return found, err
}

// present returns which of the given UIDs are in the selected folder.
func (s *session) present(ctx context.Context, uids mail.KeySet) (mail.KeySet, error) {
	var found mail.KeySet
	for piece := range conn.SplitUIDs(uids, conn.MaxSet) {
		part, err := s.search(ctx, "UID "+conn.SetText(piece))
		if err != nil {
			return found, err
		}
		found.AddSet(part)
	}
	return intersect(found, uids), nil
}
