package naming_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
)

// used is a folder that the server marks.
func used(name string, attrs ...string) mail.Folder { return mail.Folder{Name: name, Attrs: attrs} }

// A special use stands for the folder that the server marks with it, also where
// its name is in the server's language.
func TestRenameBySpecialUse(t *testing.T) {
	table := build(t, nil, []mail.Folder{
		used("INBOX", `\Junk`), used("[Gmail]", `\Noselect`), used("[Gmail]/Gesendet", `\HasNoChildren`, `\sent`),
		used("[Gmail]/Papierkorb", `\Trash`), used("[Gmail]/Alle", `\All`), used("Work"), used("Extra", `\Junk`),
	}, strip("[Gmail]/"), names(`\Sent`, "Sent", `\Trash`, "Bin", `\Archive`, "Archive", `\Junk`, "Spam", "Extra", "By name"))
	for far, near := range map[string]string{
		"[Gmail]/Gesendet": "Sent", "[Gmail]/Papierkorb": "Bin", "[Gmail]/Alle": "Alle", "Work": "Work", "INBOX": "INBOX",
		"Extra": "By name", // which is more than a mark
	} {
		got, err := table.Near(far)
		require.NoError(t, err)
		require.Equal(t, near, got)
		back, err := table.Far(near)
		require.NoError(t, err)
		require.Equal(t, far, back)
	}
	// Without a folder of that use, one is created under the near name.
	for _, near := range []string{"Archive", "Spam"} {
		far, err := table.Far(near)
		require.NoError(t, err)
		require.Equal(t, near, far)
	}
	// The name that the server has for it is no near name.
	_, err := table.Far("Gesendet")
	require.ErrorIs(t, err, fault.BadName)
}

func TestSpecialUsesThatMeet(t *testing.T) {
	for name, far := range map[string][]mail.Folder{
		"two are marked":         {used("a", `\Sent`), used("b", `\Sent`), used("ok")},
		"one has the name":       {used("a", `\Sent`), used("Sent"), used("ok")},
		"the name is named away": {used("Sent"), used("b", `\Sent`), used("ok")},
	} {
		table := build(t, nil, far, names(`\Sent`, "Sent"))
		for _, f := range far {
			_, err := table.Near(f.Name)
			if f.Name == "ok" {
				require.NoError(t, err)
				continue
			}
			require.ErrorIs(t, err, fault.BadName, name)
			require.ErrorContains(t, err, `would all be called "Sent"`, name)
		}
		_, err := table.Far("Sent")
		require.Error(t, err)
	}
	// Named or hidden, they do not meet.
	table := build(t, nil, []mail.Folder{used("a", `\Sent`), used("Sent"), {Name: "b", Attrs: []string{`\Sent`}, Hidden: true}},
		names(`\Sent`, "Sent", "Sent", "Sent before"))
	for far, near := range map[string]string{"a": "Sent", "Sent": "Sent before"} {
		got, err := table.Near(far)
		require.NoError(t, err)
		require.Equal(t, near, got)
		back, err := table.Far(near)
		require.NoError(t, err)
		require.Equal(t, far, back)
	}
	near, err := table.Near("b")
	require.Error(t, err)
	require.Empty(t, near)
}

func TestSpecialUsesThatAreNone(t *testing.T) {
	for name, step := range map[string]naming.Step{
		"unknown": names(`\Spam`, "Spam"), "twice": names(`\Sent`, "a", `\SENT`, "b"), "same name": names(`\Sent`, "a", "b", "a"),
	} {
		_, err := naming.NewRename([]naming.Step{step}, nil)
		require.ErrorIs(t, err, fault.Config, name)
	}
}
