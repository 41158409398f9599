package drivertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
)

func (e *env) change(t *testing.T, ref mail.Ref, cs ...mail.Change) []mail.Outcome {
	t.Helper()
	out, err := e.store.Change(e.ctx, ref, cs)
	require.NoError(t, err)
	require.Len(t, out, len(cs), "one outcome for each change")
	for i := range cs {
		require.Equal(t, cs[i].Key, out[i].Key, "outcomes are in order")
	}
	return out
}

func (e *env) remove(t *testing.T, ref mail.Ref, keys ...mail.Key) {
	t.Helper()
	var cs []mail.Change
	for _, key := range keys {
		cs = append(cs, mail.Change{Key: key, Op: mail.ChangeRemove})
	}
	for _, o := range e.change(t, ref, cs...) {
		require.NoError(t, o.Err)
		require.False(t, o.Gone)
	}
}

func testChangeFlags(t *testing.T, e *env) {
	ref := e.create(t, "F")
	m := text(1)
	m.Flags = e.flags(`\Seen`, "one")
	key := e.add(t, ref, m, text(2))[0]
	for _, step := range []struct {
		add, remove, want mail.Flags
	}{
		{add: e.flags(`\Flagged`), want: e.flags(`\Seen`, `\Flagged`, "one")},
		{remove: e.flags(`\Seen`), want: e.flags(`\Flagged`, "one")},
		{add: e.flags(`\Seen`, "two", "$Forwarded"), remove: e.flags("one"), want: e.flags(`\Seen`, `\Flagged`, "two", "$Forwarded")},
		{add: e.flags(`\Seen`), want: e.flags(`\Seen`, `\Flagged`, "two", "$Forwarded")}, // it is there already
		{remove: e.flags(`\Draft`, "unheard"), want: e.flags(`\Seen`, `\Flagged`, "two", "$Forwarded")},
		{remove: e.flags(`\Seen`, `\Flagged`, "two", "$Forwarded"), want: mail.Flags{}},
		{add: e.flags(`\Answered`, `\Deleted`, `\Draft`), want: e.flags(`\Answered`, `\Deleted`, `\Draft`)},
	} {
		out := e.change(t, ref, mail.Change{Key: key, Op: mail.ChangeFlags, Add: step.add, Remove: step.remove})
		require.NoError(t, out[0].Err)
		require.False(t, out[0].Gone)
		requireFlags(t, step.want, out[0].Flags)
		listed, _ := e.list(t, ref)
		requireFlags(t, step.want, listed[key].Flags)
		require.Len(t, listed, 2, "a flag changes no key")
	}
	require.Equal(t, e.kept(m.Body), e.read(t, ref)[key].body)
	require.True(t, m.Date.Equal(e.describe(t, ref, mail.NewKeySet(key), mail.WantDate)[key].Date), "nor the date")

	require.Empty(t, e.change(t, ref))
}

func testChangeOthersFlags(t *testing.T, e *env) {
	e.need(t, "set flags", e.place.SetFlags != nil)
	ref := e.create(t, "F")
	key := e.add(t, ref, text(1))[0]
	e.list(t, ref)
	e.place.SetFlags(t, "F", key, mail.NewFlags(`\Answered`))
	out := e.change(t, ref, mail.Change{Key: key, Op: mail.ChangeFlags, Add: mail.NewFlags(`\Seen`)})
	require.False(t, out[0].Gone)
	require.NoError(t, out[0].Err)
	listed, _ := e.list(t, ref)
	requireFlags(t, mail.NewFlags(`\Answered`, `\Seen`), listed[key].Flags)
}

