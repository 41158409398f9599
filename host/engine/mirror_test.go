package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// eachMirror runs a test in both directions.
func eachMirror(t *testing.T, fn func(t *testing.T, w *world, source, target *memory.Store)) {
	eachKind(t, func(t *testing.T, w *world) {
		w.policy.Mirror = state.Near
		fn(t, w, w.far, w.near)
	})
	eachKind(t, func(t *testing.T, w *world) {
		w.policy.Mirror = state.Far
		fn(t, w, w.near, w.far)
	})
}

func TestMirrorUndoesWhatIsChangedOnTheTarget(t *testing.T) {
	eachMirror(t, func(t *testing.T, w *world, source, target *memory.Store) {
		for range 5 {
			source.Add("INBOX", w.message(`\Seen`, "work"))
		}
		source.Add("Lists", w.message())
		w.sync()
		w.same()

		list := target.Snapshot()["INBOX"]
		target.SetFlags("INBOX", list[0].Key, mail.NewFlags(`\Flagged`))
		target.SetFlags("INBOX", list[1].Key, mail.NewFlags(`\Deleted`, `\Seen`, "work"))
		target.Remove("INBOX", list[2].Key)
		target.Move("INBOX", list[3].Key, "Lists")
		target.Add("INBOX", w.message())
		target.DropFolder("Elsewhere")
		before := source.Snapshot()
		w.sync()
		w.sync()
		w.same()
		require.Empty(t, before.Diff(source.Snapshot()), "nothing is written to the source")
		w.still()

		// What happens on the source is carried.
		from := source.Snapshot()["INBOX"]
		source.Remove("INBOX", from[0].Key)
		source.SetFlags("INBOX", from[1].Key, mail.NewFlags(`\Answered`))
		source.SetFlags("INBOX", from[2].Key, mail.NewFlags(`\Deleted`))
		source.Add("INBOX", w.message(`\Flagged`))
		before = source.Snapshot()
		w.sync()
		require.Empty(t, before.Diff(source.Snapshot()))
		w.same()
		w.still()
	})
}

func TestMirrorRefusesATargetWithMailOfItsOwn(t *testing.T) {
	eachMirror(t, func(t *testing.T, w *world, source, target *memory.Store) {
		both := w.message()
		source.Add("INBOX", both)
		target.Add("INBOX", both)
		target.Add("INBOX", w.message())
		before := target.Snapshot()
		_, err := w.run()
		require.ErrorIs(t, err, fault.Guard)
		require.ErrorContains(t, err, "1 messages")
		require.Empty(t, before.Diff(target.Snapshot()))

		target.Remove("INBOX", target.Snapshot()["INBOX"][1].Key)
		w.still()
		w.same()
	})
}

// With the state lost, the same mail on both sides is no mail of its own; and
// where keys cannot be trusted nothing is removed.
func TestMirrorIsPairedAnew(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.policy.Mirror = state.Near
	for range 5 {
		w.far.Add("INBOX", w.message())
	}
	w.sync()
	w.state = newWorld(t, "imap-maildir").state
	w.still()
	w.far.Remove("INBOX", w.far.Snapshot()["INBOX"][0].Key)
	w.far.Renumber("INBOX")
	r := w.sync()
	require.Zero(t, r.Changes())
	require.NotEmpty(t, r.Notes)
	require.Equal(t, 1, w.sync().RemovedNear, "the run after it knows that it is not on the far side")
	w.same()
	w.still()
}

// A folder that was removed on the target is there again, one that only the
// target has is left alone.
func TestMirrorAndFolders(t *testing.T) {
	eachMirror(t, func(t *testing.T, w *world, source, target *memory.Store) {
		source.Add("A", w.message())
		source.Add("B", w.message())
		w.sync()
		target.DropFolder("A")
		target.Add("Own", w.message())
		before := source.Snapshot()
		r := w.sync()
		require.NotEmpty(t, r.Notes)
		require.Empty(t, before.Diff(source.Snapshot()))
		require.Equal(t, 1, count(target, "A"))
		require.Equal(t, 1, count(target, "Own"))
		w.still()
	})
}

func TestMirrorKeepsNearWhatIsToBeKept(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.policy.Mirror, w.policy.MaxSize, w.policy.MaxMessages = state.Near, 1000, 2
	for range 2 {
		w.far.Add("INBOX", w.message(`\Seen`))
	}
	w.far.Add("INBOX", w.large(`\Seen`))
	w.sync()
	require.Equal(t, 1, placeholders(w.near, "INBOX"))
	require.Equal(t, 2, count(w.near, "INBOX"))
	w.still()
	w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key, w.near.Snapshot()["INBOX"][1].Key)
	w.sync()
	require.Equal(t, 1, placeholders(w.near, "INBOX"), "what is brought back is a placeholder too")
	require.Equal(t, 2, count(w.near, "INBOX"))
	w.far.Add("INBOX", w.message(`\Seen`))
	require.Equal(t, 1, w.sync().Expired)
	w.still()
	w.policy.MaxSize, w.policy.MaxMessages = 0, 0
	w.sync()
	w.same()
	require.Equal(t, 4, count(w.far, "INBOX"))
}

// Whatever happens on both sides, and whenever runs are killed: the source is
// never written, and in the end the target is the same.
func TestMirrorWhateverHappens(t *testing.T) {
	kindNames := []string{"imap-maildir", "eager-maildir", "no-uidplus", "imap-imap", "maildir-maildir"}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.SampledFrom(kindNames).Draw(t, "kind"))
		source, target := w.far, w.near
		w.policy.Mirror = state.Near
		if rapid.Bool().Draw(t, "push") {
			w.policy.Mirror = state.Far
			source, target = target, source
		}
		source.Add("A", w.message())
		w.sync()
		folders := []string{"INBOX", "A"}
		rnd := randOf(t)
		for range rapid.IntRange(1, 5).Draw(t, "rounds") {
			for range rnd.IntN(8) {
				w.happen(rnd, folders, map[string]bool{})
			}
			before := source.Snapshot()
			if rnd.IntN(2) == 0 {
				mend, _ := w.killAt(rnd.IntN(60))
				_, _ = w.run()
				mend()
			}
			w.sync()
			require.Empty(t, before.Diff(source.Snapshot()), "the source was written")
		}
		w.sync()
		require.Empty(t, source.Snapshot().Diff(target.Snapshot()))
		w.still()
	})
}

func TestDirectionsOfAMirror(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.policy.Mirror, w.policy.Pull = state.Near, engine.OpNew
	w.far.Add("INBOX", w.message())
	w.sync()
	w.near.Add("INBOX", w.message())
	w.near.SetFlags("INBOX", w.near.Snapshot()["INBOX"][0].Key, mail.NewFlags(`\Flagged`))
	w.still()
	w.near.Remove("INBOX", w.near.Snapshot()["INBOX"][0].Key)
	require.Equal(t, 1, w.sync().Pulled, "only what is new and missing is brought")
	require.Equal(t, 2, count(w.near, "INBOX"))
	w.still()
}
