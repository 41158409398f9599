package engine_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// A keyword that one side cannot keep is not taken for one that was removed there.
func TestKeywordThatDoesNotFitStaysOnTheOtherSide(t *testing.T) {
	for _, maildir := range []bool{true, false} {
		w := newWorld(t, "imap-maildir")
		w.near = memory.New(memory.Options{Maildir: maildir, Keywords: -1})
		require.NoError(t, w.near.Open(context.Background()))
		key := w.far.Add("INBOX", w.message())
		w.sync()
		w.far.SetFlags("INBOX", key, mail.NewFlags("work"))
		w.sync()
		w.near.Add("INBOX", w.message()) // the folder is read again
		w.sync()
		w.far.SetFlags("INBOX", key, mail.NewFlags("work", "more"))
		w.sync()
		w.policy.Conflict = engine.ConflictKeep // all is read again
		w.sync()
		require.Equal(t, []string{"more", "work"}, flagsByBody(w.far)[string(w.far.Snapshot()["INBOX"][0].Body)].Strings())
		require.Zero(t, w.sync().Changes())
	}
}

func TestDroppedCreationIsLookedAtAgain(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Add("New", w.message())
	w.hooks.OnPlan = func(_ context.Context, p *engine.Plan) error {
		for _, s := range p.Steps(engine.OpCreate, "", 0) {
			require.Equal(t, 1, p.Drop(s.ID, nil, "not today"))
		}
		return nil
	}
	r, err := w.run()
	require.NoError(t, err)
	require.NoError(t, r.Err())
	require.Zero(t, r.Pulled)
	w.hooks = engine.Hooks{}
	require.Equal(t, 1, w.sync().Pulled)
	w.same()
}

// Steps of one message share its row: what a script drops, or what a crash cuts
// off, is planned again.
func TestDroppedStepsArePlannedAgain(t *testing.T) {
	for _, expunge := range []engine.Sides{engine.NoSide, engine.FarSide, engine.NearSide, engine.Both} {
		for _, op := range []engine.Op{engine.OpFlag, engine.OpRemove} {
			for _, side := range []state.Side{state.Far, state.Near} {
				for _, whole := range []bool{false, true} {
					play := func(drop bool) *world {
						w := newWorld(t, "imap-maildir")
						w.policy.Expunge = expunge
						for range 4 {
							w.far.Add("INBOX", w.message(`\Seen`))
						}
						w.sync()
						far, near := w.far.Snapshot()["INBOX"], w.near.Snapshot()["INBOX"]
						w.far.SetFlags("INBOX", far[0].Key, mail.NewFlags(`\Flagged`))
						w.near.SetFlags("INBOX", near[0].Key, mail.NewFlags(`\Seen`, `\Answered`))
						w.near.SetFlags("INBOX", near[1].Key, mail.NewFlags(`\Seen`, `\Deleted`))
						w.far.SetFlags("INBOX", far[2].Key, mail.NewFlags(`\Seen`, `\Deleted`))
						w.near.Remove("INBOX", near[3].Key)
						if drop {
							w.hooks.OnPlan = func(_ context.Context, p *engine.Plan) error {
								for _, s := range p.Steps(op, "", side) {
									keys := s.Keys()
									if whole {
										p.Drop(s.ID, nil, "why not")
									} else {
										p.Drop(s.ID, &keys, "why not")
									}
								}
								return nil
							}
							w.sync()
							w.hooks = engine.Hooks{}
						}
						w.sync()
						w.still()
						return w
					}
					plain, dropped := play(false), play(true)
					what := fmt.Sprintf("expunge %d, dropped %s %s, whole %v", expunge, op, side, whole)
					require.Empty(t, plain.far.Snapshot().Diff(dropped.far.Snapshot()), what)
					require.Empty(t, plain.near.Snapshot().Diff(dropped.near.Snapshot()), what)
				}
			}
		}
	}
}

