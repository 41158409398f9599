package drivertest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func (e *env) folders(t *testing.T) map[string]mail.Folder {
	t.Helper()
	list, err := e.store.Folders(e.ctx)
	require.NoError(t, err)
	out := map[string]mail.Folder{}
	for i, f := range list {
		if i > 0 {
			require.Less(t, list[i-1].Name, f.Name, "folders are ordered by name")
		}
		out[f.Name] = f
	}
	return out
}

// id returns what names a folder for good: it is told with the listing, or with the
// folder when it is read from the beginning.
func (e *env) id(t *testing.T, name string) string {
	t.Helper()
	if id := e.folders(t)[name].ID; id != "" {
		return id
	}
	res, err := e.store.Changes(e.ctx, mail.Ref{Name: name}, "", func([]mail.Meta) error { return nil })
	require.NoError(t, err)
	return res.ID
}

func testList(t *testing.T, e *env) {
	e.create(t, "b")
	ref := e.create(t, "a")
	e.add(t, ref, texts(0, 3)...)
	list := e.folders(t)
	for _, name := range []string{mail.Inbox, "a", "b"} {
		require.Contains(t, list, name)
		f := list[name]
		require.True(t, f.Selectable())
		require.Empty(t, f.Fault)
		require.NotEmpty(t, f.Raw)
		if f.Epoch != "" {
			require.Equal(t, e.pin(t, name).Epoch, f.Epoch)
		}
	}
	if n := list["a"].Count; n != -1 {
		require.Equal(t, 3, n)
	}
}

func testNames(t *testing.T, e *env) {
	names := []string{
		"plain", "sp ace", "Entwürfe", "日本語", "a&b", `q"uote`, "100%", `back\slash`, "it's",
		".hidden", "a/.hidden", "..", "a/../b", "cur", "a/new", "tmp/b", "v1.0", "a_b", "100%25", " spaces ", "e\u0301", "\u00e9", "Case", "CASE",
		"Work/2024/März", "Work/2024", "plain/below", "INBOX/below", "~tilde", "(paren)", "{brace}", "-dash", "v+1",
	}
	maker, _ := driver.As[driver.FolderMaker](e.store)
	for i, name := range names {
		if slices.Contains(e.h.Unholdable, name) {
			require.ErrorIs(t, maker.CreateFolder(e.ctx, name), fault.BadName, name)
			continue
		}
		ref := e.create(t, name)
		require.NoError(t, maker.CreateFolder(e.ctx, name), "a folder that exists is no error")
		e.add(t, ref, text(i))
	}
	e.reopen(t)
	list := e.folders(t)
	for i, name := range names {
		if slices.Contains(e.h.Unholdable, name) {
			require.NotContains(t, list, name)
			continue
		}
		require.Contains(t, list, name)
		require.Equal(t, subjects(i), e.subjects(t, e.pin(t, name)), "folder %q", name)
	}
}

func testBadNames(t *testing.T, e *env) {
	if len(e.h.BadNames) == 0 {
		t.Skip("the harness declares no bad names")
	}
	before := e.folders(t)
	maker, _ := driver.As[driver.FolderMaker](e.store)
	for _, name := range e.h.BadNames {
		require.ErrorIs(t, maker.CreateFolder(e.ctx, name), fault.BadName, "%q", name)
	}
	require.Equal(t, len(before), len(e.folders(t)), "nothing was created")
}

func testSubscribe(t *testing.T, e *env) {
	e.create(t, "News")
	maker, _ := driver.As[driver.FolderMaker](e.store)
	require.NoError(t, maker.Subscribe(e.ctx, "News"))
	require.NoError(t, maker.Subscribe(e.ctx, "News"), "twice is no error")
}

func testRemoveFolder(t *testing.T, e *env) {
	remover, ok := driver.As[driver.FolderRemover](e.store)
	if !ok {
		t.Skip("the store removes no folders")
	}
	ref := e.create(t, "Full")
	keys := e.add(t, ref, text(1))
	require.Error(t, remover.RemoveFolder(e.ctx, "Full"), "a folder with mail stays")
	require.Equal(t, subjects(1), e.subjects(t, ref))

	e.remove(t, ref, keys...)
	require.NoError(t, remover.RemoveFolder(e.ctx, "Full"))
	require.NotContains(t, e.folders(t), "Full")
	require.ErrorIs(t, remover.RemoveFolder(e.ctx, "Full"), fault.NotFound)

	e.create(t, "Parent")
	child := e.create(t, "Parent/Child")
	e.add(t, child, text(2))
	_ = remover.RemoveFolder(e.ctx, "Parent") // some stores keep a parent, some do not
	require.Equal(t, subjects(2), e.subjects(t, child), "what is below stays")
}

func testMissingFolder(t *testing.T, e *env) {
	ref := mail.Ref{Name: "Nowhere"}
	some := mail.NewKeySet(mail.UIDKey(1))
	_, err := e.store.Changes(e.ctx, ref, "", func([]mail.Meta) error { return nil })
	require.ErrorIs(t, err, fault.NotFound, "Changes")
	err = e.store.Describe(e.ctx, ref, some, mail.WantSize, func([]mail.Description) error { return nil })
	require.ErrorIs(t, err, fault.NotFound, "Describe")
	err = e.store.Bodies(e.ctx, ref, some, func(mail.Meta, mail.Body) error { return nil })
	require.ErrorIs(t, err, fault.NotFound, "Bodies")
	_, err = e.store.Reserve(e.ctx, ref, 1)
	require.ErrorIs(t, err, fault.NotFound, "Reserve")
	_, err = e.store.Change(e.ctx, ref, []mail.Change{{Key: mail.UIDKey(1), Op: mail.ChangeRemove}})
	require.ErrorIs(t, err, fault.NotFound, "Change")

	// Whether Deliver or Commit notices is the store's business.
	d, err := e.store.Deliver(e.ctx, ref, mail.Meta{}, bodyOf(text(1).Body, mail.LF))
	if err == nil {
		var placed []mail.Placed
		if placed, err = e.store.Commit(e.ctx, ref, []driver.Delivery{d}); err == nil {
			err = placed[0].Err
		}
	}
	require.ErrorIs(t, err, fault.NotFound, "Deliver and Commit")
	require.NotContains(t, e.folders(t), "Nowhere", "nothing creates a folder but CreateFolder")
}
