package conn_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
)

func TestOddNames(t *testing.T) {
	for raw, text := range map[string]string{
		"plain": "plain", "Entw&APw-rfe": "Entwürfe", "a&-b": "a&b", "100%": "100%", "a%20b": "a%20b", "a%2Fb": "a%2Fb",
		"a&b": "a%26b", "Q&A": "Q%26A", "&AOk": "%26AOk", "&AGE-": "%26AGE-", "&AOk-&AOk-": "é%26AOk-", "lat\xe9in": "lat%E9in",
		"a&AAk-b": "a%26AAk-b", "a\tb": "a%09b", "100%26": "100%2526", "100%25": "100%25", "100%2526": "100%252526", "%E9": "%25E9", "&AOk-\xff&AOk-": "é%FFé",
	} {
		got := conn.ReadName(raw, false, "")
		require.Equal(t, text, got)
		back, _, ok := conn.WriteName(text, false, "")
		require.True(t, ok, text)
		require.Equal(t, raw, back)
	}
	require.Equal(t, "AC%2FDC", conn.ReadName("AC/DC", false, "/"))
	raw, odd, ok := conn.WriteName("AC%2FDC", false, "/")
	require.True(t, ok)
	require.False(t, odd, "a good name, but for us")
	require.Equal(t, "AC/DC", raw)
	require.Equal(t, "Q&A für \u0085%9F", conn.ReadName("Q&A für \u0085\x9f", true, ""))
	for _, text := range []string{"a%26-b", "%FF%FE&", "é%C3%A9"} {
		_, _, ok = conn.WriteName(text, false, "")
		require.Equal(t, text == "%FF%FE&", ok, text)
	}
}

// Every name that a server may write is read as text that leads back to it.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"Entw&APw-rfe", "a&b", "&", "&-&-", "&AOk-&AOk-", "%26", "%25", "%%26", "lat\xe9in", "a\x00b", "é", "&2D3eAA-", "&AAA-"} {
		f.Add(seed, false, false)
		f.Add(seed, true, true)
	}
	f.Fuzz(func(t *testing.T, raw string, utf8Names, slash bool) { checkOddName(t, raw, utf8Names, slash) })
}

func checkOddName(t require.TestingT, raw string, utf8Names, slash bool) {
	also := ""
	if slash {
		also = "/"
	}
	text := conn.ReadName(raw, utf8Names, also)
	require.True(t, utf8.ValidString(text))
	require.False(t, strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }), "%q", text)
	require.False(t, slash && strings.Contains(text, "/"))
	back, _, ok := conn.WriteName(text, utf8Names, also)
	// UTF-8 where modified UTF-7 should be is read too, but it is written as it
	// should be.
	if utf8Names || !hasWide(raw) {
		require.True(t, ok, "%q -> %q -> %q", raw, text, back)
		require.Equal(t, raw, back)
	}
	if good, isGood := conn.DecodeName(raw); isGood && !utf8Names && !slash && !strings.ContainsAny(raw, "%") && text != good {
		require.True(t, strings.ContainsFunc(good, func(r rune) bool { return r < ' ' || r == 0x7f }), "%q", raw)
	}
}

func TestOddNamesProperty(t *testing.T) {
	piece := rapid.OneOf(rapid.SampledFrom([]string{"&", "-", "&-", "&AOk-", "&AOk", "&AAk-", "%", "%2", "%26", "%25", "%2F", "26", "F", "/", "\xff", "\x01", "é", "\ufffd"}),
		rapid.StringMatching(`[a-zA-F0-9%&/-]{1,4}`))
	rapid.Check(t, func(t *rapid.T) {
		raw := strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "pieces"), "")
		checkOddName(t, raw, rapid.Bool().Draw(t, "utf8"), rapid.Bool().Draw(t, "slash"))
	})
}

// hasWide reports whether there is a character of several bytes.
func hasWide(s string) bool {
	for i := range s {
		if _, size := utf8.DecodeRuneInString(s[i:]); size > 1 {
			return true
		}
	}
	return false
}
