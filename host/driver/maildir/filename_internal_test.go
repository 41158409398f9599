package maildir

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/mail"
)

func TestParseName(t *testing.T) {
	for name, want := range map[string]filename{
		"1.x.host":            {key: "1.x.host"},
		"1.x.host:2,":         {key: "1.x.host"},
		"1.x.host:2,FS":       {key: "1.x.host", letters: "FS"},
		"1.x,S=10,W=11:2,Sab": {key: "1.x,S=10,W=11", letters: "Sab"},
		"1.x:2,S,more:2":      {key: "1.x", middle: ":2,S,more:2"},
		"1.x:2,S,more":        {key: "1.x", letters: "S", tail: ",more"},
		"1.x:1,odd":           {key: "1.x", middle: ":1,odd"},
		"1.x:2,S:2,F":         {key: "1.x", middle: ":2,S", letters: "F"},
		"1.x:":                {key: "1.x", middle: ":"},
		":2,S":                {key: ":2,S"},
		":":                   {key: ":"},
		"x":                   {key: "x"},
		"x:2,\xffS":           {key: "x", letters: "\xffS"},

		// Separators that are not ours.
		"1.x!2,FS":        {key: "1.x", letters: "FS"},
		"1.x;2,":          {key: "1.x"},
		"1.x!2,S:2,F":     {key: "1.x", middle: "!2,S", letters: "F"},
		"1.x:2,S!2,F":     {key: "1.x", middle: ":2,S", letters: "F"},
		"1.x;2,S,more":    {key: "1.x", letters: "S", tail: ",more"},
		"1.x!2":           {key: "1.x!2"},
		"1.x!1,S":         {key: "1.x!1,S"},
		"1.x!2,S.host":    {key: "1.x!2,S.host"},
		"1.x!2,9:2,S":     {key: "1.x!2,9", letters: "S"},
		"1.x,U=5,FMD5=a9": {key: "1.x,U=5,FMD5=a9"},
	} {
		require.Equal(t, want, parseName(name, ':'), name)
	}
}

func TestNameKeepsWhatItDoesNotKnow(t *testing.T) {
	for _, one := range []struct{ name, add, drop, want string }{
		{"1.x", "S", "", "1.x:2,S"},
		{"1.x:2,S", "F", "", "1.x:2,FS"},
		{"1.x:2,FS", "", "F", "1.x:2,S"},
		{"1.x:2,SXz", "F", "S", "1.x:2,FXz"},
		{"1.x:2,S,more", "T", "", "1.x:2,ST,more"},
		{"1.x:1,odd", "S", "", "1.x:1,odd:2,S"},
		{"1.x:2,S:2,F", "R", "F", "1.x:2,S:2,R"},
		{"1.x:2,SS", "S", "", "1.x:2,S"},
		{"1.x:2,\xff9", "S", "F", "1.x:2,S\xff9"},
		{"1.x!2,S", "F", "", "1.x:2,FS"},
		{"1.x!2,S:2,F", "S", "", "1.x!2,S:2,FS"},
		{"1.x,U=5,FMD5=a9:2,S", "F", "", "1.x,U=5,FMD5=a9:2,FS"},
	} {
		f := parseName(one.name, ':')
		got := f.with(dropLetters(f.letters, []byte(one.drop))+one.add, ':')
		require.Equal(t, one.want, got)
	}
}

// checkName holds for every file name and every change of letters.
func checkName(t require.TestingT, name, letters string, sep byte) {
	f := parseName(name, sep)
	require.Equal(t, cutKey(name, sep), f.key)
	require.NotEmpty(t, f.key)
	again := parseName(f.with(f.letters+letters, sep), sep)
	require.Equal(t, f.key, again.key, "the key stays")
	require.Equal(t, f.middle, again.middle)
	require.Equal(t, f.tail, again.tail)
	require.Equal(t, systemFlags(f.letters+letters), systemFlags(again.letters))
	require.Equal(t, again, parseName(again.with(again.letters, sep), sep), "what was written is stable")
}

func FuzzParseName(f *testing.F) {
	for _, seed := range []string{"1.x:2,FS", "1.x:1,odd", ":", "a:2,S:2,F,x", ":2,S", "a:b:c"} {
		f.Add(seed, "S")
	}
	f.Fuzz(func(t *testing.T, name, letters string) {
		for _, c := range []byte(letters) {
			if !isLetter(c) {
				return
			}
		}
		if name != "" {
			checkName(t, name, letters, ':')
			checkName(t, name, letters, '#')
		}
	})
}

func TestParseNameProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkName(t, rapid.StringMatching(`[a:!;#2,.S1]{1,12}`).Draw(t, "name"), rapid.StringMatching(`[A-Za-z]{0,4}`).Draw(t, "letters"),
			rapid.SampledFrom([]byte(":;!#")).Draw(t, "sep"))
	})
}

func FuzzUTF7(f *testing.F) {
	for _, seed := range []string{"&AOQ-", "a&-b", "&", "&-", "&2D3cAA-", "&AGE-", "Entw&APw-rfe", "\xff", "&AAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if text, err := decodeUTF7(s); err == nil {
			require.Equal(t, s, encodeUTF7(text), "there is one way to write a name")
		}
	})
}

func TestUTF7(t *testing.T) {
	for text, coded := range map[string]string{
		"plain": "plain", "Entwürfe": "Entw&APw-rfe", "a&b": "a&-b", "日本語": "&ZeVnLIqe-",
		"台北": "&U,BTFw-", "🎉": "&2DzfiQ-", "~/x": "~/x", "": "",
	} {
		require.Equal(t, coded, encodeUTF7(text))
		back, err := decodeUTF7(coded)
		require.NoError(t, err)
		require.Equal(t, text, back)
	}
	for _, bad := range []string{"&", "&AOQ", "&AGE-", "&A-", "&2Dw-", "a\xc3\xa9", "&AOQ-&AOQ-"} {
		_, err := decodeUTF7(bad)
		require.Error(t, err, bad)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		back, err := decodeUTF7(encodeUTF7(text))
		require.NoError(t, err)
		require.Equal(t, text, back)
	})
}

func TestLFWriter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOf(rapid.StringMatching(`[a\r\n]{0,5}`)).Draw(t, "pieces")
		var l lfWriter
		var got, whole string
		for _, p := range pieces {
			got += string(l.convert([]byte(p)))
			whole += p
		}
		got += string(l.rest())
		want := ""
		for i := range len(whole) {
			if whole[i] != '\r' || i+1 == len(whole) || whole[i+1] != '\n' {
				want += whole[i : i+1]
			}
		}
		require.Equal(t, want, got)
	})
}

func TestHeaderEnd(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "a": 0, "a\n": 0, "a\n\nb": 3, "a\r\n\r\nb": 5, "\nb": 1, "\r\nb": 2, "a\r\rb\n\nc": 6, "a\n\rb\n": 0,
	} {
		require.Equal(t, want, headerEnd([]byte(text), 0), "%q", text)
	}
}

func TestSettled(t *testing.T) {
	const s = int64(1e9)
	fine, coarse := dirTime{100*s + 1234567, 100*s + 1234567}, dirTime{100 * s, 100 * s}
	require.False(t, fine.settled(fine.mtime))
	require.False(t, fine.settled(fine.mtime+int64(fineGrain)))
	require.True(t, fine.settled(fine.mtime+int64(fineGrain)+1))
	require.False(t, coarse.settled(102*s), "whole seconds: FAT counts in two")
	require.True(t, coarse.settled(103*s))
	require.False(t, fine.settled(99*s), "a time to come proves nothing")
	require.True(t, dirTime{}.settled(s*10), "a directory that is not there")
	restored := dirTime{mtime: 50*s + 1234567, ctime: 100*s + 1234567}
	require.False(t, restored.settled(100*s+1234568), "an old time that was set just now")
}

func TestTables(t *testing.T) {
	tab, rest := parseTable("0 work\n1 $Junk\nnonsense\n30 far\n0 twice\n2 two words\n25 last\n")
	require.Equal(t, "work", tab[0])
	require.Equal(t, "$Junk", tab[1])
	require.Equal(t, "last", tab[25])
	require.Equal(t, []string{"nonsense", "30 far", "0 twice", "2 two words"}, rest)
	again, restAgain := parseTable(tab.format(rest))
	require.Equal(t, tab, again)
	require.Equal(t, rest, restAgain, "nobody's lines are lost")
	i, ok := tab.letter("WORK")
	require.True(t, ok)
	require.Zero(t, i)

	account := table{0: "home", 1: "work", 2: "other"}
	meaning := table{0: "work"}.under(account)
	require.Equal(t, table{0: "work", 2: "other"}, meaning, "the folder's own table wins")
	require.True(t, mail.NewFlags(`\Seen`, "$Forwarded", "work").Equal(meaning.flagsOf("SPaz")))
}
