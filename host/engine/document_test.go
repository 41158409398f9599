package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
)

// plan makes a plan as a document, and insists that nothing is written.
func (w *world) plan() *engine.PlanFile {
	var text string
	tried, mend := w.untouchable(false)
	w.emit = func(name string, data wire.Value) {
		if name == "document" {
			text += data.(wire.Map)["piece"].(string)
		}
	}
	_, err := w.engine(engine.JobPlan, nil).Run(context.Background())
	mend()
	w.emit = nil
	require.NoError(w.t, err)
	require.Zero(w.t, *tried, "planning wrote something")
	f := &engine.PlanFile{Version: engine.PlanVersion, Accounts: make([]engine.PlanDocument, 1)}
	require.NoError(w.t, json.Unmarshal([]byte(text), &f.Accounts[0]))
	return w.again(f)
}

// again writes a document and reads it, as a user's disk does.
func (w *world) again(f *engine.PlanFile) *engine.PlanFile {
	data, err := f.Encode()
	require.NoError(w.t, err)
	out, err := engine.ParsePlan(data)
	require.NoError(w.t, err)
	twice, err := out.Encode()
	require.NoError(w.t, err)
	require.Equal(w.t, string(data), string(twice))
	return out
}

func (w *world) apply(f *engine.PlanFile) (*engine.Report, error) {
	text, err := json.Marshal(f.Accounts[0])
	require.NoError(w.t, err)
	return w.engine(engine.JobApply, wire.Map{"plan": string(text)}).Run(context.Background())
}

// applied applies a document and insists that all went well.
func (w *world) applied(f *engine.PlanFile) *engine.Report {
	r, err := w.apply(f)
	require.NoError(w.t, err)
	require.NoError(w.t, r.Err())
	return r
}

// outdated insists that a document is refused, with nothing written.
func (w *world) outdated(f *engine.PlanFile, why string) {
	tried, mend := w.untouchable(false)
	_, err := w.apply(f)
	mend()
	require.ErrorIs(w.t, err, fault.Guard)
	require.ErrorContains(w.t, err, "out of date")
	require.ErrorContains(w.t, err, why)
	require.ErrorContains(w.t, err, "make a new plan")
	require.Zero(w.t, *tried, "something was written")
}

// eventful is a world in which there is something of every kind to do.
func eventful(t require.TestingT, kind string, change ...func(*engine.Policy)) *world {
	w := newWorld(t, kind)
	w.policy.Remove = engine.Both
	for _, fn := range change {
		fn(&w.policy)
	}
	w.far.Add("Dropped", w.message())
	for range 8 {
		w.far.Add("INBOX", w.message(`\Seen`))
		w.far.Add("Work", w.message())
	}
	w.far.Add("Quiet", w.message())
	w.sync()
	far, near := byDate(w.far, "INBOX"), byDate(w.near, "INBOX")
	w.far.Remove("INBOX", far[0].Key)
	w.near.Remove("INBOX", near[1].Key)
	w.far.SetFlags("INBOX", far[2].Key, mail.NewFlags(`\Flagged`, "$Label"))
	w.near.SetFlags("INBOX", near[3].Key, mail.NewFlags(`\Seen`, `\Answered`))
	w.near.SetFlags("INBOX", near[4].Key, mail.NewFlags(`\Seen`, `\Deleted`))
	w.far.Remove("INBOX", far[5].Key)
	w.near.Remove("INBOX", near[5].Key)
	w.near.DropFolder("Dropped")
	w.near.Move("INBOX", near[6].Key, "Work")
	w.far.Move("Work", byDate(w.far, "Work")[7].Key, "Quiet")
	w.near.Move("Work", byDate(w.near, "Work")[0].Key, "New")
	twin := w.message()
	w.far.Add("Work", twin)
	w.near.Add("Work", twin)
	for range 3 {
		w.far.Add("INBOX", w.message(`\Flagged`))
		w.near.Add("Work", w.message())
		w.near.Add("New", w.message())
	}
	return w
}

