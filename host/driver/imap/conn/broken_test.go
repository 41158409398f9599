package conn_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
)

func noop(cl *imapclient.Client) error { return cl.Noop().Wait() }

// fetchBodies reads the bodies of a UID FETCH the way a driver does.
func fetchBodies(cl *imapclient.Client, each func(uid imap.UID, r io.Reader, size int64) error) error {
	cmd := cl.Fetch(imap.UIDSetNum(1, 2, 3), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
	var failed error
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		var uid imap.UID
		for item := m.Next(); item != nil; item = m.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				uid = item.UID
			case imapclient.FetchItemDataBodySection:
				failed = errors.Join(failed, each(uid, conn.Literal(item.Literal), item.Literal.Size()))
			}
		}
	}
	return errors.Join(failed, cmd.Close())
}

func TestTruncatedLiteral(t *testing.T) {
	c := start(t, "", func(p *peer) {
		p.command()
		p.send("* 1 FETCH (UID 1 BODY[] {100}\r\nonly ten..")
		p.conn.Close()
	})
	var read error
	err := c.Run(t.Context(), "fetch", func(cl *imapclient.Client) error {
		return fetchBodies(cl, func(_ imap.UID, r io.Reader, _ int64) error {
			var b []byte
			b, read = io.ReadAll(r)
			require.Equal(t, "only ten..", string(b))
			return read
		})
	})
	require.Equal(t, io.ErrUnexpectedEOF, read)
	require.ErrorIs(t, err, fault.Network)
	require.True(t, fault.IsTemporary(err))
	require.False(t, c.Alive())
	require.ErrorIs(t, c.Run(t.Context(), "noop", noop), fault.Network)
}

func TestLiteralOfImapclientThatEndsEarly(t *testing.T) {
	for _, test := range []struct {
		content string
		size    int64
		want    error
	}{{"abc", 3, nil}, {"ab", 3, io.ErrUnexpectedEOF}, {"", 1, io.ErrUnexpectedEOF}, {"", 0, nil}, {"abcd", 3, nil}} {
		got, err := io.ReadAll(conn.Literal(sized{strings.NewReader(test.content), test.size}))
		require.Equal(t, test.want, err)
		require.Equal(t, test.content[:min(len(test.content), int(test.size))], string(got))
	}
	got, err := io.ReadAll(conn.Literal(nil))
	require.NoError(t, err)
	require.Empty(t, got)
}

type sized struct {
	io.Reader
	size int64
}

func (s sized) Size() int64 { return s.size }

func TestByeIsTold(t *testing.T) {
	c := start(t, "", func(p *peer) {
		p.command()
		p.send("* BYE Autologout; idle for too long\r\n")
		p.conn.Close()
	})
	err := c.Run(t.Context(), "noop", noop)
	require.ErrorIs(t, err, fault.Network)
	require.True(t, fault.IsTemporary(err))
	require.ErrorContains(t, err, "noop: the server closed the connection: Autologout; idle for too long")
}

func TestIdleConnectionThatIsDropped(t *testing.T) {
	c := start(t, "", func(p *peer) {
		p.send("* BYE Server shutting down\r\n")
		p.conn.Close()
	})
	<-c.Done()
	require.False(t, c.Alive())
	require.ErrorContains(t, c.Run(t.Context(), "noop", noop), "shutting down")
}

func TestUnreadableAnswer(t *testing.T) {
	for _, text := range []string{
		"* LIST broken\r\nTAG OK\r\n", "* STATUS x\r\nTAG OK\r\n", "* SEARCH 1 x\r\nTAG OK\r\n", "TAG MAYBE\r\n",
		"* 1 FETCH (UID 1 FLAGS\r\nTAG OK\r\n", "* 1 FETCH UID 1\r\nTAG OK\r\n", "* 1 FETCH (UID 1) x\r\nTAG OK\r\n",
		"* 1 FETCH (UID 1 ENVELOPE {99999999999}\r\n",
	} {
		c := start(t, "", answer(text))
		err := c.Run(t.Context(), "ask", func(cl *imapclient.Client) error {
			switch {
			case strings.Contains(text, "SEARCH"):
				_, err := cl.UIDSearch(&imap.SearchCriteria{}, nil).Wait()
				return err
			case strings.Contains(text, "FETCH"):
				return cl.Fetch(imap.UIDSetNum(1), nil).Close()
			case strings.Contains(text, "STATUS"):
				_, err := cl.Status("x", &imap.StatusOptions{UIDNext: true}).Wait()
				return err
			}
			return cl.List("", "*", nil).Close()
		})
		require.ErrorIs(t, err, fault.Protocol, text)
		require.False(t, c.Alive())
	}
}

