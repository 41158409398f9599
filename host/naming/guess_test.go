package naming_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/naming"
)

func TestFarNames(t *testing.T) {
	var none *naming.Rename
	require.Equal(t, []string{"a"}, none.FarNames("a"))
	for _, c := range []struct {
		steps []naming.Step
		near  string
		want  []string
	}{
		{nil, "a", []string{"a"}},
		{[]naming.Step{{Kind: naming.StripPrefix, Prefix: "[Gmail]/"}}, "Sent", []string{"[Gmail]/Sent", "Sent"}},
		{[]naming.Step{{Kind: naming.StripPrefix, Prefix: "[Gmail]/"}}, "INBOX", []string{"INBOX"}},
		{[]naming.Step{{Kind: naming.AddPrefix, Prefix: "x/"}, {Kind: naming.Flatten, Separator: "."}}, "x.a.b", []string{"a/b"}},
		{[]naming.Step{{Kind: naming.Map, Names: map[string]string{"far": "near"}}}, "near", []string{"far"}},
	} {
		r, err := naming.NewRename(c.steps, nil)
		require.NoError(t, err)
		require.Equal(t, c.want, r.FarNames(c.near))
	}
}
