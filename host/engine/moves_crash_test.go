package engine_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/mail"
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