func TestCancelledCommand(t *testing.T) {
	cause := errors.New("the user had enough")
	for name, use := range map[string]func(ctx context.Context, c *conn.Conn) error{
		"imapclient": func(ctx context.Context, c *conn.Conn) error { return c.Run(ctx, "noop", noop) },
		"own":        func(ctx context.Context, c *conn.Conn) error { _, err := c.Do(ctx, conn.Cmd("NOOP"), nil); return err },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			c := start(t, "", func(p *peer) {
				p.command()
				cancel(cause)
				p.line()
			})
			require.Equal(t, cause, use(ctx, c))
			require.False(t, c.Alive())
			require.Equal(t, cause, use(ctx, c), "an ended context is not worth a command")
			require.ErrorIs(t, use(t.Context(), c), fault.Network)
		})
	}
}

func TestCancelledInTheMiddleOfALiteral(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := start(t, "", func(p *peer) {
		p.command()
		p.send("* 1 FETCH (UID 1 BODY[] {100}\r\nonly ten..")
		cancel()
		p.line()
	})
	err := c.Run(ctx, "fetch", func(cl *imapclient.Client) error {
		return fetchBodies(cl, func(_ imap.UID, r io.Reader, _ int64) error {
			_, err := io.ReadAll(r)
			require.Equal(t, io.ErrUnexpectedEOF, err)
			return err
		})
	})
	require.Equal(t, context.Canceled, err)
}

func TestOwnErrorsStayWhatTheyAre(t *testing.T) {
	c := start(t, "", func(p *peer) {})
	own := errors.New("disk on fire")
	require.Equal(t, own, c.Run(t.Context(), "x", func(*imapclient.Client) error { return own }))
	usable(t, c)
}

func TestResponseCodes(t *testing.T) {
	for code, want := range map[string]fault.Code{
		"[OVERQUOTA] ": fault.Quota, "[AUTHENTICATIONFAILED] ": fault.Auth, "[NONEXISTENT] ": fault.NotFound,
		"[TRYCREATE] ": fault.NotFound, "[ALREADYEXISTS] ": fault.Exists, "[NOPERM] ": fault.Permission,
		"[LIMIT] ": fault.Busy, "[INUSE] ": fault.Busy, "[UNAVAILABLE] ": fault.Busy, "[serverbug] ": fault.Busy,
		"[CANNOT] ": fault.Refused, "[NEW (a \"b]\")] ": fault.Refused, "": fault.Refused,
	} {
		c := start(t, "", func(p *peer) {
			for range 2 {
				p.command()
				p.send("TAG NO " + code + "so it is\r\n")
			}
		})
		_, own := c.Do(t.Context(), conn.Cmd("CREATE").Mailbox("x"), nil)
		theirs := c.Run(t.Context(), "create", func(cl *imapclient.Client) error { return cl.Create("x", nil).Wait() })
		for _, err := range []error{own, theirs} {
			require.ErrorIs(t, err, want, code)
			require.Equal(t, want == fault.Busy, fault.IsTemporary(err))
			require.ErrorContains(t, err, "so it is")
			var said *imap.Error
			require.ErrorAs(t, err, &said)
		}
		usable(t, c)
	}
	c := start(t, "", answer("TAG BAD what?\r\n"))
	require.ErrorIs(t, c.Run(t.Context(), "noop", noop), fault.Protocol)
	usable(t, c)
}