// byDate returns what is in a folder, the oldest first: keys come in any order.
func byDate(s *memory.Store, folder string) []memory.Message {
	list := s.Snapshot()[folder]
	slices.SortFunc(list, func(a, b memory.Message) int { return a.Date.Compare(b.Date) })
	return list
}

func TestAppliedPlanIsTheSync(t *testing.T) {
	for kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			trash := func(p *engine.Policy) { p.Trash.Far = "Trash" }
			planned, synced := eventful(t, kind, trash), eventful(t, kind, trash)
			f := planned.plan()
			got, want := planned.applied(f), synced.sync()
			require.Equal(t, want.Value(), got.Value())
			require.Empty(t, synced.far.Snapshot().Diff(planned.far.Snapshot()))
			require.Empty(t, synced.near.Snapshot().Diff(planned.near.Snapshot()))
			planned.outdated(f, "another run was at work")
			planned.sync() // what went to the trash is new there
			planned.same()
			planned.still()
		})
	}
}

// A first run has no state to be recognised by.
func TestPlanOfTheFirstRun(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	twin := w.message(`\Seen`)
	w.far.Add("INBOX", twin)
	w.near.Add("INBOX", twin)
	for range 3 {
		w.far.Add("INBOX", w.message())
		w.near.Add("Sent", w.message())
	}
	f := w.plan()
	require.Len(t, f.Accounts[0].Folders[0].Pairs, 1)
	r := w.applied(f)
	require.Equal(t, 3, r.Pulled)
	require.Equal(t, 3, r.Pushed)
	w.same()
	w.still()
}

// Whatever a plan would touch must be as it was; else it is refused, and says
// which folder moved.
func TestPlanIsRefusedWhenTheWorldMoved(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world)
		why    string
	}{
		"a message to pull is gone": {func(w *world) {
			list := w.far.Snapshot()["INBOX"]
			w.far.Remove("INBOX", list[len(list)-1].Key)
		}, `"INBOX": message 11: pull near is not to be done any more`},
		"a message to pull has other flags": {func(w *world) {
			list := w.far.Snapshot()["INBOX"]
			w.far.SetFlags("INBOX", list[len(list)-1].Key, mail.NewFlags(`\Seen`))
		}, `"INBOX": message 11 has other flags than it had (\Seen)`},
		"a message to remove has other flags": {func(w *world) {
			w.far.SetFlags("INBOX", mail.UIDKey(2), mail.NewFlags(`\Seen`, `\Flagged`))
		}, `"INBOX": message 2 has other flags`},
		"a message to remove is back": {func(w *world) {
			w.near.SetFlags("INBOX", w.near.Snapshot()["INBOX"][2].Key, mail.NewFlags(`\Seen`))
		}, `"INBOX": `},
		"a message to push arrived by another way": {func(w *world) {
			list := w.near.Snapshot()["Work"]
			w.far.Add("Work", list[len(list)-1])
		}, `"Work": message`},
		"a folder to create is there": {func(w *world) { w.far.AddFolder("New") }, `"New": the far side has it by now`},
		"a folder was made anew":      {func(w *world) { w.far.Renumber("INBOX") }, `"INBOX": it was replaced on the far side`},
		"a side was replaced": {func(w *world) {
			b := w.near.Backup()
			w.near = memory.New(memory.Options{Maildir: true})
			require.NoError(w.t, w.near.Open(context.Background()))
			w.near.Restore(b)
			for range 12 {
				w.near.Add("Other", w.message())
			}
			for _, m := range w.near.Snapshot()["Work"] {
				w.near.Remove("Work", m.Key)
			}
		}, `"Work"`},
		"another option": {func(w *world) { w.policy.Conflict = engine.ConflictKeep }, "options of the account are not those"},
		"another filter": {func(w *world) { w.scope = "other" }, "options of the account are not those"},
		"another run":    {func(w *world) { w.once.Folders = []string{"Work"}; w.sync(); w.once.Folders = nil }, "the state is at run"},
		"another state": {func(w *world) {
			info, err := w.state.Info(context.Background())
			require.NoError(w.t, err)
			info.Account = "somebody else"
			require.NoError(w.t, w.state.SetInfo(context.Background(), info))
		}, "the state is at run"},
	} {
		t.Run(name, func(t *testing.T) {
			w := eventful(t, "imap-maildir")
			f := w.plan()
			c.change(w)
			w.outdated(f, c.why)
		})
	}
}

