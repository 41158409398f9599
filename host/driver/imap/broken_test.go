package imap_test

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/imap"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func TestMessagesTheServerCannotRead(t *testing.T) {
	for _, connections := range []int{1, 3} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			s := memory(t, imaptest.Options{})
			fill(t, s.Account(""), 50)
			s.Account("").FailFetch(mail.Inbox, 13, 14, 40)
			opts := options(s.Addr(), "user", "secret")
			opts.Connections = connections
			d := open(t, opts)
			asked := uids(1, 52) // 51 and 52 are not there
			got, err := bodies(t, d, asked)
			partial, ok := driver.AsPartial(err)
			require.True(t, ok, "%v", err)
			require.Len(t, partial.Failed, 3)
			for _, uid := range []uint32{13, 14, 40} {
				require.ErrorIs(t, partial.Failed[mail.UIDKey(uid)], fault.Refused)
			}
			require.Len(t, got, 47)
		})
	}
}

func TestAServerThatLeavesOutMessagesInItsAnswer(t *testing.T) {
	// One FETCH in three is lost, and one in three has no flags.
	var lines atomic.Int64
	p := &imaptest.Proxy{Server: func(line string) []string {
		if !strings.Contains(line, " FETCH (") || strings.Contains(line, "{") {
			return []string{line}
		}
		switch lines.Add(1) % 3 {
		case 0:
			return nil
		case 1:
			if i := strings.Index(line, "FLAGS ("); i >= 0 {
				end := i + strings.IndexByte(line[i:], ')') + 1
				return []string{strings.TrimSpace(line[:i]) + line[end:]}
			}
		}
		return []string{line}
	}}
	fill(t, proxied(t, imaptest.Options{}, p), 40)
	d := open(t, options(p.Addr(), "user", "secret"))
	told, res := changes(t, d, "")
	require.Equal(t, uids(1, 40), res.Present)
	if told.Len() < 40 {
		require.Empty(t, res.Cursor, "what was not told is told the next time")
	}
	require.Greater(t, told.Len(), 25)
}

func TestAServerThatFindsNothing(t *testing.T) {
	p := &imaptest.Proxy{Server: func(line string) []string {
		if strings.HasPrefix(line, "* ESEARCH") {
			line = line[:strings.Index(line, " UID")+4]
		}
		return []string{line}
	}}
	fill(t, proxied(t, imaptest.Options{}, p), 10)
	d := open(t, options(p.Addr(), "user", "secret"))
	_, res := changes(t, d, "")
	require.True(t, res.Unsure, "ten messages are not gone because SEARCH finds none")
}

func TestConnectionDropsBetweenMessages(t *testing.T) {
	s := memory(t, imaptest.Options{})
	fill(t, s.Account(""), 300)
	for _, connections := range []int{1, 3} {
		opts := options(s.Addr(), "user", "secret")
		opts.Connections = connections
		d := open(t, opts)
		changes(t, d, "")
		s.Kick()
		told, _ := changes(t, d, "")
		require.Equal(t, 300, told.Len(), "a dead connection is replaced")
		s.Kick()
		_, err := d.Folders(t.Context())
		require.NoError(t, err)
		s.Kick()
		got, err := bodies(t, d, uids(1, 300))
		require.NoError(t, err)
		require.Len(t, got, 300)
	}
}

// cutAt cuts the connection in the middle of literals of a size.
func cutAt(size int64, times int64) func(int64) int64 {
	var cuts atomic.Int64
	return func(n int64) int64 {
		if n == size && cuts.Add(1) <= times {
			return n / 2
		}
		return n
	}
}

