package mail_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/mail"
)

func mark(text string) mail.Mark {
	sum := sha256.Sum256([]byte(text))
	return mail.NewMark([16]byte(sum[:16]))
}

func TestMarkIsASum(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var a, b mail.Mark
		names := rapid.SliceOfN(rapid.String(), 0, 6).Draw(r, "names")
		for i, name := range names {
			a, b = a.Plus(mark(name)), b.Plus(mark(names[len(names)-1-i]))
		}
		require.Equal(r, a, b, "in any order")
		back, ok := mail.ParseMark(a.String())
		require.True(r, ok)
		require.Equal(r, a, back)
		for _, name := range names {
			a = a.Minus(mark(name))
		}
		require.Empty(r, a.String())
	})
}

func TestMarkInACursor(t *testing.T) {
	plain := mail.Cursor("where it stood")
	_, marked := plain.Mark()
	require.False(t, marked)
	require.Equal(t, plain, plain.Advance(mark("x")), "a cursor without a mark does not get one")
	c := plain.Marked(mark("x"))
	require.NotEqual(t, plain, c)
	require.Equal(t, plain, c.Place())
	c = c.Advance(mark("y").Minus(mark("x")))
	m, marked := c.Mark()
	require.True(t, marked)
	require.Equal(t, mark("y"), m)
	require.Equal(t, plain, c.Place())
	for _, bad := range []string{"#x", "#00", "#zz", "#" + string(make([]byte, 32))} {
		_, ok := mail.Cursor("p" + bad).Mark()
		require.False(t, ok, bad)
	}
}