// Mail that came since does not matter to a plan: it is applied as it is, and
// exactly that.
func TestPlanLeavesAloneWhatCameSince(t *testing.T) {
	w := eventful(t, "imap-maildir")
	f := w.plan()
	for _, folder := range []string{"INBOX", "Work", "Newest"} {
		w.far.Add(folder, w.message())
		w.near.Add(folder, w.message())
	}
	w.near.Remove("Work", byDate(w.near, "Work")[3].Key)
	r := w.applied(f)
	require.Equal(t, 3, r.Pulled)
	require.Equal(t, 6, r.Pushed)
	require.Equal(t, 3, r.RemovedFar)
	require.Empty(t, w.near.Snapshot()["Newest"][1:])
	r = w.sync()
	require.Equal(t, 3, r.Pulled)
	require.Equal(t, 3, r.Pushed)
	require.Equal(t, 1, r.RemovedFar)
	w.same()
	w.still()
}

// A person deletes steps from a plan: they are left to the next run.
func TestStepsDeletedFromAPlan(t *testing.T) {
	whole := eventful(t, "imap-maildir").plan()
	steps := 0
	for _, part := range whole.Accounts[0].Folders {
		steps += len(part.Steps)
	}
	require.Greater(t, steps, 7)
	for n := range steps {
		w := eventful(t, "imap-maildir")
		f := w.plan()
		id := 0
		for i := range f.Accounts[0].Folders {
			part := &f.Accounts[0].Folders[i]
			for k, s := range part.Steps {
				if s.ID == n+1 {
					id = s.ID
					part.Steps = append(part.Steps[:k:k], part.Steps[k+1:]...)
					break
				}
			}
		}
		require.NotZero(t, id)
		before := w.far.Snapshot()
		r := w.applied(w.again(f))
		require.NotEmpty(t, before.Diff(w.far.Snapshot()))
		next := w.sync()
		require.Positive(t, next.Changes(), "step %d was taken all the same: %v", id, r.Value())
		w.same()
		w.still()
	}
}

// What the script decided goes with the plan, and it is not asked again.
func TestPlanHoldsWhatTheScriptDecided(t *testing.T) {
	w := eventful(t, "imap-maildir")
	// One is removed far and changed near, one removed far and moved near.
	conflict, moved := byDate(w.near, "Work")[3], byDate(w.near, "New")[0]
	for _, m := range w.far.Snapshot()["Work"] {
		if string(m.Body) == string(conflict.Body) || string(m.Body) == string(moved.Body) {
			w.far.Remove("Work", m.Key)
		}
	}
	w.near.SetFlags("Work", conflict.Key, mail.NewFlags(`\Flagged`))
	w.far.Add("Out", w.message())
	w.hooks = engine.Hooks{
		OnFolder: func(_ context.Context, f engine.FolderPair) (bool, string, error) {
			return f.Name != "Out", "not today", nil
		},
		OnConflict: func(context.Context, engine.ConflictCase) (engine.Conflict, error) { return engine.ConflictKeep, nil },
		OnMessage: func(_ context.Context, b *engine.Batch) error {
			if b.Op == engine.OpPull {
				b.Skip(b.Metas[0].Key, "the first")
			}
			return nil
		},
		OnPlan: func(_ context.Context, p *engine.Plan) error {
			for _, s := range p.Steps(engine.OpFlag, "INBOX", 0) {
				if s.Add.Has(mail.Flagged) {
					require.NoError(w.t, p.Narrow(s.ID, mail.NewFlags(`\Flagged`), mail.Flags{}, "no labels"))
				}
			}
			p.Drop(p.Steps(engine.OpRemove, "INBOX", 0)[0].ID, nil, "keep them")
			return nil
		},
	}
	f := w.plan()
	w.hooks.OnFolder = func(context.Context, engine.FolderPair) (bool, string, error) {
		return true, "", errors.New("asked again")
	}
	w.hooks.OnConflict = func(context.Context, engine.ConflictCase) (engine.Conflict, error) {
		return "", errors.New("asked again")
	}
	w.hooks.OnMessage = func(context.Context, *engine.Batch) error { return errors.New("asked again") }
	w.hooks.OnPlan = func(context.Context, *engine.Plan) error { return errors.New("asked again") }
	r := w.applied(f)
	require.Equal(t, 2, r.Pulled)
	require.Empty(t, w.near.Snapshot()["Out"])
	require.Contains(t, flagsByBody(w.far), string(conflict.Body), "the conflict was not settled as it was decided")
	require.Contains(t, flagsByBody(w.far), string(moved.Body), "the conflict was not settled as it was decided")
	for _, m := range w.near.Snapshot()["INBOX"] {
		require.NotContains(t, m.Flags.Keywords(), "$Label")
	}
	w.hooks = engine.Hooks{}
	w.sync()
	w.same()
	w.still()
}