func TestConnectionDropsInTheMiddleOfABody(t *testing.T) {
	big := imaptest.SampleMessage(3, 40_000)
	add := func(t *testing.T, a *imaptest.Account) {
		fill(t, a, 3)
		_, err := a.Append(mail.Inbox, big)
		require.NoError(t, err)
		_, err = a.Append(mail.Inbox, imaptest.SampleMessages(4, 3, 500)...)
		require.NoError(t, err)
	}
	t.Run("the reader hears of it", func(t *testing.T) {
		p := &imaptest.Proxy{Literal: cutAt(int64(len(big.Content)), 1)}
		add(t, proxied(t, imaptest.Options{}, p))
		d := open(t, options(p.Addr(), "user", "secret"))
		got, err := bodies(t, d, uids(1, 7))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.ErrorIs(t, err, fault.Network)
		require.True(t, fault.IsTemporary(err))
		require.Len(t, got, 3)
		got, err = bodies(t, d, uids(1, 7))
		require.NoError(t, err)
		require.Len(t, got, 7)
	})
	t.Run("and may go on", func(t *testing.T) {
		p := &imaptest.Proxy{Literal: cutAt(int64(len(big.Content)), 1)}
		add(t, proxied(t, imaptest.Options{}, p))
		d := open(t, options(p.Addr(), "user", "secret"))
		n := 0
		err := d.Bodies(t.Context(), inbox, uids(1, 7), func(m mail.Meta, b mail.Body) error {
			n++
			_, err := io.Copy(io.Discard, b)
			if m.Key == mail.UIDKey(4) {
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				return nil
			}
			return err
		})
		partial, ok := driver.AsPartial(err)
		require.True(t, ok, "%v", err)
		require.Len(t, partial.Failed, 1)
		require.True(t, fault.IsTemporary(partial.Failed[mail.UIDKey(4)]))
		require.Equal(t, 7, n)
	})
	t.Run("one connection asks again", func(t *testing.T) {
		p := &imaptest.Proxy{Literal: cutAt(int64(len(big.Content)), 1)}
		add(t, proxied(t, imaptest.Options{}, p))
		opts := options(p.Addr(), "user", "secret")
		opts.Connections = 1
		got, err := bodies(t, open(t, opts), uids(1, 7))
		require.NoError(t, err)
		require.Len(t, got, 7)
		require.Equal(t, string(big.Content), got[mail.UIDKey(4)])
	})
	t.Run("a message that always ends the connection", func(t *testing.T) {
		p := &imaptest.Proxy{Literal: cutAt(int64(len(big.Content)), 1000)}
		add(t, proxied(t, imaptest.Options{}, p))
		opts := options(p.Addr(), "user", "secret")
		opts.Connections = 1
		got, err := bodies(t, open(t, opts), uids(1, 7))
		partial, ok := driver.AsPartial(err)
		require.True(t, ok, "%v", err)
		require.Contains(t, partial.Failed, mail.UIDKey(4))
		require.Len(t, got, 6, "the others are not held up")
	})
}

func TestSelectThatIsRefused(t *testing.T) {
	s := memory(t, imaptest.Options{})
	s.Hook(func(c imaptest.Command) error {
		if c.Name == "SELECT" && c.Folder == mail.Inbox {
			return imaptest.No("INUSE", "locked")
		}
		return nil
	})
	d := open(t, options(s.Addr(), "user", "secret"))
	_, err := d.Changes(t.Context(), inbox, "", nil)
	require.ErrorIs(t, err, fault.Busy)
	require.True(t, fault.IsTemporary(err))
	require.ErrorContains(t, err, `"INBOX"`)

	s.Hook(func(c imaptest.Command) error {
		if c.Name == "SELECT" {
			return imaptest.No("", "nothing here") // as many servers do
		}
		return nil
	})
	_, err = d.Changes(t.Context(), mail.Ref{Name: "Nowhere/at all"}, "", nil)
	require.ErrorIs(t, err, fault.NotFound)
	require.ErrorContains(t, err, `"Nowhere/at all"`)
	_, err = d.Changes(t.Context(), inbox, "", nil)
	require.ErrorIs(t, err, fault.Refused)
}

func TestOpenTellsAWrongPassword(t *testing.T) {
	s := memory(t, imaptest.Options{})
	d, err := imap.New(options(s.Addr(), "user", "wrong"))
	require.NoError(t, err)
	require.ErrorIs(t, d.Open(t.Context()), fault.Auth)
	require.NoError(t, d.Close())
}

func TestUIDsThatDoNotLast(t *testing.T) {
	p := &imaptest.Proxy{Server: func(line string) []string {
		if strings.Contains(line, "[UIDVALIDITY") {
			return []string{line, "* NO [UIDNOTSTICKY] they change"}
		}
		return []string{line}
	}}
	fill(t, proxied(t, imaptest.Options{}, p), 1)
	_, err := open(t, options(p.Addr(), "user", "secret")).Changes(t.Context(), inbox, "", nil)
	require.ErrorIs(t, err, fault.Unsupported)
}
