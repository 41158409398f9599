package engine

import (
	"context"
	"strings"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// of returns what the options call the trash of a side; empty where there is none.
func (t Trash) of(side state.Side) string {
	if side == state.Far {
		return t.Far
	}
	return t.Near
}

// trashes sends what a plan removes to the trash of its side, as far as there is
// one. Removals in the trash itself are for good, and so are those of near copies
// that the far side keeps.
//
// A removal that goes to the trash is a removal all the same: it counts for the
// guard, and the pair ends. The message in the trash is a new one there, as it
// would be if a user had moved it.
func (e *Engine) trashes(ctx context.Context, plan *Plan) error {
	for _, fp := range plan.Folders {
		var steps []*Step
		for _, s := range fp.Steps {
			trash, err := e.trashOf(s.Side)
			switch {
			case s.Op != OpRemove || s.Expiry || e.Policy.Trash.of(s.Side) == "" || trash == fp.Name:
				steps = append(steps, s)
			case err != nil:
				// Whoever asks for a trash does not want mail removed without.
				fp.blocked.Store(true)
				if err := e.folderFailed(ctx, fp.Name, err); err != nil {
					return err
				}
			default:
				steps = append(steps, e.Policy.divert(s, trash)...)
			}
		}
		fp.Steps = steps
	}
	return nil
}

// divert sends the messages of a removal to the trash, but placeholders, which
// are nothing without their messages, and those that the options leave out because
// the other side had them too.
func (p Policy) divert(s *Step, trash string) []*Step {
	away, rest := *s, *s
	away.To, away.items, rest.items = trash, items{}, items{}
	for _, it := range s.items.all() {
		if placeholderItem(s, it) || p.Trash.NewOnly.Has(s.Side) && !it.neverCopied() {
			rest.items.add(it)
		} else {
			away.items.add(it)
		}
	}
	var out []*Step
	for _, part := range []*Step{&away, &rest} {
		if part.items.len() > 0 {
			out = append(out, part)
		}
	}
	return out
}

// trashOf returns the folder that is the trash of a side. One that is named by
// its special use is the folder that the side has marked with it.
func (e *Engine) trashOf(side state.Side) (string, error) {
	name := e.Policy.Trash.of(side)
	if !strings.HasPrefix(name, `\`) {
		return name, nil
	}
	for _, f := range e.listed[side] {
		if f.HasAttr(name) {
			return f.Name, nil
		}
	}
	return "", fault.New(fault.NotFound, "remove messages", "no folder on the %s side is marked as %s", side, name).
		WithHint("nothing was removed; name the folder itself in trash = { ... }")
}

// openTrash prepares the trash for messages: it is made where it is missing, and
// they lose their mark as deleted, lest somebody else's expunge takes them.
func (e *Engine) openTrash(ctx context.Context, fp *FolderPlan, s *Step, items []item) error {
	if e.listed[s.Side][s.To] == nil {
		maker, ok := driver.As[driver.FolderMaker](e.store(s.Side))
		if !ok {
			return fault.New(fault.Unsupported, "create folder", "the %s side cannot create folders", s.Side).InFolder(s.To)
		}
		if err := maker.CreateFolder(ctx, s.To); err != nil {
			return err
		}
		if e.Policy.Subscribe.Has(s.Side) {
			if err := maker.Subscribe(ctx, s.To); err != nil {
				return err
			}
		}
	}
	var marked []mail.Change
	for _, it := range items {
		if it.meta.Flags.Has(mail.Deleted) {
			marked = append(marked, mail.Change{Key: it.meta.Key, Op: mail.ChangeFlags, Remove: mail.Flags{System: mail.Deleted}})
		}
	}
	if len(marked) == 0 {
		return nil
	}
	_, err := e.store(s.Side).Change(ctx, fp.refs[s.Side], marked)
	return err
}

// removalOf is the change that takes a message away.
func removalOf(s *Step, key mail.Key) mail.Change {
	if s.To != "" {
		return mail.Change{Key: key, Op: mail.ChangeMove, To: s.To}
	}
	return mail.Change{Key: key, Op: mail.ChangeRemove}
}