// Applying is as safe as any run: killed at any moment, the next run goes on.
func TestKilledWhileApplying(t *testing.T) {
	for n := 0; ; n += 1 + n/20 {
		w := eventful(t, "imap-maildir")
		f := w.plan()
		mend, breaker := w.killAt(n)
		_, _ = w.apply(f)
		mend()
		if breaker.Seen() < n {
			break
		}
		w.sync()
		w.same()
		for folder, n := range map[string]int{"INBOX": 6, "Work": 11, "New": 4, "Quiet": 2} {
			require.Equal(t, n, count(w.far, folder), "%s, killed at moment %d", folder, n)
		}
		w.still()
	}
}

// Random worlds: planning and applying ends where a sync would.
func TestAnyPlanIsTheSync(t *testing.T) {
	compared := 0
	for seed := range uint64(60) {
		history := func() *world {
			w := newWorld(t, []string{"imap-maildir", "imap-imap", "no-uidplus", "maildir-maildir"}[seed%4])
			rnd := rand.New(rand.NewPCG(seed, 1))
			w.far.Add("A", w.message())
			for range 3 {
				for range 15 {
					w.happen(rnd, []string{"INBOX", "A", "A/é"}, map[string]bool{})
				}
				if rnd.IntN(3) > 0 {
					_, _ = w.run()
				}
			}
			return w
		}
		planned, synced := history(), history()
		// Lanes choose keys in any order, and histories go by keys.
		alike := synced.far.Snapshot().Diff(planned.far.Snapshot())+synced.near.Snapshot().Diff(planned.near.Snapshot()) == ""
		f := planned.plan()
		planned.applied(f)
		synced.sync()
		if alike {
			compared++
			require.Empty(t, synced.far.Snapshot().Diff(planned.far.Snapshot()), "seed %d", seed)
			require.Empty(t, synced.near.Snapshot().Diff(planned.near.Snapshot()), "seed %d", seed)
		}
		planned.same()
		planned.still()
	}
	require.Greater(t, compared, 20)
}

func TestGuardOfAnAppliedPlan(t *testing.T) {
	w := inStep(t, "imap-maildir", 150, "INBOX", "Work")
	f := w.plan()
	require.Empty(t, f.Accounts[0].Folders)
	removeAll(w.near, "INBOX")
	var text string
	w.emit = func(name string, data wire.Value) {
		if name == "document" {
			text += data.(wire.Map)["piece"].(string)
		}
	}
	_, err := w.engine(engine.JobPlan, nil).Run(context.Background())
	w.emit = nil
	require.ErrorIs(t, err, fault.Guard, "planning tells what the guard thinks of it")
	require.NoError(t, json.Unmarshal([]byte(text), &f.Accounts[0]), "and gives the plan all the same")
	_, err = w.apply(f)
	require.ErrorIs(t, err, fault.Guard)
	require.Equal(t, 150, count(w.far, "INBOX"))
	w.once.AllowRemovals = 150
	require.Equal(t, 150, w.applied(f).RemovedFar)
}
