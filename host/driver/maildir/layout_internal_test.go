package maildir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

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
		// What cannot be on disk is written as it can.
		{verbatim, "../..", "/m/%2E./%2E."}, {verbatim, ".", "/m/%2E"}, {verbatim, ".a/v1.0", "/m/%2Ea/v1.0"},
		{plus, "v1.0", "/m/.v1%2E0"}, {plus, "../a", "/m/.%2E%2E.a"}, {plus, "cur", "/m/.cur"}, {flat, "v1.0/.a", "/m/v1%2E0.%2Ea"},
		{legacy, "a/.b", "/m/a/.%2Eb"}, {legacy, "cur/a", "/m/%63ur/.a"}, {verbatim, "a/cur/tmp", "/m/a/%63ur/%74mp"},
		{verbatim, "dovecot-keywords", "/m/%64ovecot-keywords"}, {verbatim, "a\x1b[1m\tb\x7f", "/m/a%1B[1m%09b%7F"},
		{Options{Path: "/m", Separator: "__"}, "a_/b", "/m/a%5F__b"}, {Options{Path: "/m", Separator: "%%"}, "a/b", "/m/a%%b"},
		{Options{Path: "/m", Encoding: UTF7}, "a\tb.&", "/m/a&AAk-b.&-"},
		// A "%" stands for itself, unless it would not.
		{verbatim, "100%", "/m/100%"}, {verbatim, "100%25", "/m/100%25"}, {verbatim, "100%2509", "/m/100%252509"}, {verbatim, "a%09", "/m/a%2509"}, {verbatim, "a%20b", "/m/a%20b"},
		{verbatim, "%2Ea", "/m/%252Ea"}, {verbatim, "a%2Ea", "/m/a%2Ea"}, {verbatim, "%2ea", "/m/%2ea"}, {plus, "a%2Ea", "/m/.a%252Ea"},
		{verbatim, "%63ur", "/m/%2563ur"}, {verbatim, "%63urious", "/m/%63urious"}, {verbatim, "%\t", "/m/%%09"},
	} {
		dir, err := layoutOf(t, one.opts).dir(one.name)
		require.NoError(t, err, one.name)
		require.Equal(t, one.dir, dir)
	}
	for _, one := range []struct {
		opts Options
		name string
	}{
		{Options{Path: "/m", Inbox: "/m/Post"}, "Post"}, {Options{Path: "/m", Inbox: "/m"}, "INBOX/sub"},
		{verbatim, "a\x00b"}, {verbatim, "a\nb"}, {verbatim, "a\rb"}, {verbatim, "a\xffb"}, {verbatim, "a//b"}, {verbatim, ""},
		{Options{Path: "/m", Separator: "u"}, "c/r"}, {Options{Path: "/m", Separator: "%"}, "100%/a"},
		{verbatim, strings.Repeat("ä", 128)}, {verbatim, strings.Repeat("x", 254) + "\t"}, {plus, strings.Repeat("x/", 128) + "x"},
		{Options{Path: "/m", Encoding: UTF7}, strings.Repeat("ä", 100)},
	} {
		_, err := layoutOf(t, one.opts).dir(one.name)
		require.ErrorIs(t, err, fault.BadName, one.name)
	}
}

// Names of any kind, most of them nasty.
var anyLevel = rapid.OneOf(
	rapid.SampledFrom([]string{"cur", "new", "tmp", "Cur", "dovecot-keywords", ".", "..", "...", ".a", "%2E", "%2E.", "%25", "%", "%%63ur", "%63ur",
		"a%2Eb", " ", "a ", " a", "v1.0", "a_", "_a", "inbox", "INBOX", "e\u0301", "\u00e9", "a\tb", "\x1b[2J", "\x7f", "a\\b", "&", "&-", "&AOQ-", "~", "-rf"}),
	rapid.StringMatching(`[a-c2EF .&%"~_-]{1,6}`), rapid.StringMatching(`[\x01-\x1f%.0-9A-F]{1,6}`), rapid.StringN(1, 8, 30))

