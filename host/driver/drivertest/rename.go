package drivertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func (e *env) renamer(t *testing.T) driver.FolderRenamer {
	t.Helper()
	renamer, ok := driver.As[driver.FolderRenamer](e.store)
	if !ok {
		t.Skip("the store renames no folders")
	}
	return renamer
}

func testRenameFolder(t *testing.T, e *env) {
	renamer := e.renamer(t)
	tree := map[string]Message{
		"Old": text(1), "Old/Sub": text(2), "Old/Sub/Sub": text(3), "Older": text(4), "Old/Nothing": {},
	}
	tree["Old"] = Message{Flags: e.flags(`\Seen`, `\Flagged`, "work"), Date: text(1).Date, Body: text(1).Body}
	for _, name := range []string{"Old", "Old/Sub", "Old/Sub/Sub", "Older", "Old/Nothing"} {
		ref := e.create(t, name)
		if m := tree[name]; len(m.Body) > 0 {
			e.add(t, ref, m)
		}
	}
	before := map[string]string{}
	for name := range tree {
		before[name] = e.id(t, name)
	}
	require.NoError(t, renamer.RenameFolder(e.ctx, "Old", "Top/New"))
	for _, reopened := range []bool{false, true} {
		if reopened {
			e.reopen(t)
		}
		after := e.folders(t)
		for name := range tree {
			now := name
			if name != "Older" {
				require.NotContains(t, after, name)
				now = "Top/New" + name[len("Old"):]
			}
			require.Contains(t, after, now)
			require.Empty(t, after[now].Fault)
			if e.h.FolderIDs {
				require.NotEmpty(t, before[name])
			}
			require.Equal(t, before[name], e.id(t, now), "the id of %s stays", name)
		}
		require.Equal(t, subjects(1), e.subjects(t, e.pin(t, "Top/New")))
		require.Equal(t, subjects(2), e.subjects(t, e.pin(t, "Top/New/Sub")))
		require.Equal(t, subjects(3), e.subjects(t, e.pin(t, "Top/New/Sub/Sub")))
		require.Equal(t, subjects(4), e.subjects(t, e.pin(t, "Older")), "its name only begins like it")
		for _, m := range e.read(t, e.pin(t, "Top/New")) {
			requireFlags(t, tree["Old"].Flags, m.meta.Flags)
			require.True(t, tree["Old"].Date.Equal(m.meta.Date))
		}
		_, err := e.store.Changes(e.ctx, mail.Ref{Name: "Old"}, "", func([]mail.Meta) error { return nil })
		require.ErrorIs(t, err, fault.NotFound)
	}

	// Everything goes on under the new name, and the old one is free.
	e.add(t, e.pin(t, "Top/New"), text(5))
	require.Equal(t, subjects(1, 5), e.subjects(t, e.pin(t, "Top/New")))
	again := e.create(t, "Old")
	require.Empty(t, e.subjects(t, again))
	e.add(t, again, text(6))
	require.Equal(t, subjects(1, 5), e.subjects(t, e.pin(t, "Top/New")))
	require.Equal(t, subjects(6), e.subjects(t, again))
	if e.h.FolderIDs {
		require.NotEqual(t, e.id(t, "Old"), e.id(t, "Top/New"))
	}

	// Back, beside it, and in another case.
	renamer = e.renamer(t)
	require.NoError(t, renamer.RenameFolder(e.ctx, "Top/New/Sub", "beside"))
	require.NoError(t, renamer.RenameFolder(e.ctx, "beside", "BESIDE"))
	require.Equal(t, subjects(2), e.subjects(t, e.pin(t, "BESIDE")))
	require.Equal(t, subjects(3), e.subjects(t, e.pin(t, "BESIDE/Sub")))
}

func testRenameRefused(t *testing.T, e *env) {
	renamer := e.renamer(t)
	for i, name := range []string{"a", "a/b", "c", "c/b"} {
		e.add(t, e.create(t, name), text(i))
	}
	e.add(t, e.pin(t, mail.Inbox), text(9))
	before := e.folders(t)
	for _, tc := range []struct {
		from, to string
		code     fault.Code
	}{
		{"none", "other", fault.NotFound},
		{"a", "c", fault.Exists},
		{"a", "a/b", fault.BadName},
		{"a", "a/x", fault.BadName},
		{mail.Inbox, "other", fault.Refused},
		{"a", mail.Inbox, fault.Refused},
	} {
		require.ErrorIs(t, renamer.RenameFolder(e.ctx, tc.from, tc.to), tc.code, "%s to %s", tc.from, tc.to)
	}
	for _, name := range e.h.BadNames {
		require.ErrorIs(t, renamer.RenameFolder(e.ctx, "a", name), fault.BadName, "%q", name)
	}
	after := e.folders(t)
	require.Len(t, after, len(before), "nothing was created or removed")
	for i, name := range []string{"a", "a/b", "c", "c/b"} {
		require.Contains(t, after, name)
		require.Equal(t, subjects(i), e.subjects(t, e.pin(t, name)))
	}
	require.Equal(t, subjects(9), e.subjects(t, e.pin(t, mail.Inbox)))
}
