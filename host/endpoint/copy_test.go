package endpoint_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func TestCopy(t *testing.T) {
	for _, from := range kinds {
		for _, to := range kinds {
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				a, b := server(t, from.opts), server(t, to.opts)
				keys := fill(a, "A", 25, 3000)
				date := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
				keys.Add(a.Add("A", memory.Message{Flags: mail.NewFlags(`\Seen`, "work"), Date: date, Body: text(99, 10).Body}))
				last := a.Add("A", text(100, 10))
				b.AddFolder("B")

				l := newLedger(t)
				o := l.options()
				o.BatchMessages, o.BatchAge = 10, time.Hour
				taps := map[mail.Key]*bytes.Buffer{}
				o.Tap = func(m mail.Meta, _ mail.LineEnds) io.Writer {
					taps[m.Key] = &bytes.Buffer{}
					return taps[m.Key]
				}
				var messages int
				var octets int64
				o.Progress = func(n int, o int64) { messages, octets = messages+n, octets+o }
				got, err := endpoint.Copy(t.Context(), a, mail.Ref{Name: "A"}, keys, b, mail.Ref{Name: "B"}, o)
				require.NoError(t, err)
				require.Equal(t, 26, got.Copied)
				require.Empty(t, got.Failed)
				require.True(t, got.Gone.Empty())
				require.Equal(t, 26, messages)
				require.Equal(t, got.Octets, octets)
				require.Equal(t, []int{10, 10, 6}, l.batches)
				require.Empty(t, l.intents)
				require.Empty(t, l.doubtful)

				want := a.Snapshot()["A"]
				have := b.Snapshot()["B"]
				require.Len(t, have, 26, "not the one that was not asked for")
				var wantBodies, haveBodies []string
				for _, m := range want {
					if m.Key != last {
						wantBodies = append(wantBodies, string(m.Body))
						seen := strings.ReplaceAll(taps[m.Key].String(), "\r\n", "\n")
						require.Equal(t, string(m.Body), seen)
					}
				}
				for _, m := range have {
					haveBodies = append(haveBodies, string(m.Body))
					if strings.Contains(string(m.Body), "Subject: 99") {
						require.True(t, date.Equal(m.Date))
						require.Equal(t, mail.NewFlags(`\Seen`, "work"), m.Flags)
					}
				}
				require.ElementsMatch(t, wantBodies, haveBodies)
			})
		}
	}
}

func TestCopyEndsBatchesBySize(t *testing.T) {
	a, b := server(t, memory.Options{}), server(t, memory.Options{Maildir: true})
	keys := fill(a, "A", 10, 1000)
	b.AddFolder("B")
	l := newLedger(t)
	o := l.options()
	o.BatchBytes, o.BatchAge = 3000, time.Hour
	got, err := endpoint.Copy(t.Context(), a, mail.Ref{Name: "A"}, keys, b, mail.Ref{Name: "B"}, o)
	require.NoError(t, err)
	require.Equal(t, 10, got.Copied)
	require.Equal(t, []int{3, 3, 3, 1}, l.batches)
}

// One message that fails is told; the others are copied.
func TestCopyGoesOn(t *testing.T) {
	a, b := server(t, memory.Options{}), server(t, memory.Options{Maildir: true})
	keys := fill(a, "A", 12, 100)
	b.AddFolder("B")
	k := list(keys)
	a.Remove("A", k[0], k[5], k[11])
	refused := fault.New(fault.Refused, "x", "no")
	a.SetHook(memory.FailKey(memory.OpBody, k[1], refused))
	from := endpoint.Fake(a, endpoint.Mishap{Op: endpoint.OpBodies, Key: k[2], Code: fault.IO, Cut: 20})
	n := 0
	b.SetHook(func(_ context.Context, c memory.Call) error {
		switch {
		case c.Op == memory.OpStore && !c.Done:
			if n++; n == 3 {
				return refused
			}
		case c.Op == memory.OpPlace && !c.Done && c.N == 4:
			return refused
		}
		return nil
	})
	l := newLedger(t)
	o := l.options()
	o.BatchMessages = 5
	got, err := endpoint.Copy(t.Context(), from, mail.Ref{Name: "A"}, keys, b, mail.Ref{Name: "B"}, o)
	require.NoError(t, err)
	require.Equal(t, 5, got.Copied)
	require.Equal(t, []mail.Key{k[0], k[5], k[11]}, list(got.Gone))
	require.Len(t, got.Failed, 4)
	require.ErrorIs(t, got.Failed[k[1]], fault.Refused)
	require.ErrorIs(t, got.Failed[k[2]], fault.IO)
	require.Len(t, l.pairs, 5)
	require.Len(t, bodies(b, "B"), 5)
	require.Empty(t, l.intents, "every one is settled")
}

