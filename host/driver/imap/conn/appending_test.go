package conn_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

const several = "LITERAL+ MULTIAPPEND UIDPLUS"

// three are messages with what APPEND may say of them.
func three(t *testing.T) *conn.Messages {
	var m conn.Messages
	require.NoError(t, m.Add(mail.NewFlags(`\Seen`, "work"), time.Date(2024, 3, 7, 8, 9, 10, 0, time.UTC), []byte("a\r\nX1 NOOP\r\n")))
	require.NoError(t, m.Add(mail.Flags{}, time.Time{}, []byte("b")))
	require.NoError(t, m.Add(mail.Flags{}, time.Date(2024, 11, 17, 8, 9, 10, 0, time.UTC), []byte(")\r\n")))
	require.Error(t, m.Add(mail.NewFlags("a(b"), time.Time{}, []byte("c")))
	require.Equal(t, 3, m.Len())
	return &m
}

func TestAppendOfSeveral(t *testing.T) {
	const text = "x (\\Seen work) \" 7-Mar-2024 08:09:10 +0000\" {12+}\r\na\r\nX1 NOOP\r\n" + " {1+}\r\nb" +
		" \"17-Nov-2024 08:09:10 +0000\" {3+}\r\n)\r\n"
	c := start(t, several, func(p *peer) {
		if got := p.command(); !strings.HasPrefix(got, `APPEND "x" (\Seen work) `) {
			t.Errorf("got %q", got)
		}
		// The rest of the first line was read with the command.
		rest := text[strings.Index(text, "\r\n")+2:]
		if got := p.octets(len(rest)); got != rest {
			t.Errorf("got %q", got)
		}
		if end := p.line(); end != "" {
			t.Errorf("%q behind the messages", end)
		}
		first := p.tag
		p.command()
		p.octets(len("b\r\n"))
		p.send("* 3 EXISTS\r\n" + first + " OK [APPENDUID 1 5:7] there\r\nTAG NO [OVERQUOTA] full\r\n")
	})
	require.True(t, c.AppendsSeveral())
	messages := three(t)
	all, err := c.Append(t.Context(), conn.Cmd("APPEND").Mailbox("x"), messages)
	require.NoError(t, err)
	one, err := c.Append(t.Context(), conn.Cmd("APPEND").Mailbox("x"), messages.One(1))
	require.NoError(t, err)
	for range 2 { // whoever asks, and in whatever order
		_, err = one.Wait(t.Context())
		require.ErrorIs(t, err, fault.Quota)
		reply, err := all.Wait(t.Context())
		require.NoError(t, err)
		require.Equal(t, "APPENDUID", reply.Code)
		require.Equal(t, []string{"1", "5:7"}, []string{reply.Args[0].Text, reply.Args[1].Text})
	}
	usable(t, c)
}

func TestMessagesLeftOut(t *testing.T) {
	m := three(t)
	rest := m.Without(func(i int) bool { return i == 1 })
	require.Equal(t, 2, rest.Len())
	require.Equal(t, m.Size()-m.One(1).Size(), rest.Size())
	m.Reset()
	require.Zero(t, m.Len())
	require.Equal(t, 2, rest.Len(), "they are copies")
}

func TestAppendNeedsLiteralPlus(t *testing.T) {
	for _, caps := range []string{"", "LITERAL- MULTIAPPEND UIDPLUS", "LITERAL+ UIDPLUS", "LITERAL+ MULTIAPPEND"} {
		c := start(t, caps, func(p *peer) {})
		require.False(t, c.AppendsSeveral(), caps)
		_, err := c.Append(t.Context(), conn.Cmd("APPEND").Mailbox("x"), three(t))
		require.ErrorIs(t, err, fault.Network, "another one may")
		require.True(t, fault.IsTemporary(err))
		usable(t, c)
	}
}

func TestAppendWithoutAnAnswer(t *testing.T) {
	c := start(t, several, func(p *peer) {
		p.command()
		p.conn.Close()
	})
	a, err := c.Append(t.Context(), conn.Cmd("APPEND").Mailbox("x"), three(t))
	if err == nil {
		_, err = a.Wait(t.Context())
	}
	require.ErrorIs(t, err, fault.Network)
}
