package engine_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// narrow makes a world in which one side keeps few keywords, or none below zero.
func narrow(t *testing.T, kind string, side state.Side, keywords int) *world {
	w := newWorld(t, kind)
	opts := kinds[kind][0]
	if side == state.Near {
		opts = kinds[kind][1]
	}
	opts.Keywords = keywords
	store := memory.New(opts)
	require.NoError(t, store.Open(context.Background()))
	if side == state.Far {
		w.far = store
	} else {
		w.near = store
	}
	return w
}

// only returns the flags of the only message of a side.
func only(t *testing.T, s *memory.Store) mail.Flags {
	t.Helper()
	list := s.Snapshot()["INBOX"]
	require.Len(t, list, 1)
	return list[0].Flags
}

func notes(r *engine.Report) string {
	var out []string
	for _, n := range r.Notes {
		out = append(out, n.Folder+": "+n.Text)
	}
	return strings.Join(out, "\n")
}

// planned returns how many messages a run would change in any way.
func planned(t *testing.T, w *world) int {
	t.Helper()
	n := 0
	w.hooks.OnPlan = func(_ context.Context, p *engine.Plan) error {
		for _, s := range p.Steps("", "", 0) {
			n += s.Count()
		}
		return nil
	}
	w.sync()
	w.hooks = engine.Hooks{}
	return n
}

// A keyword that a side has no room for stays on the other; that is told once,
// and not tried again in every run.
func TestKeywordWithoutRoom(t *testing.T) {
	for kind := range kinds {
		for _, side := range []state.Side{state.Near, state.Far} {
			for name, delivered := range map[string]bool{"delivered with it": true, "set later": false} {
				t.Run(kind+"/"+side.String()+"/"+name, func(t *testing.T) {
					w := narrow(t, kind, side, 2)
					wide, small := w.far, w.near
					if side == state.Far {
						wide, small = w.near, w.far
					}
					all := mail.NewFlags(`\Seen`, "a", "b", "c")
					var key mail.Key
					var told string
					if delivered {
						m := w.message()
						m.Flags = all
						key = wide.Add("INBOX", m)
						told = notes(w.sync())
					} else {
						key = wide.Add("INBOX", w.message())
						w.sync()
						wide.SetFlags("INBOX", key, all)
						told = notes(w.sync())
					}
					require.Equal(t, []string{`\Seen`, "a", "b"}, only(t, small).Strings())
					require.Equal(t, all, only(t, wide))
					require.Contains(t, told, "INBOX: the "+side.String()+" side does not keep these flags")
					require.Contains(t, told, ": c")

					wide.SetFlags("INBOX", key, all.Union(mail.NewFlags(`\Flagged`))) // the folder is read again
					r := w.sync()
					require.Empty(t, notes(r), "it was told")
					require.Zero(t, planned(t, w))
					require.Equal(t, []string{`\Flagged`, `\Seen`, "a", "b"}, only(t, small).Strings())
					require.True(t, all.Union(mail.NewFlags(`\Flagged`)).Equal(only(t, wide)))

					wide.SetFlags("INBOX", key, mail.NewFlags("C", "b"))
					w.sync()
					require.Equal(t, []string{"b"}, only(t, small).Strings())
					require.Equal(t, []string{"b", "C"}, only(t, wide).Strings())

					// It goes where it is when it is taken off there.
					wide.SetFlags("INBOX", key, mail.NewFlags("b"))
					w.sync()
					require.Zero(t, planned(t, w))
					w.same()
				})
			}
		}
	}
}

// A message whose keyword the other side has no room for did not change: it is
// removed, also where changes win over removals.
func TestKeywordWithoutRoomIsNoChange(t *testing.T) {
	for _, reread := range []bool{false, true} {
		w := narrow(t, "imap-maildir", state.Near, -1)
		w.policy.Conflict = engine.ConflictKeep
		w.far.Add("INBOX", w.message("work"))
		w.sync()
		if reread {
			w.far.Add("INBOX", w.message())
		}
		w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
		require.Equal(t, 1, w.sync().RemovedFar)
	}
}

// When the options change, the side may have room: it is offered again.
func TestKeywordIsOfferedAgainWithOtherOptions(t *testing.T) {
	w := narrow(t, "imap-maildir", state.Near, -1)
	w.far.Add("INBOX", w.message("work"))
	w.sync()
	require.Zero(t, planned(t, w))
	w.policy.Conflict = engine.ConflictKeep
	require.Equal(t, 1, planned(t, w), "it may fit now")
	require.Zero(t, planned(t, w), "it does not")
	w.near.SetFlags("INBOX", w.near.Snapshot()["INBOX"][0].Key, mail.NewFlags("WORK")) // somebody makes it fit
	require.Zero(t, planned(t, w))
	w.same()
	w.far.SetFlags("INBOX", w.far.Snapshot()["INBOX"][0].Key, mail.Flags{})
	w.sync()
	w.same()
}

// Killed anywhere, it comes to the same.
func TestKeywordWithoutRoomAndKilled(t *testing.T) {
	play := func(n int) (*world, bool) {
		w := narrow(t, "imap-maildir", state.Near, 1)
		more := true
		for _, flags := range []mail.Flags{mail.NewFlags("a", "b"), mail.NewFlags("b", "c", `\Seen`)} {
			for range 3 {
				m := w.message()
				m.Flags = flags
				w.far.Add("INBOX", m)
			}
			for _, m := range w.near.Snapshot()["INBOX"] {
				w.near.SetFlags("INBOX", m.Key, m.Flags.Union(mail.NewFlags(`\Answered`)))
			}
			if n >= 0 {
				mend, breaker := w.killAt(n)
				_, _ = w.run()
				mend()
				more = breaker.Seen() >= n
			}
			w.sync()
		}
		w.still()
		return w, more
	}
	plain, _ := play(-1)
	for n := 1; ; n += 2 {
		w, more := play(n)
		require.Empty(t, plain.far.Snapshot().Diff(w.far.Snapshot()), "killed at moment %d", n)
		require.Empty(t, plain.near.Snapshot().Diff(w.near.Snapshot()), "killed at moment %d", n)
		if !more {
			return
		}
	}
}