func testChangeRemove(t *testing.T, e *env) {
	ref := e.create(t, "F")
	keys := e.add(t, ref, texts(0, 4)...)
	// A message that only looks removed must not go with those that are.
	e.change(t, ref, mail.Change{Key: keys[3], Op: mail.ChangeFlags, Add: mail.NewFlags(`\Deleted`)})
	e.remove(t, ref, keys[0], keys[2])
	require.Equal(t, subjects(1, 3), e.subjects(t, ref))
	out := e.change(t, ref,
		mail.Change{Key: keys[0], Op: mail.ChangeRemove},
		mail.Change{Key: keys[1], Op: mail.ChangeRemove},
		mail.Change{Key: keys[2], Op: mail.ChangeFlags, Add: mail.NewFlags(`\Seen`)})
	require.True(t, out[0].Gone)
	require.NoError(t, out[0].Err)
	require.NoError(t, out[1].Err)
	require.True(t, out[2].Gone)
	require.Equal(t, subjects(3), e.subjects(t, ref))
}

func testChangeMove(t *testing.T, e *env) {
	from, to := e.create(t, "From"), e.create(t, "To")
	m := text(1)
	m.Flags = e.flags(`\Seen`, "work")
	moving := e.add(t, from, m, text(2))
	there := e.add(t, to, text(3))
	out := e.change(t, from, mail.Change{Key: moving[0], Op: mail.ChangeMove, To: "To"})
	require.NoError(t, out[0].Err)
	require.False(t, out[0].Gone)
	require.Equal(t, subjects(2), e.subjects(t, from))
	require.Equal(t, subjects(1, 3), e.subjects(t, to))
	for key, got := range e.read(t, to) {
		if key == there[0] {
			continue
		}
		if out[0].NewKey == "" {
			require.True(t, e.h.KeysUntold, "a move tells the new key")
		} else {
			require.Equal(t, key, out[0].NewKey)
		}
		requireFlags(t, m.Flags, got.meta.Flags)
		require.Equal(t, e.kept(m.Body), got.body)
		require.True(t, m.Date.Equal(e.describe(t, to, mail.NewKeySet(key), mail.WantDate)[key].Date))
	}

	out = e.change(t, from,
		mail.Change{Key: moving[0], Op: mail.ChangeMove, To: "To"},
		mail.Change{Key: moving[1], Op: mail.ChangeMove, To: "Nowhere"})
	require.True(t, out[0].Gone)
	require.Error(t, out[1].Err, "no folder is made by a move")
	require.Equal(t, subjects(2), e.subjects(t, from), "and the message stays")
	require.Equal(t, subjects(1, 3), e.subjects(t, to))
}

// testChangeMixed sends changes of every kind in one batch.
func testChangeMixed(t *testing.T, e *env) {
	ref, to := e.create(t, "F"), e.create(t, "To")
	keys := e.add(t, ref, texts(0, 40)...)
	var cs []mail.Change
	var stay, moved []int
	for i, key := range keys {
		switch i % 4 {
		case 0:
			cs = append(cs, mail.Change{Key: key, Op: mail.ChangeFlags, Add: e.flags(`\Seen`, "work")})
			stay = append(stay, i)
		case 1:
			cs = append(cs, mail.Change{Key: key, Op: mail.ChangeRemove})
		case 2:
			cs = append(cs, mail.Change{Key: key, Op: mail.ChangeMove, To: "To"})
			moved = append(moved, i)
		case 3:
			cs = append(cs, mail.Change{Key: key, Op: mail.ChangeFlags, Add: mail.NewFlags(`\Flagged`)})
			stay = append(stay, i)
		}
	}
	for _, o := range e.change(t, ref, cs...) {
		require.NoError(t, o.Err)
		require.False(t, o.Gone)
	}
	require.Equal(t, subjects(stay...), e.subjects(t, ref))
	require.Equal(t, subjects(moved...), e.subjects(t, to))
	listed, _ := e.list(t, ref)
	for i, key := range keys {
		switch i % 4 {
		case 0:
			requireFlags(t, e.flags(`\Seen`, "work"), listed[key].Flags)
		case 3:
			requireFlags(t, mail.NewFlags(`\Flagged`), listed[key].Flags)
		}
	}
}
