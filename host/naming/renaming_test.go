package naming_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
)

// A folder takes those below it along; what would not come out alike on both
// sides is refused before anything is done.
func TestRenaming(t *testing.T) {
	for _, tc := range []struct {
		name     string
		steps    []naming.Step
		far      []string
		from, to string
		want     [2]string
		code     fault.Code
	}{
		{name: "plain", far: []string{"a", "a/b", "ab"}, from: "a", to: "c", want: [2]string{"a", "c"}},
		{name: "prefix", steps: []naming.Step{{Kind: naming.StripPrefix, Prefix: "INBOX/"}}, far: []string{"INBOX", "INBOX/a", "INBOX/a/b"},
			from: "a", to: "c/d", want: [2]string{"INBOX/a", "INBOX/c/d"}},
		{name: "flat, nothing below", steps: []naming.Step{{Kind: naming.Flatten, Separator: "."}}, far: []string{"a", "b/c"},
			from: "b.c", to: "b.d", want: [2]string{"b/c", "b/d"}},
		{name: "flat", steps: []naming.Step{{Kind: naming.Flatten, Separator: "."}}, far: []string{"a", "a/b"}, from: "a", to: "c", code: fault.Unsupported},
		{name: "named by itself", steps: []naming.Step{{Kind: naming.Map, Names: map[string]string{"a/b": "special"}}}, far: []string{"a", "a/b"},
			from: "a", to: "c", code: fault.Unsupported},
		{name: "named to be below", steps: []naming.Step{{Kind: naming.Map, Names: map[string]string{"x": "a/x"}}}, far: []string{"a", "x"},
			from: "a", to: "c", code: fault.Unsupported},
		{name: "met by another", steps: []naming.Step{{Kind: naming.Map, Names: map[string]string{"x": "c/b"}}}, far: []string{"a", "a/b", "x"},
			from: "a", to: "c", code: fault.Unsupported},
		{name: "to nowhere", steps: []naming.Step{{Kind: naming.AddPrefix, Prefix: "p/"}}, far: []string{"a"}, from: "p/a", to: "q", code: fault.BadName},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := naming.NewRename(tc.steps, nil)
			require.NoError(t, err)
			var folders []mail.Folder
			for _, name := range tc.far {
				folders = append(folders, mail.Folder{Name: name})
			}
			from, to, err := r.Build(folders).Renaming(tc.from, tc.to)
			if tc.code != "" {
				require.ErrorIs(t, err, tc.code)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, [2]string{from, to})
		})
	}
}
