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
	"github.com/imapfw/imapfw/host/wire"
)

// TestMoveKilledAnywhere kills a run with moves in it at every moment of its life:
// whatever the moment, each message is in one place, with its flags.
func TestMoveKilledAnywhere(t *testing.T) {
	for kind := range kinds {
		for _, side := range bothSides {
			t.Run(fmt.Sprintf("%s, moved %s", kind, side), func(t *testing.T) {
				t.Parallel()
				for n := 0; ; n++ {
					w := filled(t, kind, 8)
					here, there := w.side(side), w.side(side.Other())
					list, others := here.Snapshot()["INBOX"], there.Snapshot()["INBOX"]
					for i, m := range list[:6] {
						to := []string{"Archive", "New"}[i%2]
						key := here.Move("INBOX", m.Key, to)
						if i == 2 {
							here.SetFlags(to, key, mail.NewFlags(`\Seen`, `\Answered`))
						}
					}
					there.SetFlags("INBOX", others[2].Key, mail.NewFlags(`\Flagged`, `\Seen`))
					there.Move("INBOX", others[4].Key, "Lists") // elsewhere than on this side
					here.Remove("INBOX", list[6].Key)
					here.Add("New", w.message())
					mend, breaker := w.killAt(n)
					_, err := w.run()
					mend()
					if breaker.Seen() < n {
						require.NoError(t, err)
						require.Greater(t, n, 40, "the test killed nothing")
						break
					}
					w.sync()
					w.same()
					require.Equal(t, 1, count(w.far, "INBOX"), "killed at moment %d", n)
					require.Equal(t, 10, all(w.far), "killed at moment %d", n)
					require.Equal(t, mail.NewFlags(`\Seen`, `\Answered`, `\Flagged`), flagsByBody(w.far)[string(list[2].Body)], "killed at moment %d", n)
					w.still()
				}
			})
		}
	}
}

// A run is killed while new messages are under way, and before the next one both
// copies are moved, to different folders: nothing but the intents of the run that
// was killed tells that they are the same.
func TestMovedApartBeforeItWasRecorded(t *testing.T) {
	for kind := range kinds {
		for _, side := range bothSides {
			t.Run(fmt.Sprintf("%s, from %s", kind, side), func(t *testing.T) {
				t.Parallel()
				apart := 0
				for n := 0; ; n++ {
					w := filled(t, kind, 2)
					here, there := w.side(side), w.side(side.Other())
					for range 3 {
						here.Add("INBOX", w.message())
					}
					mend, breaker := w.killAt(n)
					_, _ = w.run()
					mend()
					if breaker.Seen() < n {
						break
					}
					if list := there.Snapshot()["INBOX"]; len(list) == 5 {
						apart++
						there.Move("INBOX", list[4].Key, "Archive")
						for _, m := range here.Snapshot()["INBOX"] {
							if string(m.Body) == string(list[4].Body) {
								here.Move("INBOX", m.Key, "Lists")
							}
						}
					}
					w.sync()
					w.same()
					require.Equal(t, 7, all(w.far), "killed at moment %d", n)
					w.still()
				}
				require.Positive(t, apart)
			})
		}
	}
}

func all(s *memory.Store) int {
	n := 0
	for name := range s.Snapshot() {
		n += count(s, name)
	}
	return n
}

// What a killed run had sent and the user has moved since is the same message
// still: it is in one place, the one it was moved to.
func TestMovedAfterAKilledCopy(t *testing.T) {
	for kind := range kinds {
		for _, side := range bothSides {
			for n := 0; ; n++ {
				w := filled(t, kind, 2)
				here, there := w.side(side), w.side(side.Other())
				m := w.message()
				key := here.Add("INBOX", m)
				mend, breaker := w.killAt(n)
				_, _ = w.run()
				mend()
				if breaker.Seen() < n {
					break
				}
				here.Move("INBOX", key, "Archive")
				if n%2 == 0 {
					there.Add("INBOX", w.message())
				}
				w.sync()
				what := fmt.Sprintf("%s, new %s, killed at moment %d", kind, side, n)
				w.same()
				found := 0
				for name, list := range w.far.Snapshot() {
					for _, one := range list {
						if string(one.Body) == string(m.Body) {
							found++
							require.Equal(t, "Archive", name, what)
						}
					}
				}
				require.Equal(t, 1, found, what)
				w.still()
			}
		}
	}
}

// A run was killed when its messages had arrived, and their copies were moved away. The
// next one copies some of them again and is asked to stop: the others are still known to
// be on their way by what the first one announced.
func TestWhatWasAnnouncedStaysSo(t *testing.T) {
	for n := 0; ; n++ {
		require.Less(t, n, 500, "there is no such moment")
		w := newWorld(t, "imap-maildir")
		w.batch = 500
		w.far.Add("Archive", w.message())
		w.sync()
		for range 12 {
			w.far.Add("INBOX", w.message())
		}
		mend, _ := w.killAt(n)
		_, _ = w.run()
		mend()
		if count(w.near, "INBOX") != 12 || w.open() != 12 {
			continue
		}
		for _, m := range w.near.Snapshot()["INBOX"] {
			w.near.Move("INBOX", m.Key, "Archive")
		}
		w.batch = 2
		w.once.Folders = []string{"INBOX"}
		draining := make(chan struct{})
		e := w.engineWith(engine.JobSync, nil, func(c *engine.Config) {
			c.Draining = draining
			c.Emit = func(name string, data wire.Value) {
				if name == "progress" && data.(wire.Map)["done"].(int64) == 2 {
					close(draining)
				}
			}
		})
		_, err := e.Run(t.Context())
		require.ErrorIs(t, err, fault.Stopped)
		again := count(w.near, "INBOX")
		require.Less(t, again, 12)
		require.Equal(t, 12-again, w.open())
		return
	}
}

// open returns how many deliveries the state takes for open.
func (w *world) open() (n int) {
	folders, err := w.state.Folders(context.Background())
	require.NoError(w.t, err)
	for _, f := range folders {
		n += f.Open
	}
	return n
}
