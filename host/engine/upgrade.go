package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// replaced is a placeholder whose message was delivered and recorded: it is to be
// removed. Cut short before that, the next run finds it beside its message, and
// knows it by its header.
type replaced struct {
	key   mail.Key
	flags mail.Flags // as they were read
	by    mail.Key   // the message
}

// removeReplaced removes the placeholders whose messages were delivered. Flags
// that somebody changed on them meanwhile are changed on the messages.
func (e *Engine) removeReplaced(ctx context.Context, fp *FolderPlan) error {
	for len(fp.replaced) > 0 {
		batch := fp.replaced[:min(changeBatch, len(fp.replaced))]
		fp.replaced = fp.replaced[len(batch):]
		if err := e.removeSome(ctx, fp, batch); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) removeSome(ctx context.Context, fp *FolderPlan, batch []replaced) error {
	near, ref := e.Near, fp.refs[state.Near]
	var keys mail.KeySet
	at := make(map[mail.Key]replaced, len(batch))
	for _, r := range batch {
		keys.Add(r.key)
		at[r.key] = r
	}
	var flags []mail.Change
	err := near.Describe(ctx, ref, keys, 0, func(ds []mail.Description) error {
		for _, d := range ds {
			r := at[d.Key]
			if add, remove := d.Flags.Minus(r.flags), r.flags.Minus(d.Flags); !add.Empty() || !remove.Empty() {
				flags = append(flags, mail.Change{Key: r.by, Op: mail.ChangeFlags, Add: add, Remove: remove})
			}
		}
		return nil
	})
	if _, partial := driver.AsPartial(err); err != nil && !partial {
		return err
	}
	if len(flags) > 0 {
		fp.blocked.Store(true) // the next run carries them to the other side
		if _, err := near.Change(ctx, ref, flags); err != nil {
			return err
		}
	}
	removals := make([]mail.Change, len(batch))
	for i, r := range batch {
		removals[i] = mail.Change{Key: r.key, Op: mail.ChangeRemove}
	}
	fp.unmark(state.Near)
	outcomes, err := near.Change(ctx, ref, removals)
	if err != nil {
		return err
	}
	var failed []error
	for _, out := range outcomes {
		if out.Err != nil {
			fp.blocked.Store(true)
			failed = append(failed, withKey(out.Err, out.Key))
		}
	}
	return e.allFailed(ctx, fp.Name, failed)
}
