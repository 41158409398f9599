package predicate_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/predicate"
)

func TestViewFields(t *testing.T) {
	const message = "From: =?utf-8?q?J=C3=BCrgen?= <j@x>\r\nX-A: 1\r\nx-a: 2\r\n folded\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\n\r\nhello =\r\n"
	header, _, _ := strings.Cut(message, "hello")
	v := &predicate.View{Header: []byte(header)}
	require.Equal(t, []string{"Jürgen <j@x>"}, v.Fields("from"))
	require.Equal(t, []string{"1", "2 folded"}, v.Fields("X-A"))
	sent, ok := v.Sent()
	require.True(t, ok)
	require.EqualValues(t, 1793613600, sent.Unix())

	text, err := v.Readable()
	require.NoError(t, err)
	require.Empty(t, text, "there is no body")
	v = &predicate.View{Header: []byte(header), Body: func() (io.Reader, error) { return strings.NewReader(message), nil }}
	text, err = v.Readable()
	require.NoError(t, err)
	require.Contains(t, text, "hello")

	none := &predicate.View{}
	require.Empty(t, none.Fields("From"))
	_, ok = none.Sent()
	require.False(t, ok)
}
