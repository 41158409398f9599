package drivertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
)

func testDeliverAttributes(t *testing.T, e *env) {
	ref := e.create(t, "F")
	msgs := []Message{text(1), text(2), text(3), text(4)}
	msgs[1].Flags = mail.NewFlags(`\Answered`, `\Deleted`, `\Draft`, `\Flagged`, `\Seen`)
	msgs[2].Flags = e.flags(`\Seen`, "$Forwarded", "work")
	msgs[3].Flags = e.flags("NonJunk")
	placed := e.deliver(t, ref, msgs...)
	keys := e.keysOf(t, ref, placed, msgs)
	got := e.describe(t, ref, mail.NewKeySet(keys...), mail.WantDate)
	listed, _ := e.list(t, ref)
	for i, m := range msgs {
		requireFlags(t, m.Flags, placed[i].Flags)
		requireFlags(t, m.Flags, listed[keys[i]].Flags)
		require.True(t, m.Date.Equal(got[keys[i]].Date), "date is %v", got[keys[i]].Date)
	}

	// Without a date the message gets one; several batches do not mix.
	undated := Message{Body: text(5).Body}
	key := e.add(t, ref, undated)[0]
	require.False(t, e.describe(t, ref, mail.NewKeySet(key), mail.WantDate)[key].Date.IsZero())
	require.Equal(t, subjects(1, 2, 3, 4, 5), e.subjects(t, ref))
}

// testDates keeps dates to the second, whatever zone they are told in. What is
// out of reach becomes some date, and holds up nothing.
func testDates(t *testing.T, e *env) {
	ref := e.create(t, "F")
	zone := func(hours float64) *time.Location { return time.FixedZone("", int(hours*3600)) }
	dates := []time.Time{
		time.Unix(1, 0),
		time.Date(1996, 7, 17, 2, 44, 25, 0, zone(-7)),
		time.Date(2009, 11, 5, 23, 59, 59, 999_999_999, zone(5.5)),
		time.Date(2012, 2, 29, 23, 59, 59, 0, zone(14)),
		time.Date(2020, 10, 25, 2, 30, 0, 0, zone(2)), // the hour that came twice
		time.Date(2020, 10, 25, 2, 30, 0, 0, zone(1)),
		time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Unix(-1, 0),
		time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 0, zone(-12)),
	}
	msgs := texts(0, len(dates))
	for i := range msgs {
		msgs[i].Date = dates[i]
	}
	keys := e.add(t, ref, msgs...)
	got := e.describe(t, ref, mail.NewKeySet(keys...), mail.WantDate)
	for i, key := range keys {
		require.False(t, got[key].Date.IsZero())
		if i < 6 {
			require.Equal(t, dates[i].Unix(), got[key].Date.Unix(), "%s became %s", dates[i], got[key].Date)
		}
	}
	for key, m := range e.read(t, ref) {
		require.True(t, got[key].Date.Equal(m.meta.Date), "however it is asked for")
	}
}

func testDeliverKeys(t *testing.T, e *env) {
	ref := e.create(t, "F")
	r, err := e.store.Reserve(e.ctx, ref, 3)
	require.NoError(t, err)
	require.Equal(t, ref.Epoch, r.Epoch)
	if !e.h.ChosenKeys {
		require.Empty(t, r.Keys)
		require.NotEmpty(t, r.Next, "a lower bound for the keys to come")
		keys := e.add(t, ref, texts(0, 2)...)
		for _, key := range keys {
			require.GreaterOrEqual(t, key, r.Next)
		}
		again, err := e.store.Reserve(e.ctx, ref, 1)
		require.NoError(t, err)
		require.Greater(t, again.Next, keys[1])
		return
	}
	require.Len(t, r.Keys, 3)
	require.Equal(t, 3, mail.NewKeySet(r.Keys...).Len(), "the keys are different")
	more, err := e.store.Reserve(e.ctx, ref, 2)
	require.NoError(t, err)
	require.Equal(t, 5, mail.NewKeySet(append(more.Keys, r.Keys...)...).Len(), "never the same key twice")

	// The keys are used whatever the order.
	var ds []driver.Delivery
	for _, i := range []int{2, 0} {
		d, err := e.store.Deliver(e.ctx, ref, mail.Meta{Key: r.Keys[i]}, bodyOf(text(i).Body, mail.LF))
		require.NoError(t, err)
		ds = append(ds, d)
	}
	placed, err := e.store.Commit(e.ctx, ref, ds)
	require.NoError(t, err)
	require.Equal(t, r.Keys[2], placed[0].Key)
	require.Equal(t, r.Keys[0], placed[1].Key)
	require.Equal(t, mail.NewKeySet(r.Keys[0], r.Keys[2]), e.keys(t, ref))

	// A key that is taken refuses that one message.
	var ds2 []driver.Delivery
	for i, key := range []mail.Key{r.Keys[0], r.Keys[1]} {
		d, err := e.store.Deliver(e.ctx, ref, mail.Meta{Key: key}, bodyOf(text(7+i).Body, mail.LF))
		require.NoError(t, err)
		ds2 = append(ds2, d)
	}
	placed, err = e.store.Commit(e.ctx, ref, ds2)
	require.NoError(t, err)
	require.Error(t, placed[0].Err)
	require.NoError(t, placed[1].Err)
	require.Equal(t, subjects(0, 2, 8), e.subjects(t, ref), "what was there is not overwritten")
}

