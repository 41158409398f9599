package maildir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/fault"
)

func layoutOf(t *testing.T, o Options) layout {
	t.Helper()
	full, err := o.complete()
	require.NoError(t, err)
	return newLayout(full)
}

func TestLayouts(t *testing.T) {
	verbatim := Options{Path: "/m"}
	apart := Options{Path: "/m", Inbox: "/in"}
	plus := Options{Path: "/m", Subfolders: MaildirPP}
	legacy := Options{Path: "/m", Subfolders: Legacy}
	flat := Options{Path: "/m", Separator: "."}
	for _, one := range []struct {
		opts      Options
		name, dir string
	}{
		{verbatim, "INBOX", "/m/INBOX"}, {verbatim, "inbox", "/m/INBOX"}, {verbatim, "top/sub/subsub", "/m/top/sub/subsub"},
		{verbatim, "INBOX/sub", "/m/INBOX/sub"}, {verbatim, "Inbox/sub", "/m/INBOX/sub"},
		{apart, "INBOX", "/in"}, {apart, "INBOX/sub", "/in/sub"}, {apart, "top", "/m/top"},
		{Options{Path: "/m", Inbox: "/m"}, "INBOX", "/m"}, {Options{Path: "/m", Inbox: "/m"}, "top", "/m/top"},
		{plus, "INBOX", "/m"}, {plus, "top/sub/subsub", "/m/.top.sub.subsub"}, {plus, "INBOX/sub", "/m/..sub"},
		{Options{Path: "/m", Inbox: "/in", Subfolders: MaildirPP}, "top", "/in/.top"},
		{legacy, "top/sub/subsub", "/m/top/.sub/.subsub"}, {legacy, "INBOX/sub", "/m/INBOX/.sub"},
		{flat, "INBOX", "/m/INBOX"}, {flat, "top/sub", "/m/top.sub"}, {flat, "INBOX/sub", "/m/INBOX.sub"},
		{Options{Path: "/m", Separator: "__"}, "a/b", "/m/a__b"},
		{Options{Path: "/m", Encoding: UTF7}, "Entwürfe/a&b", "/m/Entw&APw-rfe/a&-b"},
	} {
		dir, err := layoutOf(t, one.opts).dir(one.name)
		require.NoError(t, err, one.name)
		require.Equal(t, one.dir, dir)
	}
	for _, one := range []struct {
		opts Options
		name string
	}{
		{apart, "../in"}, {Options{Path: "/m", Inbox: "/m/Post"}, "Post"}, {Options{Path: "/m", Inbox: "/m"}, "INBOX/sub"},
		{plus, "v1.0"}, {flat, "v1.0"}, {flat, ".a"}, {Options{Path: "/m", Separator: "__"}, "a_/b"}, {legacy, "a/.b"},
		{legacy, "cur/a"}, {verbatim, "a/cur"}, {verbatim, strings.Repeat("ä", 128)},
		{Options{Path: "/m", Encoding: UTF7}, strings.Repeat("ä", 100)},
	} {
		_, err := layoutOf(t, one.opts).dir(one.name)
		require.ErrorIs(t, err, fault.BadName, one.name)
	}
}

// TestNamesAndDirectories makes folders of any name, and finds them again.
func TestNamesAndDirectories(t *testing.T) {
	variants := []Options{
		{}, {Inbox: "in"}, {Subfolders: MaildirPP}, {Subfolders: Legacy}, {Separator: "."}, {Encoding: UTF7},
		{Separator: "%%", Encoding: UTF7}, {Subfolders: MaildirPP, Encoding: UTF7},
	}
	level := rapid.OneOf(rapid.StringMatching(`[a-zA-Z .&%"~_-]{1,6}`), rapid.StringN(1, 8, 30))
	rapid.Check(t, func(rt *rapid.T) {
		root := filepath.Join(t.TempDir(), "m")
		defer os.RemoveAll(root)
		o := variants[rapid.IntRange(0, len(variants)-1).Draw(rt, "variant")]
		if o.Path = root; o.Inbox != "" {
			o.Inbox = root + "-in"
			defer os.RemoveAll(o.Inbox)
		}
		l := layoutOf(t, o)
		want := map[string]bool{}
		for range rapid.IntRange(1, 6).Draw(rt, "folders") {
			parts := rapid.SliceOfN(level, 1, 3).Draw(rt, "levels")
			if rapid.Bool().Draw(rt, "in the inbox") {
				parts[0] = "INBOX"
			}
			name := strings.Join(parts, "/")
			dir, err := l.dir(name)
			if err != nil {
				require.ErrorIs(rt, err, fault.BadName)
				continue
			}
			require.NoError(rt, os.MkdirAll(dir+"/cur", 0o700))
			if strings.EqualFold(parts[0], "INBOX") {
				parts[0] = "INBOX"
			}
			want[strings.Join(parts, "/")] = true
		}
		list, err := l.folders(t.Context())
		require.NoError(rt, err)
		got := map[string]bool{}
		for _, f := range list {
			require.Empty(rt, f.why, f.name)
			got[f.name] = true
		}
		require.Equal(rt, want, got)
	})
}
