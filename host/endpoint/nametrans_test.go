package endpoint_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
)

func TestNameTrans(t *testing.T) {
	s := server(t, memory.Options{})
	for _, name := range []string{"[Gmail]/Sent Mail", "[Gmail]/Drafts", "Lists/go", "Drafts"} {
		s.AddFolder(name)
	}
	rename, err := naming.NewRename([]naming.Step{{Kind: naming.StripPrefix, Prefix: "[Gmail]/"},
		{Kind: naming.Map, Names: map[string]string{"Sent Mail": "Sent"}}}, nil)
	require.NoError(t, err)
	n := endpoint.NameTrans(s, rename)
	folders, err := n.Folders(t.Context())
	require.NoError(t, err)
	var got []string
	for _, f := range folders {
		got = append(got, f.Name)
		require.Equal(t, f.Name == "Drafts", f.Fault != "", "%s: %s", f.Name, f.Fault)
	}
	require.Equal(t, []string{"Drafts", "Drafts", "INBOX", "Lists/go", "Sent"}, got)

	// The names that meet are refused, whatever is asked of them.
	_, err = n.Changes(t.Context(), mail.Ref{Name: "Drafts"}, "", nil)
	require.ErrorIs(t, err, fault.BadName)
	_, err = n.Deliver(t.Context(), mail.Ref{Name: "Drafts"}, mail.Meta{}, body("x"))
	require.ErrorIs(t, err, fault.BadName)

	key := s.Add(mail.Inbox, text(1, 1))
	out, err := n.Change(t.Context(), inbox, []mail.Change{
		{Key: key, Op: mail.ChangeMove, To: "Drafts"},
		{Key: key, Op: mail.ChangeFlags, Add: mail.NewFlags(`\Seen`)},
		{Key: key, Op: mail.ChangeMove, To: "Sent"},
	})
	require.NoError(t, err)
	require.ErrorIs(t, out[0].Err, fault.BadName)
	require.NoError(t, out[1].Err)
	require.NoError(t, out[2].Err)
	require.Len(t, s.Snapshot()["[Gmail]/Sent Mail"], 1)

	// A name translates also before anybody has listed.
	fresh := endpoint.NameTrans(s, rename)
	require.Len(t, metas(t, fresh, "Sent"), 1)
}

// Both names are translated, and what is below must get the same names on both
// sides.
func TestNameTransRenames(t *testing.T) {
	s := server(t, memory.Options{})
	for _, name := range []string{"INBOX/a", "INBOX/a/b", "INBOX/x", "INBOX/x/y"} {
		s.AddFolder(name)
	}
	rename, err := naming.NewRename([]naming.Step{{Kind: naming.StripPrefix, Prefix: "INBOX/"},
		{Kind: naming.Map, Names: map[string]string{"x/y": "special"}}}, nil)
	require.NoError(t, err)
	n := endpoint.NameTrans(s, rename)
	renamer, _ := driver.As[driver.FolderRenamer](n)
	require.NoError(t, renamer.RenameFolder(t.Context(), "a", "c"))
	require.ErrorIs(t, renamer.RenameFolder(t.Context(), "x", "z"), fault.Unsupported)
	require.Contains(t, s.Snapshot(), "INBOX/c/b")
	require.Contains(t, s.Snapshot(), "INBOX/x/y")

	// What was below it has gone elsewhere: it can be renamed now.
	require.NoError(t, renamer.RenameFolder(t.Context(), "special", "elsewhere"))
	require.NoError(t, renamer.RenameFolder(t.Context(), "x", "z"))
	require.Contains(t, s.Snapshot(), "INBOX/z")

	// The old name is free for another folder at once.
	s.AddFolder("INBOX/a")
	require.NoError(t, renamer.RenameFolder(t.Context(), "a", "d"))
	require.Contains(t, s.Snapshot(), "INBOX/d")
	require.Empty(t, metas(t, n, "c"))
}