// Every combination of options carries what it carries, and then stands still;
// killed anywhere, it comes to the same.
func TestEveryPolicyConvergesWhereverItIsKilled(t *testing.T) {
	ops := []engine.Ops{engine.OpsNone, engine.OpsAll, engine.OpNew | engine.OpFlags, engine.OpDelete}
	for _, pull := range ops {
		for _, push := range ops {
			for expunge := engine.NoSide; expunge <= engine.Both; expunge++ {
				for _, conflict := range []engine.Conflict{engine.ConflictRemove, engine.ConflictKeep} {
					what := fmt.Sprintf("pull %d push %d expunge %d conflict %s", pull, push, expunge, conflict)
					play := func(n int) (*world, bool) {
						w := newWorld(t, "imap-maildir")
						for range 8 {
							w.far.Add("INBOX", w.message(`\Seen`))
						}
						w.sync()
						w.policy.Pull, w.policy.Push, w.policy.Expunge, w.policy.Conflict = pull, push, expunge, conflict
						far, near := w.far.Snapshot()["INBOX"], w.near.Snapshot()["INBOX"]
						w.far.SetFlags("INBOX", far[0].Key, mail.NewFlags(`\Flagged`))
						w.near.SetFlags("INBOX", near[0].Key, mail.NewFlags(`\Seen`, `\Answered`))
						w.near.SetFlags("INBOX", near[1].Key, mail.NewFlags(`\Seen`, `\Deleted`))
						w.far.SetFlags("INBOX", far[2].Key, mail.NewFlags(`\Seen`, `\Deleted`))
						w.near.Remove("INBOX", near[3].Key)
						w.far.Remove("INBOX", far[4].Key)
						w.near.SetFlags("INBOX", near[4].Key, mail.NewFlags(`\Flagged`))
						w.near.Remove("INBOX", near[5].Key)
						w.far.SetFlags("INBOX", far[5].Key, mail.NewFlags(`\Seen`, `\Deleted`))
						w.far.Add("INBOX", w.message())
						w.near.Add("INBOX", w.message())
						if n >= 0 {
							mend, breaker := w.killAt(n)
							_, _ = w.run()
							mend()
							if breaker.Seen() < n {
								return w, false
							}
						}
						w.sync()
						r := w.sync()
						require.Zero(t, r.Changes(), "%s, killed at moment %d: %v", what, n, r.Value())
						return w, true
					}
					plain, _ := play(-1)
					for n := 3; ; n += 7 {
						w, more := play(n)
						require.Empty(t, plain.far.Snapshot().Diff(w.far.Snapshot()), "%s, killed at moment %d", what, n)
						require.Empty(t, plain.near.Snapshot().Diff(w.near.Snapshot()), "%s, killed at moment %d", what, n)
						if !more {
							break
						}
					}
				}
			}
		}
	}
}

// A message that was removed here and marked as deleted there comes back nowhere.
func TestRemovedHereAndMarkedThere(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.policy.Conflict = engine.ConflictKeep
	key := w.far.Add("INBOX", w.message())
	w.sync()
	w.far.Remove("INBOX", key)
	w.near.SetFlags("INBOX", w.near.Snapshot()["INBOX"][0].Key, mail.NewFlags(`\Deleted`))
	w.sync()
	require.Zero(t, count(w.far, "INBOX"))
	require.Zero(t, count(w.near, "INBOX"))
}

// Whoever takes the mark off again keeps the message.
func TestMarkTakenOffIsNotSetAgain(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.policy.Expunge = engine.NoSide
	key := w.far.Add("INBOX", w.message())
	w.sync()
	w.far.Remove("INBOX", key)
	w.sync()
	kept := w.near.Snapshot()["INBOX"][0]
	require.True(t, kept.Flags.Has(mail.Deleted))
	w.near.SetFlags("INBOX", kept.Key, mail.Flags{})
	require.Equal(t, 1, w.sync().Pushed)
	w.same()
	w.still()
	require.False(t, w.near.Snapshot()["INBOX"][0].Flags.Has(mail.Deleted))
}

// Nor is one that a server says it keeps, and drops.
func TestKeywordThatAServerDropsStaysHere(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	far := &odd{Store: w.far, strips: true}
	w.near.Add("INBOX", w.message(`\Seen`, "work"))
	w.well(w.between(far, w.near))
	far.strips = false
	w.far.Add("INBOX", w.message())
	w.well(w.between(far, w.near))
	require.Equal(t, mail.NewFlags(`\Seen`, "work"), flagsByBody(w.near)[string(w.near.Snapshot()["INBOX"][0].Body)])
}

// A message that cannot be described holds up no other.
func TestMessageThatCannotBeDescribed(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	far := &odd{Store: w.far, deaf: map[mail.Key]bool{}}
	far.deaf[w.far.Add("INBOX", w.message())] = true
	w.far.Add("INBOX", w.message())
	w.well(w.between(far, w.near))
	w.same()
}

// A copy that fails before anything was delivered gives the folder back: others
// may be waiting for it.
func TestReservationIsGivenBack(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	near := &odd{Store: w.near}
	w.far.Add("INBOX", w.message())
	w.far.SetHook(failNext(memory.OpBodies, 1, fault.New(fault.Refused, "", "no")))
	r, err := w.between(w.far, near)
	require.NoError(t, err)
	require.Error(t, r.Err())
	require.Zero(t, near.reserved)
}

// A server that answers twice has the message once.
func TestMessageThatIsHandedOutTwice(t *testing.T) {
	for _, kind := range []string{"imap-maildir", "imap-imap", "imap-imap-uidless"} {
		w := newWorld(t, kind)
		far := &odd{Store: w.far, twice: true}
		w.far.Add("INBOX", w.message())
		w.far.Add("INBOX", w.message())
		w.well(w.between(far, w.near))
		w.same()
		w.still()
	}
}
