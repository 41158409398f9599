package imap

import (
	"bytes"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// crlfForm is the plain way to say what crlfReader does.
func crlfForm(b []byte) []byte {
	var out []byte
	for i, c := range b {
		if c == '\n' && (i == 0 || b[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}

func TestCRLFReaderConvertsLineEndsOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := []byte(rapid.StringOfN(rapid.RuneFrom([]rune("\r\n\x00aé")), 0, 200, -1).Draw(t, "in"))
		readers := map[string]io.Reader{
			"whole":    newCRLFReader(bytes.NewReader(in)),
			"one byte": newCRLFReader(iotest.OneByteReader(bytes.NewReader(in))),
			"data err": newCRLFReader(iotest.DataErrReader(bytes.NewReader(in))),
			"small":    iotest.OneByteReader(newCRLFReader(bytes.NewReader(in))),
		}
		for name, r := range readers {
			out, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Equal(t, string(crlfForm(in)), string(out), name)
		}
		require.Equal(t, string(crlfForm(in)), string(appendCRLF(nil, in)))
	})
}

func TestCRLFReaderPassesErrorsOn(t *testing.T) {
	out, err := io.ReadAll(newCRLFReader(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(io.ErrClosedPipe))))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.Equal(t, "a\r\nb", string(out))
}

func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "1:5:0:4:0", "1:7:18446744073709551615:1:ff", "2:1:1:1:0", "1:1:1:1", "1:+1:1:1:0", "0000000001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := parseCursor(mail.Cursor(s))
		if ok {
			require.Equal(t, mail.Cursor(s), p.cursor())
		} else {
			require.Zero(t, p)
		}
	})
}

func TestCursorsAreComparable(t *testing.T) {
	p := position{uidNext: 7, modSeq: 1 << 62, messages: 6}
	back, ok := parseCursor(p.cursor())
	require.True(t, ok)
	require.Equal(t, p, back)
	require.Equal(t, p.cursor(), p.complete())

	plain := position{uidNext: 7, messages: 6}
	require.Empty(t, plain.complete(), "flags may change unseen")
	require.Empty(t, position{modSeq: 3}.cursor(), "nothing to compare")
	a, b := plain, plain
	a.add(1, mail.NewFlags(`\Seen`))
	a.add(2, mail.Flags{})
	b.add(2, mail.Flags{})
	b.add(1, mail.NewFlags(`\Seen`))
	require.Equal(t, a.cursor(), b.cursor(), "the order does not matter")
	b.add(3, mail.Flags{})
	require.NotEqual(t, a.cursor(), b.cursor())
}

func TestSetArithmetic(t *testing.T) {
	draw := rapid.Custom(func(t *rapid.T) mail.KeySet {
		var s mail.KeySet
		for range rapid.IntRange(0, 12).Draw(t, "ranges") {
			first := rapid.Uint32Range(1, 60).Draw(t, "first")
			s.AddUIDs(first, first+rapid.Uint32Range(0, 9).Draw(t, "more"))
		}
		return s
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		both, only := intersect(a, b), minus(a, b)
		for uid := uint32(1); uid < 80; uid++ {
			k := mail.UIDKey(uid)
			require.Equal(t, a.Contains(k) && b.Contains(k), both.Contains(k))
			require.Equal(t, a.Contains(k) && !b.Contains(k), only.Contains(k))
		}
		n := rapid.IntRange(1, 7).Draw(t, "n")
		var joined mail.KeySet
		for piece := range pieces(a, n) {
			require.LessOrEqual(t, piece.Len(), n)
			require.Empty(t, intersect(joined, piece).UIDs())
			joined.AddSet(piece)
		}
		require.Equal(t, a, joined)
		if a.Len() > 1 {
			require.Len(t, halves(a), 2)
		}
	})
	var top mail.KeySet
	top.AddUIDs(math.MaxUint32-3, math.MaxUint32)
	n := 0
	for piece := range pieces(top, 3) {
		n += piece.Len()
	}
	require.Equal(t, 4, n)
	require.Equal(t, 3, minus(top, mail.NewKeySet(mail.UIDKey(math.MaxUint32))).Len())
}

