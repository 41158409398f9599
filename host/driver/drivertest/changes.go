package drivertest

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
)

func testChangesFull(t *testing.T, e *env) {
	ref := e.create(t, "F")
	got, res := e.list(t, ref)
	require.Empty(t, got)
	require.Equal(t, ref.Epoch, res.Epoch)

	a, b := text(1), text(2)
	a.Flags = mail.NewFlags(`\Seen`, `\Flagged`)
	keys := e.add(t, ref, a, b)
	got, res = e.list(t, ref)
	require.Len(t, got, 2)
	for i, m := range []Message{a, b} {
		meta := got[keys[i]]
		requireFlags(t, m.Flags, meta.Flags)
		require.False(t, meta.Hidden)
		if meta.Size != -1 {
			require.EqualValues(t, len(e.kept(m.Body)), meta.Size)
		}
		if !meta.Date.IsZero() {
			require.True(t, m.Date.Equal(meta.Date))
		}
	}
	require.False(t, res.Rewound)
}

func testChangesBatches(t *testing.T, e *env) {
	ref := e.create(t, "Many")
	const n = 1100
	keys := e.add(t, ref, texts(0, n)...)
	got, _ := e.list(t, ref)
	require.Len(t, got, n)
	for _, key := range keys {
		require.Contains(t, got, key)
	}
	var some mail.KeySet
	for i := 0; i < n; i += 2 {
		some.Add(keys[i])
	}
	read := e.bodies(t, ref, some)
	require.Len(t, read, n/2)
	for i := 0; i < n; i += 2 {
		require.Equal(t, e.kept(text(i).Body), read[keys[i]].body)
	}
}

func testChangesIncremental(t *testing.T, e *env) {
	e.need(t, "add, set flags and remove", e.place.Add != nil && e.place.SetFlags != nil && e.place.Remove != nil)
	ref := e.create(t, "F")
	keys := e.add(t, ref, texts(0, 5)...)
	e.settle(t)
	k := track(ref)
	k.catchUp(t, e)
	truth := map[mail.Key]mail.Flags{}
	for _, key := range keys {
		truth[key] = mail.Flags{}
	}
	k.check(t, truth)

	e.place.Add(t, "F", text(10))
	e.settle(t)
	k.catchUp(t, e)
	require.Len(t, k.flags, 6, "the new message is told")
	for key := range k.flags {
		if _, old := truth[key]; old {
			require.False(t, e.h.Delta && k.told[key], "only the new one is handed out")
			continue
		}
		truth[key] = mail.Flags{}
	}
	k.check(t, truth)

	truth[keys[1]] = e.flags(`\Seen`, "work")
	e.place.SetFlags(t, "F", keys[1], truth[keys[1]])
	e.settle(t)
	k.catchUp(t, e)
	k.check(t, truth)
	if e.h.Delta {
		require.Equal(t, map[mail.Key]bool{keys[1]: true}, k.told)
	}

	e.place.Remove(t, "F", keys[2])
	delete(truth, keys[2])
	e.settle(t)
	k.catchUp(t, e)
	k.check(t, truth)
	if e.h.Delta {
		require.Empty(t, k.told)
	}

	e.settle(t)
	k.catchUp(t, e)
	k.check(t, truth)
	require.Empty(t, k.res.Gone.Len())
}

// testChangesRandom makes changes at random through both doors, and lets two
// readers catch up at different times.
func testChangesRandom(t *testing.T, e *env) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	ref := e.create(t, "F")
	truth := map[mail.Key]mail.Flags{}
	readers := []*tracker{track(ref), track(ref)}
	sets := []mail.Flags{{}, e.flags(`\Seen`), e.flags(`\Flagged`, "work"), e.flags(`\Answered`, `\Seen`, "Later")}
	pickKey := func() (mail.Key, bool) {
		for key := range truth { // the order of a map is random enough
			return key, true
		}
		return "", false
	}
	next := 0
	for range 60 {
		flags := sets[rnd.IntN(len(sets))]
		key, some := pickKey()
		switch what := rnd.IntN(7); {
		case what < 2 || !some:
			m := text(next)
			m.Flags = flags
			truth[e.add(t, ref, m)[0]] = flags
			next++
		case what == 2:
			change := mail.Change{Key: key, Op: mail.ChangeFlags, Add: flags, Remove: truth[key].Minus(flags)}
			_, err := e.store.Change(e.ctx, ref, []mail.Change{change})
			require.NoError(t, err)
			truth[key] = flags
		case what == 3 && e.place.SetFlags != nil:
			e.place.SetFlags(t, ref.Name, key, flags)
			truth[key] = flags
		case what == 4:
			e.remove(t, ref, key)
			delete(truth, key)
		case what == 5 && e.place.Remove != nil:
			e.place.Remove(t, ref.Name, key)
			delete(truth, key)
		default:
			k := readers[rnd.IntN(2)]
			k.catchUp(t, e)
			k.check(t, truth)
		}
	}
	for _, k := range readers {
		k.catchUp(t, e)
		k.check(t, truth)
	}
}

func testCursor(t *testing.T, e *env) {
	ref := e.create(t, "F")
	keys := e.add(t, ref, texts(0, 3)...)
	e.settle(t)
	k := track(ref)
	k.catchUp(t, e)
	cursor := k.cursor
	require.NotEmpty(t, cursor)
	k.catchUp(t, e)
	require.Equal(t, cursor, k.cursor, "an unchanged folder stands where it stood")
	if e.h.Delta {
		require.Empty(t, k.told)
	}
	e.reopen(t)
	if !e.h.NoFolderCursors {
		require.Equal(t, cursor.Place(), e.folders(t)["F"].Cursor.Place(), "an unchanged folder is known without opening it")
	}
	// Each kind of change moves the cursor, and settles again.
	for _, change := range []func(){
		func() { e.add(t, ref, text(9)) },
		func() {
			e.change(t, ref, mail.Change{Key: keys[0], Op: mail.ChangeFlags, Add: mail.NewFlags(`\Seen`)})
		},
		func() { e.remove(t, ref, keys[1]) },
	} {
		change()
		e.settle(t)
		if !e.h.NoFolderCursors {
			require.NotEqual(t, cursor.Place(), e.folders(t)["F"].Cursor.Place())
		}
		k.catchUp(t, e)
		require.NotEqual(t, cursor.Place(), k.cursor)
		cursor = k.cursor
		if !e.h.NoFolderCursors {
			require.Equal(t, cursor.Place(), e.folders(t)["F"].Cursor.Place())
		}
	}
}

func testChangesCallbackError(t *testing.T, e *env) {
	ref := e.create(t, "F")
	e.add(t, ref, texts(0, 3)...)
	mine := errors.New("enough")
	_, err := e.store.Changes(e.ctx, ref, "", func([]mail.Meta) error { return mine })
	require.Equal(t, mine, err, "the callback's error comes back as it is")
	err = e.store.Describe(e.ctx, ref, e.keys(t, ref), mail.WantHeader, func([]mail.Description) error { return mine })
	require.Equal(t, mine, err)
	require.Equal(t, subjects(0, 1, 2), e.subjects(t, ref), "the store goes on working")
}