// variants are all kinds of layouts. The paths are those of newVariant.
var variants = []Options{
	{}, {Inbox: "in"}, {Subfolders: MaildirPP}, {Subfolders: MaildirPP, Inbox: "in"}, {Subfolders: Legacy}, {Separator: "."}, {Encoding: UTF7},
	{Separator: "%%", Encoding: UTF7}, {Separator: "c"}, {Separator: "__"}, {Separator: "2"}, {Separator: "&", Encoding: UTF7},
	{Subfolders: MaildirPP, Encoding: UTF7}, {Subfolders: Legacy, Encoding: UTF7, Inbox: "in"},
}

// TestNamesAndDirectories makes folders of any name, and finds them again: each
// name is refused, or has a directory of its own, below the root, that leads back
// to it.
func TestNamesAndDirectories(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		root := filepath.Join(t.TempDir(), "m")
		defer os.RemoveAll(root)
		o := variants[rapid.IntRange(0, len(variants)-1).Draw(rt, "variant")]
		if o.Path = root; o.Inbox != "" {
			o.Inbox = root + "-in"
			defer os.RemoveAll(o.Inbox)
		}
		l := layoutOf(t, o)
		want, dirs := map[string]bool{}, map[string]string{}
		for range rapid.IntRange(1, 6).Draw(rt, "folders") {
			parts := rapid.SliceOfN(anyLevel, 1, 3).Draw(rt, "levels")
			if rapid.Bool().Draw(rt, "in the inbox") {
				parts[0] = "INBOX"
			}
			name := strings.Join(parts, "/")
			dir, err := l.dir(name)
			if err != nil {
				require.ErrorIs(rt, err, fault.BadName)
				continue
			}
			name = foldInbox(name)
			require.True(rt, inside(dir, l.root) || inside(dir, l.inbox), "%q is outside", dir)
			require.Equal(rt, filepath.Clean(dir), dir)
			require.False(rt, strings.ContainsFunc(dir, func(r rune) bool { return r < ' ' || r == 0x7f }), "%q", dir)
			if other, twice := dirs[dir]; twice {
				require.Equal(rt, other, name, "two names, one directory")
			}
			dirs[dir] = name
			require.NoError(rt, os.MkdirAll(dir+"/cur", 0o700))
			want[name] = true
		}
		list, err := l.folders(t.Context(), nil)
		require.NoError(rt, err)
		got := map[string]bool{}
		for _, f := range list {
			require.Empty(rt, f.why, f.name)
			got[f.name] = true
		}
		require.Equal(rt, want, got)
	})
}

// Whatever a directory is called, it is read as a name that leads back to it, or
// it says why it cannot be kept in step.
func FuzzDirectoryNames(f *testing.F) {
	for i := range variants {
		for _, seed := range []string{"a", "%2Ea", "%2E.", "%63ur", "%2563ur", "a%2Eb", "100%25", "Entw&APw-rfe", "\xff", "%FF", "a%00", ".a.b", "..a", "a__b"} {
			f.Add(uint8(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, variant uint8, level string) {
		if level == "" || strings.ContainsAny(level, "/\x00") {
			return
		}
		o := variants[int(variant)%len(variants)]
		if o.Path = "/m"; o.Inbox != "" {
			o.Inbox = "/in"
		}
		l := layoutOf(t, o)
		text, why := l.decode(level)
		require.True(t, utf8.ValidString(text), "%q", text)
		if why == "" {
			again, why := l.decode(l.encode(text))
			if dir, err := l.dir(text); err == nil && !strings.Contains(text, "/") {
				require.Empty(t, why)
				require.Equal(t, text, again)
				require.True(t, inside(dir, "/m") || inside(dir, "/in"))
			}
		}
		if l.separator != "" || level[0] == '.' && len(level) > 1 {
			name, _ := l.flatName(level)
			_, _ = l.dir(name)
		}
	})
}
