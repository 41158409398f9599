package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// A message that the other side will never take as it is gets set aside: a row
// with the key of its source alone, and with the answer. The rest of the folder
// goes on without it, and every run names it. It is tried again when its flags
// change, or when what the folder was brought in step with does: the options, or
// the size of the largest message that either side takes.
//
// An answer that does not tell whether the message is to blame is given a second
// chance, by the next run.

// onceRefused begins the note of a message that has a second chance.
const onceRefused = "once: "

// refused decides about a message that was set aside. Whatever happens to it, its
// source is never touched.
func (d *differ) refused(r state.Row) {
	from := state.Far
	if r.Far == "" {
		from = state.Near
	}
	now, flagged := d.deltas[from].Flags[r.ID]
	if !flagged {
		now = r.Flags
	}
	switch {
	case d.deltas[from].Gone[r.ID]:
		d.plan.drop = append(d.plan.drop, r.ID)
	case (flagged || d.Again || strings.HasPrefix(r.Note, onceRefused)) && !d.deltas[from].Hidden[r.ID] &&
		d.Policy.toward(from.Other())&OpNew != 0:
		d.renew(from, r, now)
		if d.plan.earlier == nil {
			d.plan.earlier = map[earlier]string{}
		}
		d.plan.earlier[earlier{from, r.Key(from)}] = r.Note
	default:
		d.plan.refused++
	}
}

// earlier names a message of a plan that was refused before.
type earlier struct {
	source state.Side
	key    mail.Key
}

// policy is what a folder is brought in step with: the options, and where a
// message was refused, the limits.
func (fp *FolderPlan) policy() string {
	return policyWith(fp.options, fp.limits, fp.refused)
}

func policyWith(options, limits string, refused int) string {
	if refused == 0 || limits == "" {
		return options
	}
	return options + " " + limits
}

// limits are the sizes of the largest messages that both sides take; empty where
// neither tells.
func (p *pair) limits() string {
	var far, near int64
	if p.far != nil {
		far = p.far.Limit
	}
	if p.near != nil {
		near = p.near.Limit
	}
	if far == 0 && near == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", far, near)
}

// policyOf is what a folder would be brought in step with today.
func (e *Engine) policyOf(p *pair) string {
	refused := 0
	if p.known != nil {
		refused = p.known.Refused
	}
	return policyWith(e.fingerprint(), p.limits(), refused)
}

// worthAnotherTry reports whether the options or limits have changed since
// messages of the folder were refused. A folder that never came to its end has
// nothing to compare with.
func (r *reading) worthAnotherTry() bool {
	k := r.p.known
	return k != nil && k.Refused > 0 && k.Policy != "" && k.Policy != r.e.policyOf(&r.p)
}

// setAside decides what becomes of a message that was not taken. It returns the
// row that remembers it, or nothing when the failure is not the message's: then
// the folder stays as it was for the next run.
func (c *copier) setAside(row state.Row, err error) (aside *state.Row, again bool) {
	f := asFault(err)
	if f.Temporary || !f.Final && f.Code != fault.Refused {
		return nil, true
	}
	if it, known := c.known[row.Key(c.from)]; known && it.row.Key(c.to) != "" {
		return nil, true // it has a copy there already
	}
	row.Status, row.Note = state.StatusRefused, answerOf(f)
	before, known := c.fp.earlier[earlier{c.from, row.Key(c.from)}]
	again = !f.Final && (!known || !strings.HasPrefix(before, onceRefused))
	if again {
		row.Note = onceRefused + row.Note
	}
	return &row, again
}

// answerOf is what the other side said, without where and what was being done.
func answerOf(f *fault.Error) string {
	bare := *f
	bare.Op, bare.Folder, bare.Key, bare.Account, bare.Worker, bare.At, bare.Hint = "", "", "", "", "", "", ""
	text := bare.Error()
	return text[:min(len(text), maxNote)]
}

// answered is the answer that a row remembers.
func answered(r state.Row) string { return strings.TrimPrefix(r.Note, onceRefused) }

// maxNote is how much of an answer is kept.
const maxNote = 500

// refusedError tells that a message was set aside, or will be.
func refusedError(err error, source mail.Key, again bool) error {
	f := *asFault(withKey(err, source))
	why := "it is set aside, and tried again when its flags or the limits change"
	if again {
		why = "the next run tries once more"
	}
	f.Hint = strings.TrimPrefix(f.Hint+"; "+why, "; ")
	return &f
}

// Refusal is a message that is set aside.
type Refusal struct {
	Folder string
	Side   state.Side // that refused it
	Key    mail.Key   // on the other side, where it is
	Size   int64      // -1 when it is not known
	Note   string     // the answer
}

func (r Refusal) value() wire.Map {
	return wire.Map{"folder": r.Folder, "side": r.Side.String(), "key": string(r.Key), "size": r.Size, "note": r.Note}
}

func (r Refusal) text() string {
	return fmt.Sprintf("message %s was refused by the %s side and is set aside: %s", r.Key, r.Side, r.Note)
}

// maxNamed is how many messages set aside by earlier runs a run names one by one.
const maxNamed = 50

// nameRefused notes which messages are set aside now, so that no run that leaves
// one out looks as if everything was done. Where there are none it costs nothing.
func (e *Engine) nameRefused(ctx context.Context) error {
	some := e.refusing.Load()
	for _, f := range e.known {
		some = some || f.Refused > 0
	}
	if !some || ctx.Err() != nil {
		return nil
	}
	folders, err := e.State.Folders(ctx)
	if err != nil {
		return err
	}
	failed := e.report.failedKeys() // told already, by this run
	told, untold := 0, 0
	for _, f := range folders {
		if f.Refused == 0 {
			continue
		}
		list, err := e.refusals(ctx, f.Far)
		if err != nil {
			return err
		}
		e.report.setAside(list)
		for _, one := range list {
			switch {
			case failed[failure{one.Folder, string(one.Key)}]:
			case told == maxNamed:
				untold++
			default:
				told++
				e.told(f.Far, "%s", one.text())
			}
		}
	}
	if untold > 0 {
		e.told("", "%d more messages are set aside", untold)
	}
	return nil
}

var errEnough = errors.New("enough")

// refusals returns the messages of a folder that are set aside. Rows without a
// key on a side come first, so the pairs behind them are not read.
func (e *Engine) refusals(ctx context.Context, folder string) ([]Refusal, error) {
	var out []Refusal
	for _, by := range []state.Side{state.Far, state.Near} {
		err := e.State.Load(ctx, folder, by, func(rows []state.Row) error {
			for _, r := range rows {
				if r.Key(by) != "" {
					return errEnough
				}
				if r.Status == state.StatusRefused {
					out = append(out, Refusal{Folder: folder, Side: by, Key: r.Key(by.Other()), Size: r.Size,
						Note: answered(r)})
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b Refusal) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}
