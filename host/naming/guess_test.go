package naming_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
)

func TestFarFolders(t *testing.T) {
	var none *naming.Rename
	require.Equal(t, folders("a"), none.FarFolders("a"))
	sent := folders("Sent")
	sent[0].Attrs = []string{`\Sent`}
	for _, c := range []struct {
		steps []naming.Step
		near  string
		want  []mail.Folder
	}{
		{nil, "a", folders("a")},
		{[]naming.Step{strip("[Gmail]/")}, "Sent", folders("[Gmail]/Sent", "Sent")},
		{[]naming.Step{strip("[Gmail]/")}, "INBOX", folders("INBOX")},
		{[]naming.Step{add("x/"), flat(".")}, "x.a.b", folders("a/b")},
		{[]naming.Step{names("far", "near")}, "near", folders("far")},
		{[]naming.Step{names(`\Sent`, "Sent"), add("x/")}, "x/Sent", sent},
	} {
		r, err := naming.NewRename(c.steps, nil)
		require.NoError(t, err)
		require.Equal(t, c.want, r.FarFolders(c.near))
	}
}
