//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// scenario is what happens before a sync that is measured.
type scenario struct {
	name  string // for the names of rows
	title string
	// first is set where the tool begins without a Maildir and a state.
	first bool
	// near is set where it happens in the Maildir.
	near bool
	// change does it, and returns to how many messages.
	change func(ctx context.Context, a *account, rnd *rand.Rand) (int, error)
}

var scenarios = map[string]scenario{
	"cold":        {name: "cold", title: "First sync into an empty Maildir", first: true, change: cold},
	"noop":        {name: "noop", title: "Nothing changed", change: nothing},
	"flags":       {name: "flags", title: `\Flagged of 1 % changed on the server`, change: flagFar},
	"local-flags": {name: "local flags", title: "1 % renamed in the Maildir to change a flag", near: true, change: flagNear},
	"new":         {name: "new", title: "100 new messages on the server", change: appendFar},
	"expunged":    {name: "expunged", title: "1 % expunged on the server", change: expungeFar},
	"push":        {name: "push", title: "Full Maildir, empty account, no state", first: true, near: true, change: push},
}

// prepare makes a scenario happen, for the n-th time in this account: to the same
// messages as in the accounts of the other tools. Afterwards a.want is what both
// sides must hold after a sync.
func (a *account) prepare(ctx context.Context, name string) (changed int, err error) {
	s := scenarios[name]
	rnd := random(seed, a.fixture.corpus, name, a.times[name])
	a.times[name]++
	if s.first {
		if err := a.clear(); err != nil {
			return 0, err
		}
	}
	changed, err = s.change(ctx, a, rnd)
	if err != nil {
		return 0, fmt.Errorf("prepare %q: %w", name, err)
	}
	if s.near {
		a.want, err = readNear(a.mail(), a.tool.Added)
		return changed, err
	}
	return changed, a.session(ctx, func(r *remote) (err error) {
		a.want, err = r.mailbox(true)
		return err
	})
}

func cold(_ context.Context, a *account, _ *rand.Rand) (int, error) { return a.want.messages(), nil }

func nothing(context.Context, *account, *rand.Rand) (int, error) { return 0, nil }

// push is done in an account that only it uses.
func push(ctx context.Context, a *account, _ *rand.Rand) (int, error) {
	if err := a.newUser(); err != nil {
		return 0, err
	}
	return a.fixture.corpus.messages(), a.copyCorpus(ctx)
}

// onePercent chooses from a list.
func onePercent(list []held, rnd *rand.Rand) []held {
	var out []held
	for _, i := range rnd.Perm(len(list))[:max(1, len(list)/100)] {
		out = append(out, list[i])
	}
	return out
}

// eachFolder calls do for each folder of the server, with its messages by UID.
func (a *account) eachFolder(ctx context.Context, do func(r *remote, list []held) error) error {
	return a.session(ctx, func(r *remote) error {
		for _, f := range a.fixture.corpus.folders() {
			if err := r.open(f.Name, false); err != nil {
				return err
			}
			list, err := r.flags()
			if err != nil {
				return err
			}
			slices.SortFunc(list, func(a, b held) int { return int(a.UID) - int(b.UID) })
			if err := do(r, list); err != nil {
				return fmt.Errorf("change %s: %w", f.Name, err)
			}
		}
		return nil
	})
}

func (r *remote) store(op imap.StoreFlagsOp, flag imap.Flag, uids imap.UIDSet) error {
	if len(uids) == 0 {
		return nil
	}
	return r.client.Store(uids, &imap.StoreFlags{Op: op, Silent: true, Flags: []imap.Flag{flag}}, nil).Close()
}

func flagFar(ctx context.Context, a *account, rnd *rand.Rand) (changed int, err error) {
	err = a.eachFolder(ctx, func(r *remote, list []held) error {
		var set, unset imap.UIDSet
		for _, m := range onePercent(list, rnd) {
			if strings.Contains(m.Flags, "F") {
				unset.AddNum(imap.UID(m.UID))
			} else {
				set.AddNum(imap.UID(m.UID))
			}
			changed++
		}
		if err := r.store(imap.StoreFlagsDel, imap.FlagFlagged, unset); err != nil {
			return err
		}
		return r.store(imap.StoreFlagsAdd, imap.FlagFlagged, set)
	})
	return changed, err
}

func expungeFar(ctx context.Context, a *account, rnd *rand.Rand) (changed int, err error) {
	err = a.eachFolder(ctx, func(r *remote, list []held) error {
		var gone imap.UIDSet
		for _, m := range onePercent(list, rnd) {
			gone.AddNum(imap.UID(m.UID))
			changed++
		}
		if err := r.store(imap.StoreFlagsAdd, imap.FlagDeleted, gone); err != nil {
			return err
		}
		return r.client.UIDExpunge(gone).Close()
	})
	return changed, err
}

func appendFar(ctx context.Context, a *account, _ *rand.Rand) (int, error) {
	count := min(100, a.fixture.corpus.messages()/10)
	to := a.fixture.corpus.folders()[0].Name
	return count, a.session(ctx, func(r *remote) error {
		for i := range count {
			m := message(a.fixture.corpus.Profile, fmt.Sprint("new", a.times["new"]), i)
			m = bytes.ReplaceAll(m, []byte("\n"), []byte("\r\n"))
			cmd := r.client.Append(to, int64(len(m)), &imap.AppendOptions{Flags: flagsOf(flags(i)), Time: date(i)})
			if _, err := cmd.Write(m); err != nil {
				return err
			}
			if err := cmd.Close(); err != nil {
				return err
			}
			if _, err := cmd.Wait(); err != nil {
				return fmt.Errorf("append to %s: %w", to, err)
			}
		}
		return nil
	})
}

// flagNear renames files as a mail reader does. They are chosen by content: each tool
// has names of its own.
func flagNear(_ context.Context, a *account, rnd *rand.Rand) (changed int, err error) {
	for _, f := range a.fixture.corpus.folders() {
		for _, m := range onePercent(sorted(a.near[f.Name]), rnd) {
			base, info, _ := strings.Cut(filepath.Base(m.Path), ":2,")
			if strings.Contains(info, "F") {
				info = strings.ReplaceAll(info, "F", "")
			} else {
				letters := []byte(info + "F")
				slices.Sort(letters)
				info = string(letters)
			}
			to := filepath.Join(filepath.Dir(filepath.Dir(m.Path)), "cur", base+":2,"+info)
			if err := os.Rename(m.Path, to); err != nil {
				return 0, err
			}
			changed++
		}
	}
	return changed, nil
}
