package pattern_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/yuin/gopher-lua/pm"

	"github.com/imapfw/imapfw/host/script/pattern"
)

func find(t *testing.T, src, pat string) string {
	t.Helper()
	p, err := pattern.Compile(pat)
	if err != nil {
		return "error: " + err.Error()
	}
	m, ok, err := p.Find(src, 0, &pattern.Budget{})
	require.NoError(t, err)
	if !ok {
		return "no"
	}
	return show(src, m)
}

func show(src string, m pattern.Match) string {
	out := fmt.Sprintf("%d-%d", m.Start, m.End)
	for _, c := range m.Captures {
		if c.End < 0 {
			out += fmt.Sprintf(" @%d", c.Start)
		} else {
			out += " " + src[c.Start:c.End]
		}
	}
	return out
}

func TestMatches(t *testing.T) {
	for _, c := range []struct{ src, pat, want string }{
		{"hello", "l+", "2-4"},
		{"hello", "^l", "no"},
		{"hello", "^h(.-)o$", "0-5 ell"},
		{"hello", "", "0-0"},
		{"", "^$", "0-0"},
		{"a$b", "$b", "1-3"},
		{"key = value", "(%w+)%s*=%s*(%w+)", "0-11 key value"},
		{"abc", "()b()", "1-2 @1 @2"},
		{"x(a(b)c)y", "%b()", "1-8"},
		{"x(a(b c", "%b()", "no"},
		{"THE (quick) fox", "%f[%a]%a+%f[%A]", "0-3"},
		{"say \"hi\" or 'no'", "([\"'])(.-)%1", "4-8 \" hi"},
		{"a-b", "[a-]+", "0-2"},
		{"a]b", "[]]", "1-2"},
		{"a]b", "[^]]+", "0-1"},
		{"x^y", "[x^]+", "0-2"},
		{"1e5", "%x+", "0-3"},
		{"\x00a", "%z", "0-1"},
		{"a\x00b", "a\x00b", "0-3"},
		{"caf\xe9!", "%a+", "0-3"},
		{"\x01 ~", "%g", "2-3"},
		{"aaab", "a-b", "0-4"},
		{"aaab", "a?ab", "1-4"},
		{"aXb", "%u", "1-2"},
		{"a.b", "%.", "1-2"},
		{"abcabc", "(a(b)c)%1%2", "no"},
		{"abcabcb", "(a(b)c)%1%2", "0-7 abc b"},
		{"abcabcbb", "(a(b)c)%1()", "0-6 abc b @6"},
		{"a", "%", "error: malformed pattern (ends with '%')"},
		{"a", "[a", "error: malformed pattern (missing ']')"},
		{"a", "(a", "error: unfinished capture"},
		{"a", "a)", "error: invalid pattern capture: ')' without '('"},
		{"a", "%1", "error: invalid capture index %1"},
		{"a", "(a%1)", "error: invalid capture index %1: it is not closed yet"},
		{"a", "%bx", "error: malformed pattern (missing arguments to '%b')"},
		{"a", "%fa", "error: malformed pattern (missing '[' after '%f')"},
		{"a", strings.Repeat("()", 33), "error: too many captures (at most 32)"},
	} {
		require.Equal(t, c.want, find(t, c.src, c.pat), "find(%q, %q)", c.src, c.pat)
	}
}

// Patterns that would run for hours stop at the limit, and before it when the
// caller says so.
func TestRunawayPatternsEnd(t *testing.T) {
	for _, c := range []struct{ src, pat string }{
		{strings.Repeat("a", 40), strings.Repeat("a?", 40) + strings.Repeat("a", 40) + "b"},
		{strings.Repeat("a", 5000), ".-.-.-.-b"},
		{strings.Repeat("a", 5000), "(.*)(.*)(.*)%1%2%3b"},
		{strings.Repeat("(", 100000), "%b()"},
	} {
		p, err := pattern.Compile(c.pat)
		require.NoError(t, err)

		b := &pattern.Budget{Limit: 1_000_000}
		_, _, err = p.Find(c.src, 0, b)
		require.ErrorIs(t, err, pattern.ErrTooComplex, c.pat)
		require.Less(t, b.Used(), int64(1_300_000), "steps after the limit: %s", c.pat)

		stop, polls := errors.New("stop"), 0
		_, _, err = p.Find(c.src, 0, &pattern.Budget{Poll: func() error {
			if polls++; polls == 3 {
				return stop
			}
			return nil
		}})
		require.ErrorIs(t, err, stop)
	}
}

