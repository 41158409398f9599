package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// picky makes a store refuse messages with a word in them, and counts how many
// messages it was given in all.
type picky struct {
	word  string
	err   *fault.Error
	mu    sync.Mutex
	given int
}

func (p *picky) refuse(content []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.given++
	if bytes.Contains(content, []byte(p.word)) {
		return p.err
	}
	return nil
}

var tooBig = fault.New(fault.Refused, "append", "the server says: NO [TOOBIG] too much for me").AsFinal()

// marked makes a message with a word in it.
func (w *world) marked(word string, flags ...string) memory.Message {
	m := w.message(flags...)
	m.Body = append(m.Body, word+"\n"...)
	return m
}

func (w *world) rows() (refused, pairs int) {
	folders, err := w.state.Folders(context.Background())
	require.NoError(w.t, err)
	for _, f := range folders {
		require.NoError(w.t, w.state.Load(context.Background(), f.Far, state.Far, func(rows []state.Row) error {
			for _, r := range rows {
				if r.Status == state.StatusRefused {
					require.True(w.t, (r.Far == "") != (r.Near == ""), "%+v", r)
					refused++
				} else {
					pairs++
				}
			}
			return nil
		}))
		require.Equal(w.t, refused, f.Refused)
	}
	return refused, pairs
}

// A message that is refused for good is set aside with the answer. The rest goes
// on, no later run sends it again, and each of them names it.
func TestRefusedMessageIsSetAside(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		for _, side := range []state.Side{state.Far, state.Near} {
			w.far.Refuse(nil)
			w.near.Refuse(nil)
			from, to := w.near, w.far
			if side == state.Near {
				from, to = w.far, w.near
			}
			folder := "To" + side.String()
			p := &picky{word: "poison", err: tooBig}
			to.AddFolder(folder)
			to.Refuse(p.refuse)
			for i := range 6 {
				if i == 2 {
					from.Add(folder, w.marked("poison", `\Seen`))
				} else {
					from.Add(folder, w.message())
				}
			}
			r, err := w.run()
			require.NoError(t, err)
			require.Len(t, r.Failures, 1)
			require.ErrorContains(t, r.Failures[0], "too much for me")
			require.ErrorContains(t, r.Failures[0], "set aside")
			require.ErrorIs(t, r.Err(), fault.Partial)
			require.Equal(t, 5, count(to, folder))
			require.Equal(t, 6, p.given)

			for range 2 { // nothing is sent again, whatever else happens
				_, err = w.run() // looks at what the last one did
				require.NoError(t, err)
				r, err = w.run()
				require.NoError(t, err)
				require.Zero(t, r.Folders, "the folder is as it was")
				require.Equal(t, 6, p.given)
				from.Add(folder, w.message())
				r, err = w.run()
				require.NoError(t, err)
				require.Empty(t, r.Failures)
				require.ErrorIs(t, r.Err(), fault.Partial)
				require.NotEmpty(t, r.Notes)
				note := r.Notes[len(r.Notes)-1]
				require.Contains(t, note.Text, "too much for me")
				require.Equal(t, folder, note.Folder)
				last := r.Refused[len(r.Refused)-1]
				require.Equal(t, side, last.Side)
				require.Equal(t, from.Snapshot()[folder][2].Key, last.Key)
				require.EqualValues(t, len(r.Refused), r.Value()["refused"])
				require.Equal(t, 7, p.given)
				p.given = 6
			}
			require.Equal(t, 7, count(to, folder))
			require.Equal(t, 8, count(from, folder), "the source of a refused message stays")
		}
	})
}

func TestRefusedMessageIsTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world, key mail.Key)
		taken  bool // it is tried and, since it is welcome by now, taken
	}{
		"nothing changed":     {func(*world, mail.Key) {}, false},
		"another message":     {func(w *world, _ mail.Key) { w.near.Add("INBOX", w.message()) }, false},
		"its flags changed":   {func(w *world, key mail.Key) { w.near.SetFlags("INBOX", key, mail.NewFlags(`\Flagged`)) }, true},
		"the limit changed":   {func(w *world, _ mail.Key) { w.far.SetLimit(1 << 20) }, true},
		"the options changed": {func(w *world, _ mail.Key) { w.policy.Conflict = engine.ConflictKeep }, true},
		"pushes nothing now": {func(w *world, key mail.Key) {
			w.policy.Push &^= engine.OpNew
			w.near.SetFlags("INBOX", key, mail.NewFlags(`\Flagged`))
		}, false},
		"other copies changed": {func(w *world, _ mail.Key) {
			w.far.SetFlags("INBOX", w.far.Snapshot()["INBOX"][0].Key, mail.NewFlags(`\Seen`))
		}, false},
	} {
		for kind := range kinds {
			t.Run(name+"/"+kind, func(t *testing.T) {
				w := newWorld(t, kind)
				w.far.SetLimit(1000)
				w.far.Refuse((&picky{word: "poison", err: tooBig}).refuse)
				w.near.Add("INBOX", w.message())
				key := w.near.Add("INBOX", w.marked("poison"))
				_, err := w.run()
				require.NoError(t, err)
				refused, _ := w.rows()
				require.Equal(t, 1, refused)
				p := &picky{word: "nothing", err: tooBig}
				w.far.Refuse(p.refuse)
				c.change(w, key)
				r, err := w.run()
				require.NoError(t, err)
				require.Equal(t, !c.taken, r.Err() != nil, "%v", r.Err())
				require.Equal(t, !c.taken, len(r.Refused) == 1)
				if c.taken {
					refused, _ = w.rows()
					require.Zero(t, refused)
					w.same()
					w.still()
				}
			})
		}
	}
}

// Tried again and refused again, it waits for the next change.
func TestRefusedTwice(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		p := &picky{word: "poison", err: tooBig}
		w.far.Refuse(p.refuse)
		key := w.near.Add("INBOX", w.marked("poison"))
		for n, flag := range []string{`\Seen`, `\Flagged`, `\Answered`} {
			w.near.SetFlags("INBOX", key, mail.NewFlags(flag))
			for range 3 {
				r, err := w.run()
				require.NoError(t, err)
				require.Len(t, r.Refused, 1)
				require.Error(t, r.Err())
			}
			require.Equal(t, n+1, p.given)
		}
	})
}

// When its source goes, nothing is left of it.
func TestRefusedMessageThatIsRemoved(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		w.far.Refuse((&picky{word: "poison", err: tooBig}).refuse)
		w.near.Add("INBOX", w.message())
		key := w.near.Add("INBOX", w.marked("poison"))
		_, err := w.run()
		require.NoError(t, err)
		w.near.Remove("INBOX", key)
		w.sync()
		refused, pairs := w.rows()
		require.Zero(t, refused)
		require.Equal(t, 1, pairs)
		w.same()
		w.still()
	})
}

// An answer that does not tell whether the message is to blame is given a second
// chance.
func TestUnclearRefusalHasASecondChance(t *testing.T) {
	unclear := fault.New(fault.Refused, "append", "the server says: NO not this one")
	eachKind(t, func(t *testing.T, w *world) {
		p := &picky{word: "odd", err: unclear}
		w.far.Refuse(p.refuse)
		w.near.Add("INBOX", w.message())
		w.near.Add("INBOX", w.marked("odd"))
		w.near.Add("INBOX", w.marked("odd"))
		for n, given := range []int{3, 5, 5, 5} {
			r, err := w.run()
			require.NoError(t, err)
			require.ErrorIs(t, r.Err(), fault.Partial)
			require.Len(t, r.Refused, 2)
			require.Equal(t, given, p.given, "in run %d", n+1)
			for _, one := range r.Refused {
				require.Equal(t, "the server says: NO not this one", one.Note)
			}
			require.Equal(t, 1, count(w.far, "INBOX"))
		}
	})
	eachKind(t, func(t *testing.T, w *world) {
		w.far.Refuse((&picky{word: "odd", err: unclear}).refuse)
		w.near.Add("INBOX", w.marked("odd"))
		_, err := w.run()
		require.NoError(t, err)
		w.far.Refuse(nil)
		w.sync()
		w.same()
		w.still()
	})
}