func TestCopyTargetFails(t *testing.T) {
	dropped := fault.New(fault.Network, "append", "dropped").AsTemporary()
	for name, c := range map[string]struct {
		hook     memory.Hook
		copied   int
		doubtful []int
	}{
		"reserve":          {memory.Fail(memory.OpReserve, 2, dropped), 5, nil},
		"deliver":          {memory.Fail(memory.OpDeliver, 8, dropped), 7, []int{7}},
		"answer is lost":   {memory.Lose(memory.OpStore, 8), 7, []int{7}},
		"commit":           {memory.Fail(memory.OpCommit, 2, dropped), 5, []int{5, 6, 7, 8, 9}},
		"commit is lost":   {memory.Lose(memory.OpCommit, 2), 5, []int{5, 6, 7, 8, 9}},
		"disk full at all": {memory.Fail(memory.OpDeliver, 0, fault.New(fault.DiskFull, "deliver", "full")), 0, []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := server(t, memory.Options{}), server(t, memory.Options{Eager: true})
			keys := fill(a, "A", 20, 100)
			b.AddFolder("B")
			b.SetHook(c.hook)
			l := newLedger(t)
			o := l.options()
			o.BatchMessages = 5
			got, err := endpoint.Copy(t.Context(), a, mail.Ref{Name: "A"}, keys, b, mail.Ref{Name: "B"}, o)
			require.Error(t, err)
			require.Equal(t, c.copied, got.Copied)
			require.Len(t, l.pairs, c.copied)
			k := list(keys)
			var want []mail.Key
			for _, i := range c.doubtful {
				want = append(want, k[i])
			}
			require.ElementsMatch(t, want, l.doubtful)
			require.Len(t, l.intents, len(want), "what is in doubt stays announced, and nothing else")
		})
	}
}

func TestCopySourceFails(t *testing.T) {
	a, b := server(t, memory.Options{}), server(t, memory.Options{Maildir: true})
	keys := fill(a, "A", 20, 100)
	b.AddFolder("B")
	a.SetHook(memory.Fail(memory.OpBody, 8, fault.New(fault.Network, "fetch", "dropped")))
	l := newLedger(t)
	o := l.options()
	o.BatchMessages = 5
	got, err := endpoint.Copy(t.Context(), a, mail.Ref{Name: "A"}, keys, b, mail.Ref{Name: "B"}, o)
	require.ErrorIs(t, err, fault.Network)
	require.Equal(t, 7, got.Copied, "what came is not thrown away")
	require.True(t, got.Gone.Empty(), "what did not come is not gone")
	require.Empty(t, l.intents)
}