// A linear pattern costs a number of steps in proportion to the text.
func TestLinearWork(t *testing.T) {
	steps := func(n int) int64 {
		p, err := pattern.Compile("%s*(%w+)%s*,")
		require.NoError(t, err)
		src, b := strings.Repeat(" word ,", n), &pattern.Budget{}
		for at := 0; ; {
			m, ok, err := p.Find(src, at, b)
			require.NoError(t, err)
			if !ok {
				return b.Used()
			}
			at = m.End
		}
	}
	one, ten := steps(1000), steps(10000)
	require.InDelta(t, 10, float64(ten)/float64(one), 0.5)
}

// FuzzAgainstGopherLua compares with gopher-lua's matcher where it is right.
func FuzzAgainstGopherLua(f *testing.F) {
	for _, s := range [][2]string{{"hello world", "(%w+) (%w+)"}, {"aab", "a-b$"}, {"x(y)z", "%b()"}, {"abab", "(ab)%1"}, {"a-b", "[%a-]+"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, src, pat string) {
		if len(src) > 24 || len(pat) > 16 || !sameDialect(pat) {
			t.Skip()
		}
		p, err := pattern.Compile(pat)
		if err != nil {
			t.Skip()
		}
		theirs, err := pm.Find(pat, []byte(src), 0, 1)
		if err != nil {
			t.Skip()
		}
		m, ok, err := p.Find(src, 0, &pattern.Budget{})
		require.NoError(t, err)
		require.Equal(t, len(theirs) > 0, ok, "%q on %q", pat, src)
		if !ok {
			return
		}
		md := theirs[0]
		require.Equal(t, [2]int{md.Capture(0), md.Capture(1)}, [2]int{m.Start, m.End}, "%q on %q", pat, src)
		for i := 2; i+1 < md.CaptureLength() && i/2-1 < len(m.Captures); i += 2 {
			c := m.Captures[i/2-1]
			if md.IsPosCapture(i) {
				require.Equal(t, Span(md.Capture(i)-1, -1), c, "%q on %q", pat, src)
			} else {
				require.Equal(t, Span(md.Capture(i), md.Capture(i+1)), c, "%q on %q", pat, src)
			}
		}
	})
}

func Span(from, to int) pattern.Span { return pattern.Span{Start: from, End: to} }

// sameDialect leaves out what gopher-lua lacks (%f, %g) or reads differently
// from Lua: a quantifier after nothing or after a capture, a set that holds '-'
// beside a class, '$' inside a capture, back-references to position captures.
func sameDialect(pat string) bool {
	for _, bad := range []string{"%f", "%g", "%G", "()", "$)", "%b", "[^-", "--", "-%", "%-", "-["} {
		if strings.Contains(pat, bad) {
			return false
		}
	}
	if strings.ContainsAny(pat, "[]") && strings.ContainsAny(pat, "-%^") {
		return false
	}
	for i := 0; i < len(pat); i++ {
		if strings.IndexByte("*+-?", pat[i]) >= 0 && (i == 0 || strings.IndexByte("(*+-?)^", pat[i-1]) >= 0 || i > 1 && pat[i-2] == '%') {
			return false
		}
		if pat[i] >= 0x80 {
			return false
		}
	}
	return true
}

func BenchmarkFind(b *testing.B) {
	p, err := pattern.Compile("^Subject: *(.-) *$")
	require.NoError(b, err)
	src := "Subject: " + strings.Repeat("hello ", 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, _ := p.Find(src, 0, &pattern.Budget{}); !ok {
			b.Fatal("no match")
		}
	}
}
