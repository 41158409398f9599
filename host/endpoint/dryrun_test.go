package endpoint_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/mail"
)

// A dry run reads everything, says what it would do and does none of it.
func TestDryRun(t *testing.T) {
	s := server(t, memory.Options{})
	keys := list(fill(s, mail.Inbox, 3, 10))
	s.AddFolder("Old")
	require.NoError(t, s.SetStamp(t.Context(), "before"))
	before := s.Snapshot()
	var did []endpoint.WouldDo
	d := endpoint.DryRun(s, func(w endpoint.WouldDo) { did = append(did, w) })

	r, err := d.Reserve(t.Context(), inbox, 2)
	require.NoError(t, err)
	require.Empty(t, r.Keys)
	ds := deliver(t, d, inbox, "Subject: a\n\n", "Subject: b\n\n")
	placed, err := d.Commit(t.Context(), inbox, ds)
	require.NoError(t, err)
	require.Len(t, placed, 2)
	out, err := d.Change(t.Context(), inbox, []mail.Change{
		{Key: keys[0], Op: mail.ChangeFlags, Add: mail.NewFlags(`\Seen`)}, {Key: keys[1], Op: mail.ChangeRemove}, {Key: keys[2], Op: mail.ChangeMove, To: "New"}})
	require.NoError(t, err)
	require.Equal(t, mail.NewFlags(`\Seen`), out[0].Flags)
	_, err = d.Deliver(t.Context(), inbox, mail.Meta{}, mail.Body{Reader: strings.NewReader("short"), Size: 10})
	require.Error(t, err)

	maker, _ := driver.As[driver.FolderMaker](d)
	require.NoError(t, maker.CreateFolder(t.Context(), "New"))
	require.NoError(t, maker.CreateFolder(t.Context(), mail.Inbox))
	require.NoError(t, maker.Subscribe(t.Context(), "New"))
	require.Empty(t, metas(t, d, "New"), "it is as if it were there")
	remover, _ := driver.As[driver.FolderRemover](d)
	require.NoError(t, remover.RemoveFolder(t.Context(), "New"))
	require.NoError(t, remover.RemoveFolder(t.Context(), "Old"))
	folders, err := d.Folders(t.Context())
	require.NoError(t, err)
	require.Len(t, folders, 1)
	stamper, _ := driver.As[driver.Stamper](d)
	require.NoError(t, stamper.SetStamp(t.Context(), "after"))
	stamp, err := stamper.Stamp(t.Context())
	require.NoError(t, err)
	require.Equal(t, "after", stamp)

	stamp, err = s.Stamp(t.Context())
	require.NoError(t, err)
	require.Equal(t, "before", stamp)
	require.Equal(t, before, s.Snapshot())
	require.ElementsMatch(t, []endpoint.WouldDo{
		{Op: "deliver", Folder: "INBOX", Count: 2, Octets: 24},
		{Op: "flags", Folder: "INBOX", Count: 1}, {Op: "remove", Folder: "INBOX", Count: 1}, {Op: "move", Folder: "INBOX", To: "New", Count: 1},
		{Op: "create folder", Folder: "New", Count: 1}, {Op: "subscribe", Folder: "New", Count: 1},
		{Op: "remove folder", Folder: "New", Count: 1}, {Op: "remove folder", Folder: "Old", Count: 1}, {Op: "stamp", Count: 1},
	}, did)
}

// A folder that would be renamed is read under its new name.
func TestDryRunRenames(t *testing.T) {
	s := server(t, memory.Options{})
	fill(s, "Old", 2, 1)
	fill(s, "Old/Sub", 3, 1)
	s.AddFolder("Older")
	var did []endpoint.WouldDo
	d := endpoint.DryRun(s, func(w endpoint.WouldDo) { did = append(did, w) })
	names := func() (out []string) {
		folders, err := d.Folders(t.Context())
		require.NoError(t, err)
		for _, f := range folders {
			out = append(out, f.Name)
		}
		return out
	}
	maker, _ := driver.As[driver.FolderMaker](d)
	renamer, _ := driver.As[driver.FolderRenamer](d)
	remover, _ := driver.As[driver.FolderRemover](d)
	require.NoError(t, maker.CreateFolder(t.Context(), "Old/New"))
	require.NoError(t, renamer.RenameFolder(t.Context(), "Old", "A"))
	require.NoError(t, renamer.RenameFolder(t.Context(), "A", "B/C"))
	require.Equal(t, []string{"B/C", "B/C/New", "B/C/Sub", "INBOX", "Older"}, names())
	require.Len(t, metas(t, d, "B/C"), 2)
	require.Len(t, metas(t, d, "B/C/Sub"), 3)
	require.Empty(t, metas(t, d, "B/C/New"))
	require.NoError(t, remover.RemoveFolder(t.Context(), "B/C/Sub"))
	require.Equal(t, []string{"B/C", "B/C/New", "INBOX", "Older"}, names())
	require.Contains(t, s.Snapshot(), "Old/Sub", "nothing was done")
	require.Contains(t, did, endpoint.WouldDo{Op: "rename folder", Folder: "A", To: "B/C", Count: 1})
}