func FuzzUIDList(f *testing.F) {
	f.Add("3,1,7:9,12:10")
	f.Add("1:4294967295")
	f.Add("4294967290:4294967295")
	f.Fuzz(func(t *testing.T, s string) {
		list, ok := uidList(s)
		if ok {
			require.LessOrEqual(t, len(list), maxListed)
			require.NotEmpty(t, list)
		}
	})
}

func TestUIDListKeepsTheOrder(t *testing.T) {
	list, ok := uidList("3,1,9:7")
	require.True(t, ok)
	require.Equal(t, []uint32{3, 1, 7, 8, 9}, list)
	for _, bad := range []string{"", "*", "1:*", "1,,2", "x", "1:4294967295"} {
		_, ok := uidList(bad)
		require.False(t, ok, bad)
	}
}

// A failure of one message costs a logarithm, and never hides another one.
func TestInHalvesFindsTheOnesThatFail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all, bad mail.KeySet
		n := rapid.Uint32Range(1, 300).Draw(t, "n")
		all.AddUIDs(1, n)
		for range rapid.IntRange(0, 5).Draw(t, "bad") {
			uid := rapid.Uint32Range(1, n).Draw(t, "uid")
			bad.AddUIDs(uid, uid)
		}
		partial := rapid.Bool().Draw(t, "partial")
		var done, failed mail.KeySet
		attempts := 0
		err := inHalves(all, func(set mail.KeySet) (mail.KeySet, error) {
			attempts++
			got := minus(set, bad)
			if intersect(set, bad).Empty() {
				done.AddSet(got)
				return got, nil
			}
			if !partial {
				got = mail.KeySet{}
			}
			done.AddSet(got)
			return got, refusal{fault.New(fault.Refused, "", "no")}
		}, func(k mail.Key, err error) {
			require.ErrorIs(t, err, fault.Refused)
			failed.Add(k)
		})
		require.NoError(t, err)
		require.Equal(t, bad, failed)
		require.Equal(t, minus(all, bad), done)
		require.LessOrEqual(t, attempts, 2+20*bad.Len())
	})
}

func TestInHalvesGivesUpWhenNothingWorks(t *testing.T) {
	var all mail.KeySet
	all.AddUIDs(1, 10000)
	attempts, failed := 0, 0
	err := inHalves(all, func(mail.KeySet) (mail.KeySet, error) {
		attempts++
		return mail.KeySet{}, refusal{fault.New(fault.Permission, "", "no")}
	}, func(mail.Key, error) { failed++ })
	require.NoError(t, err)
	require.Equal(t, 10000, failed)
	require.Less(t, attempts, 100)
}

func TestSpoolGivesBackWhatWasPutIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sp := newSpool("")
		defer sp.close()
		var spans []span
		var contents [][]byte
		for range rapid.IntRange(1, 6).Draw(t, "pieces") {
			size := rapid.SampledFrom([]int{0, 1, 1000, spoolMemory - 1, spoolMemory, spoolMemory + 1, 700 << 10}).Draw(t, "size")
			content := bytes.Repeat([]byte{byte(len(spans) + 1)}, size)
			if rapid.Bool().Draw(t, "broken before") {
				_, err := sp.add(io.MultiReader(bytes.NewReader(content), iotest.ErrReader(io.ErrUnexpectedEOF)))
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			}
			at, err := sp.add(bytes.NewReader(content))
			require.NoError(t, err)
			spans, contents = append(spans, at), append(contents, content)
		}
		for i, at := range spans {
			got, err := io.ReadAll(sp.reader(at))
			require.NoError(t, err)
			require.True(t, bytes.Equal(contents[i], got))
		}
	})
}

func TestFlagsThatCannotBeSentAreLeftOut(t *testing.T) {
	all := mail.NewFlags(`\Seen`, "good", "b]d", "zé", "star*", "$Forwarded")
	require.Equal(t, []string{`\Seen`, "$Forwarded", "good"}, permanentFlags{}.keep(all).Strings())
	require.Equal(t, []string{`\Seen`, "$Forwarded", "good"}, permanentFlags{told: true, anyKeyword: true}.keep(all).Strings())
	some := permanentFlags{told: true, flags: mail.NewFlags(`\Seen`, "GOOD")}
	require.Equal(t, []string{`\Seen`, "good"}, some.keep(all).Strings())
}