// What is temporary, and what is about the room in the mailbox, is not the
// message's: it is sent again by each run until it is taken.
func TestWhatIsNotTheMessagesFault(t *testing.T) {
	for _, reason := range []*fault.Error{
		fault.New(fault.Busy, "append", "in use").AsTemporary(),
		fault.New(fault.Quota, "append", "over quota"),
		fault.New(fault.NotFound, "append", "no such folder"),
	} {
		w := newWorld(t, "imap-maildir")
		w.far.Refuse((&picky{word: "odd", err: reason}).refuse)
		w.near.Add("INBOX", w.marked("odd"))
		for range 3 {
			r, err := w.run()
			require.NoError(t, err)
			require.ErrorIs(t, r.Err(), fault.Partial)
			require.Empty(t, r.Refused)
		}
		w.far.Refuse(nil)
		w.sync()
		w.same()
	}
}

// Killed anywhere, a run with refusals ends the same.
func TestRefusalsWhereverItIsKilled(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		for n := 0; ; n += stride() {
			w := newWorld(t, strings.Split(t.Name(), "/")[1])
			w.far.Refuse((&picky{word: "poison", err: tooBig}).refuse)
			w.near.Refuse((&picky{word: "poison", err: tooBig}).refuse)
			for i := range 3 {
				w.near.Add("INBOX", w.message())
				w.far.Add("INBOX", w.message())
				if i == 1 {
					w.near.Add("INBOX", w.marked("poison"))
					w.far.Add("INBOX", w.marked("poison"))
				}
			}
			mend, breaker := w.killAt(n)
			_, _ = w.run()
			mend()
			_, err := w.run()
			require.NoError(t, err)
			r, err := w.run()
			require.NoError(t, err)
			require.Zero(t, r.Changes())
			require.Len(t, r.Refused, 2, "killed at moment %d", n)
			require.Equal(t, 7, count(w.far, "INBOX"), "killed at moment %d", n)
			require.Equal(t, 7, count(w.near, "INBOX"), "killed at moment %d", n)
			w.far.Refuse(nil)
			w.near.Refuse(nil)
			w.policy.Conflict = engine.ConflictKeep
			w.sync()
			w.same()
			require.Equal(t, 8, count(w.far, "INBOX"), "killed at moment %d", n)
			if breaker.Seen() < n {
				break
			}
		}
	})
}

// Many that are set aside are counted, and only some are named in words.
func TestManyRefusedMessagesAreNamedInFew(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Refuse((&picky{word: "poison", err: tooBig}).refuse)
	for range 70 {
		w.near.Add("INBOX", w.marked("poison"))
	}
	_, err := w.run()
	require.NoError(t, err)
	r, err := w.run()
	require.NoError(t, err)
	require.Len(t, r.Refused, 70)
	require.Len(t, r.Notes, 51)
	require.Contains(t, r.Notes[50].Text, fmt.Sprint(20))
}

// Failures that say the same are told in few lines; the report has all of them.
func TestManyFailuresAlikeAreToldInFewLines(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	w.far.Refuse((&picky{word: "poison", err: tooBig}).refuse)
	for range 70 {
		w.near.Add("INBOX", w.marked("poison"))
	}
	var mu sync.Mutex
	var lines []string
	w.emit = func(name string, data wire.Value) {
		mu.Lock()
		defer mu.Unlock()
		if name == "told" {
			lines = append(lines, fmt.Sprint(data))
		}
	}
	r, err := w.run()
	require.NoError(t, err)
	require.Len(t, r.Failures, 70)
	require.Len(t, lines, 21)
	require.Contains(t, lines[20], "50 more messages")
	require.Contains(t, lines[20], "too much for me")
}