func testDeliverNotBeforeCommit(t *testing.T, e *env) {
	if e.h.EarlyVisible {
		t.Skip("the store shows messages before Commit")
	}
	ref := e.create(t, "F")
	d, err := e.store.Deliver(e.ctx, ref, mail.Meta{}, bodyOf(text(1).Body, mail.LF))
	require.NoError(t, err)
	require.Empty(t, e.subjects(t, ref))
	_, err = e.store.Commit(e.ctx, ref, []driver.Delivery{d})
	require.NoError(t, err)
	require.Equal(t, subjects(1), e.subjects(t, ref))

	// What nobody ends is dropped with the store.
	_, err = e.store.Deliver(e.ctx, ref, mail.Meta{}, bodyOf(text(2).Body, mail.LF))
	require.NoError(t, err)
	e.reopen(t)
	require.Equal(t, subjects(1), e.subjects(t, ref))
}

func testDeliverAbort(t *testing.T, e *env) {
	ref := e.create(t, "F")
	var ds []driver.Delivery
	for i := range 3 {
		d, err := e.store.Deliver(e.ctx, ref, mail.Meta{}, bodyOf(text(i).Body, mail.LF))
		require.NoError(t, err)
		ds = append(ds, d)
	}
	ds[1].Abort()
	ds[1].Abort()
	placed, err := e.store.Commit(e.ctx, ref, []driver.Delivery{ds[0], ds[2]})
	require.NoError(t, err)
	require.Len(t, placed, 2)
	if e.h.AbortLeaves {
		require.Subset(t, e.subjects(t, ref), subjects(0, 2))
		return
	}
	require.Equal(t, subjects(0, 2), e.subjects(t, ref))

	none, err := e.store.Commit(e.ctx, ref, nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

func testDeliverBrokenBody(t *testing.T, e *env) {
	ref := e.create(t, "F")
	mine := errors.New("the source broke")
	whole := append(text(1).Body, pattern(200<<10)...)
	for name, body := range map[string]mail.Body{
		"fails midway": {Size: int64(len(whole)), LineEnds: mail.LF,
			Reader: io.MultiReader(bytes.NewReader(whole[:100<<10]), failing{mine})},
		"fails at once":    {Size: 10, LineEnds: mail.LF, Reader: failing{mine}},
		"fails at its end": {Size: int64(len(whole)), LineEnds: mail.LF, Reader: io.MultiReader(bytes.NewReader(whole), failing{mine})},
		"ends early":       {Size: int64(len(whole)), LineEnds: mail.LF, Reader: bytes.NewReader(whole[:150<<10])},
		"is empty":         {Size: 10, LineEnds: mail.LF, Reader: bytes.NewReader(nil)},
		"goes on":          {Size: 1000, LineEnds: mail.LF, Reader: bytes.NewReader(whole)},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := e.store.Deliver(e.ctx, ref, mail.Meta{}, body)
			if err == nil {
				// It may be kept for Commit, where it refuses this message.
				placed, cerr := e.store.Commit(e.ctx, ref, []driver.Delivery{d})
				require.NoError(t, cerr)
				err = placed[0].Err
			}
			require.Error(t, err)
			if name[:5] == "fails" {
				require.ErrorIs(t, err, mine)
			}
			require.Empty(t, e.subjects(t, ref), "nothing of it is published")
		})
	}
	e.add(t, ref, text(2))
	require.Equal(t, subjects(2), e.subjects(t, ref), "the store goes on working")
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func testKeywordLimit(t *testing.T, e *env) {
	if e.h.MaxKeywords == 0 && !e.h.NoKeywords {
		t.Skip("the store holds any number of keywords")
	}
	ref := e.create(t, "F")
	var all []string
	for i := range e.h.MaxKeywords + 1 {
		all = append(all, fmt.Sprintf("word%02d", i))
	}
	m := text(1)
	m.Flags = mail.NewFlags(append(all, `\Seen`)...)
	placed := e.deliver(t, ref, m)
	key := e.keysOf(t, ref, placed, []Message{m})[0]
	require.Len(t, placed[0].Flags.Keywords(), e.h.MaxKeywords, "Placed tells what was kept")
	requireFlags(t, m.Flags.Minus(placed[0].Flags), placed[0].Dropped)
	listed, _ := e.list(t, ref)
	requireFlags(t, placed[0].Flags, listed[key].Flags)
	require.True(t, listed[key].Flags.Has(mail.Seen))

	out := e.change(t, ref, mail.Change{Key: key, Op: mail.ChangeFlags, Add: mail.NewFlags("another", `\Flagged`)})
	require.NoError(t, out[0].Err)
	want := placed[0].Flags.Union(mail.NewFlags(`\Flagged`))
	requireFlags(t, want, out[0].Flags)
	requireFlags(t, mail.NewFlags("another"), out[0].Dropped)
	listed, _ = e.list(t, ref)
	requireFlags(t, want, listed[key].Flags)
}