func TestCopyLedgerFails(t *testing.T) {
	boom := errors.New("disk full")
	a, b := server(t, memory.Options{}), server(t, memory.Options{Maildir: true})
	keys := fill(a, "A", 5, 100)
	b.AddFolder("B")
	l := newLedger(t)
	l.beginFail = boom
	_, err := endpoint.Copy(t.Context(), a, mail.Ref{Name: "A"}, keys, b, mail.Ref{Name: "B"}, l.options())
	require.ErrorIs(t, err, boom)
	require.Empty(t, bodies(b, "B"), "nothing is sent that could not be announced")

	l.beginFail, l.endFail = nil, boom
	o := l.options()
	o.BatchMessages = 2
	_, err = endpoint.Copy(t.Context(), a, mail.Ref{Name: "A"}, keys, b, mail.Ref{Name: "B"}, o)
	require.ErrorIs(t, err, boom)
	require.Len(t, bodies(b, "B"), 2, "no further batch is begun")
	require.Len(t, l.intents, 2, "the intents are still there to be resolved")
}

func TestCopyStops(t *testing.T) {
	a, b := server(t, memory.Options{}), server(t, memory.Options{Maildir: true})
	keys := fill(a, "A", 20, 100)
	b.AddFolder("B")

	soft, stop := context.WithCancel(t.Context())
	l := newLedger(t)
	o := l.options()
	o.Soft = soft
	o.Progress = func(n int, _ int64) {
		if n > 0 {
			stop()
		}
	}
	got, err := endpoint.Copy(t.Context(), a, mail.Ref{Name: "A"}, keys, b, mail.Ref{Name: "B"}, o)
	require.ErrorIs(t, err, fault.Stopped)
	require.Equal(t, 1, got.Copied, "what was delivered is committed")
	require.Empty(t, got.Failed)
	require.Len(t, bodies(b, "B"), 1)
	require.Empty(t, l.intents)

	ctx, cancel := context.WithCancel(t.Context())
	l = newLedger(t)
	o = l.options()
	n := 0
	o.Progress = func(m int, _ int64) {
		if n += m; n == 3 {
			cancel()
		}
	}
	got, err = endpoint.Copy(ctx, a, mail.Ref{Name: "A"}, keys, b, mail.Ref{Name: "B"}, o)
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, got.Copied)
	require.Len(t, bodies(b, "B"), 1, "what was not committed is dropped")
	require.Len(t, l.intents, 20)
}

// A message is told to go alone when it is larger than the whole budget.
func TestBudget(t *testing.T) {
	a, b := server(t, memory.Options{}), server(t, memory.Options{})
	keys := fill(a, "A", 3, 5000)
	got, err := endpoint.Copy(t.Context(), a, mail.Ref{Name: "A"}, keys, b, inbox, endpoint.CopyOptions{Budget: endpoint.NewBudget(10)})
	require.NoError(t, err)
	require.Equal(t, 3, got.Copied)
}

// Whatever breaks on either side: each message is copied and told, or failed and
// told, or in doubt and still announced, or not reached.
func TestCopyLosesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := server(t, memory.Options{}), server(t, memory.Options{Maildir: rapid.Bool().Draw(rt, "maildir"), Eager: rapid.Bool().Draw(rt, "eager")})
		n := rapid.IntRange(0, 12).Draw(rt, "messages")
		keys := fill(a, "A", n, 50)
		b.AddFolder("B")
		breaker := memory.NewBreaker(rapid.IntRange(1, 60).Draw(rt, "breaks at"))
		if rapid.Bool().Draw(rt, "source breaks") {
			a.SetHook(breaker.Hook)
		} else {
			b.SetHook(breaker.Hook)
		}
		l := newLedger(t)
		o := l.options()
		o.BatchMessages = rapid.IntRange(1, 5).Draw(rt, "batch")
		got, err := endpoint.Copy(t.Context(), a, mail.Ref{Name: "A"}, keys, b, mail.Ref{Name: "B"}, o)
		breaker.Mend()
		there := len(b.Snapshot()["B"])
		require.Equal(rt, len(l.pairs), got.Copied)
		require.GreaterOrEqual(rt, there, len(l.pairs))
		require.LessOrEqual(rt, there, len(l.pairs)+len(l.intents), "a message nobody would ever look for")
		if err == nil {
			require.Equal(rt, n, got.Copied+len(got.Failed))
		}
	})
}
