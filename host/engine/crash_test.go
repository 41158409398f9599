package engine_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/mail"
)

// TestKilledAnywhere kills a run at every single moment of its life, in both
// stores and the state, and lets the next run go on from there: whatever the
// moment, no message is lost, doubled or altered.
func TestKilledAnywhere(t *testing.T) {
	for kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for n := 0; ; n += stride() {
				w := newWorld(t, kind)
				for range 4 {
					w.far.Add("INBOX", w.message(`\Seen`))
				}
				w.sync()
				far, near := w.far.Snapshot()["INBOX"], w.near.Snapshot()["INBOX"]
				w.far.Remove("INBOX", far[0].Key)
				w.near.Remove("INBOX", near[1].Key)
				w.far.SetFlags("INBOX", far[2].Key, mail.NewFlags(`\Flagged`))
				w.near.SetFlags("INBOX", near[3].Key, mail.NewFlags(`\Seen`, `\Deleted`))
				twin := w.message()
				for range 2 {
					w.far.Add("INBOX", w.message())
					w.near.Add("INBOX", w.message())
					w.near.Add("New", twin)
				}
				mend, breaker := w.killAt(n)
				_, err := w.run()
				mend()
				if breaker.Seen() < n {
					require.NoError(t, err)
					require.Greater(t, n, 20, "the test killed nothing")
					break
				}
				w.sync()
				require.Equal(t, 5, count(w.far, "INBOX"), "killed at moment %d", n)
				require.Equal(t, 2, count(w.far, "New"), "killed at moment %d", n)
				w.same()
				w.still()
			}
		})
	}
}

// TestKilledTwice kills the run after a killed one too, with a dry run and new
// mail in between.
func TestKilledTwice(t *testing.T) {
	for _, kind := range []string{"no-uidplus", "imap-imap", "imap-maildir"} {
		for n := 20; n < 80; n += 3 * stride() {
			for m := 0; m < 80; m += 11 {
				w := newWorld(t, kind)
				twin := w.message()
				for range 2 {
					w.far.Add("INBOX", w.message())
					w.near.Add("INBOX", w.message())
					w.near.Add("New", twin)
				}
				for _, at := range []int{n, m} {
					mend, _ := w.killAt(at)
					_, _ = w.run()
					mend()
					w.near.Add("INBOX", w.message())
					w.dry = true
					_, err := w.run()
					require.NoError(t, err)
					w.dry = false
				}
				w.sync()
				require.Equal(t, 6, count(w.far, "INBOX"), "killed at moments %d, %d", n, m)
				require.Equal(t, 2, count(w.far, "New"), "killed at moments %d, %d", n, m)
				w.same()
				w.still()
			}
		}
	}
}

// TestAnyHistory lets random things happen on both sides between runs, some of
// which are killed at a random moment, and compares the outcome with a model
// that knows which messages must be there.
func TestAnyHistory(t *testing.T) {
	kindNames := []string{"imap-maildir", "eager-maildir", "no-uidplus", "imap-imap", "maildir-maildir"}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.SampledFrom(kindNames).Draw(t, "kind"))
		w.batch = rapid.SampledFrom([]int{1, 2, 500}).Draw(t, "batch")
		rnd := randOf(t)
		folders := []string{"INBOX", "A", "A/é"}
		w.far.Add("A", w.message())
		expected := map[string]bool{}
		for _, list := range w.far.Snapshot() {
			for _, m := range list {
				expected[string(m.Body)] = true
			}
		}
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			for range rnd.IntN(12) {
				w.happen(rnd, folders, expected)
			}
			if rnd.IntN(2) == 0 {
				mend, _ := w.killAt(rnd.IntN(60))
				_, _ = w.run()
				mend()
			}
		}
		w.sync()
		w.same()
		w.still()
		have := map[string]int{}
		for _, list := range w.far.Snapshot() {
			for _, m := range list {
				have[string(m.Body)]++
			}
		}
		for body := range expected {
			require.Equal(t, 1, have[body], "a message that nobody removed: %q", body)
		}
		for body, n := range have {
			require.Equal(t, 1, n, "doubled: %q", body)
		}
	})
}

func randOf(t *rapid.T) *rand.Rand {
	return rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
}

// happen does one random thing on one side, as a user or another program would.
func (w *world) happen(rnd *rand.Rand, folders []string, expected map[string]bool) {
	side := w.far
	if rnd.IntN(2) == 0 {
		side = w.near
	}
	folder := folders[rnd.IntN(len(folders))]
	list := side.Snapshot()[folder]
	switch pick := rnd.IntN(11); {
	case pick < 4 || len(list) == 0:
		m := w.message()
		side.Add(folder, m)
		expected[string(m.Body)] = true
	case pick < 8:
		flags := []mail.Flags{{}, mail.NewFlags(`\Seen`), mail.NewFlags(`\Flagged`, "work"), mail.NewFlags(`\Answered`)}
		side.SetFlags(folder, list[rnd.IntN(len(list))].Key, flags[rnd.IntN(len(flags))])
	case pick == 8:
		side.Move(folder, list[rnd.IntN(len(list))].Key, folders[rnd.IntN(len(folders))])
	default:
		m := list[rnd.IntN(len(list))]
		side.Remove(folder, m.Key)
		delete(expected, string(m.Body))
	}
}
