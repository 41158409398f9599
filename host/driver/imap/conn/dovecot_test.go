//go:build unix

package conn_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// at returns settings for a Dovecot's address.
func at(t *testing.T, addr, user string) conn.Config {
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return conn.Config{
		Host: host, Port: n, User: user, TLS: conn.TLS{Mode: conn.None},
		Password: func(context.Context) (string, error) { return dovecot.Password, nil },
	}
}

func dial(t *testing.T, cfg conn.Config) *conn.Conn {
	c, err := conn.Dial(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func TestDovecot(t *testing.T) {
	s := dovecot.Start(t)
	s.AddUser(t, "ann")

	t.Run("ways in", func(t *testing.T) {
		for _, auth := range []string{"PLAIN", "LOGIN", "LOGIN-COMMAND"} {
			cfg := at(t, s.Addr(), "ann")
			cfg.Auth = []string{auth}
			c, err := conn.Dial(t.Context(), cfg)
			if auth == "LOGIN" && err != nil {
				require.ErrorContains(t, err, "no common way") // not switched on
				continue
			}
			require.NoError(t, err)
			usable(t, c)
			require.NoError(t, c.Close())
		}
		cfg := at(t, s.Addr(), "ann")
		cfg.Password = func(context.Context) (string, error) { return "wrong", nil }
		_, err := conn.Dial(t.Context(), cfg)
		require.ErrorIs(t, err, fault.Auth)
		for _, mode := range []conn.TLSMode{conn.Implicit, conn.StartTLS} {
			addr := s.TLSAddr()
			if mode == conn.StartTLS {
				addr = s.Addr()
			}
			cfg := at(t, addr, "ann")
			cfg.TLS = conn.TLS{Mode: mode, CAFile: s.CertFile()}
			usable(t, dial(t, cfg))
			cfg.TLS.CAFile = ""
			_, err := conn.Dial(t.Context(), cfg)
			require.ErrorIs(t, err, fault.TLS)
		}
	})

	t.Run("mail", func(t *testing.T) {
		cfg := at(t, s.TLSAddr(), "ann")
		cfg.TLS, cfg.Compress = conn.TLS{CAFile: s.CertFile()}, conn.CompressAlways
		var commands strings.Builder
		cfg.Trace = func(sent bool, line string) {
			if sent {
				commands.WriteString(line + "\n")
			}
		}
		c, other := dial(t, cfg), dial(t, at(t, s.Addr(), "ann"))
		require.Contains(t, commands.String(), "COMPRESS DEFLATE")
		require.True(t, c.Has(imap.CapQResync))
		require.NotEmpty(t, c.ServerID())
		ctx := t.Context()
		_, err := c.Do(ctx, conn.Cmd("CREATE").Mailbox(`Odd "näme" & 日本`), nil)
		require.NoError(t, err)
		const folder = `Odd "näme" & 日本`

		_, err = appendMessage(c, t, "missing", "Subject: x\r\n\r\n")
		require.ErrorIs(t, err, fault.NotFound)
		var sent []string
		for i := range 5 {
			message := fmt.Sprintf("Subject: %d\r\n\r\n%s", i, strings.Repeat("line {5}\r\n", 1000*i))
			sent = append(sent, message)
			uid, err := appendMessage(c, t, folder, message)
			require.NoError(t, err)
			require.Equal(t, imap.UID(i+1), uid)
		}

		var seen []string
		_, err = c.Do(ctx, conn.Cmd("LIST").Text("").Text("*").Raw("RETURN (SUBSCRIBED SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))"),
			func(r *conn.Response) error {
				if r.Name == "STATUS" {
					name, ok := conn.DecodeName(r.Fields[0].Text)
					require.True(t, ok)
					n, _ := r.Item("MESSAGES")
					seen = append(seen, name+"="+n.Text)
				}
				return nil
			}, "LIST", "STATUS")
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"INBOX=0", folder + "=5"}, seen)

		var validity, modSeq string
		note := func(r *conn.Response) error {
			if r.Status != nil && r.Status.Code == "UIDVALIDITY" {
				validity = r.Status.Args[0].Text
			}
			if r.Status != nil && r.Status.Code == "HIGHESTMODSEQ" {
				modSeq = r.Status.Args[0].Text
			}
			return nil
		}
		_, err = c.Do(ctx, conn.Cmd("SELECT").Mailbox(folder).Raw("(CONDSTORE)"), note, "*")
		require.NoError(t, err)

		got := map[imap.UID]string{}
		require.NoError(t, c.Run(ctx, "fetch", func(cl *imapclient.Client) error {
			return fetchBodies(cl, func(uid imap.UID, r io.Reader, _ int64) error {
				b, err := io.ReadAll(r)
				got[uid] = string(b)
				return err
			})
		}))
		require.Equal(t, map[imap.UID]string{1: sent[0], 2: sent[1], 3: sent[2]}, got)

		// Another client changes and removes something.
		_, err = other.Do(ctx, conn.Cmd("SELECT").Mailbox(folder), nil, "*")
		require.NoError(t, err)
		set := mail.NewKeySet(mail.UIDKey(1), mail.UIDKey(3))
		_, err = other.Do(ctx, conn.Cmd("UID STORE").UIDs(set).Raw("+FLAGS.SILENT").Flags(mail.NewFlags(`\Deleted`)), nil, "FETCH")
		require.NoError(t, err)
		_, err = other.Do(ctx, conn.Cmd("UID EXPUNGE").UIDs(set), nil, "VANISHED")
		require.NoError(t, err)
		_, err = other.Do(ctx, conn.Cmd("UID STORE").Raw("2 +FLAGS").Flags(mail.NewFlags("$Label", `\Flagged`)), nil, "FETCH")
		require.NoError(t, err)

		var gone mail.KeySet
		changed := map[uint32]mail.Flags{}
		news := func(r *conn.Response) error {
			if uids, _, ok := r.Vanished(); ok {
				gone.AddSet(uids)
			}
			if uid, ok := r.UID(); ok {
				changed[uid], _ = r.Flags()
			}
			return nil
		}
		_, err = c.Do(ctx, conn.Cmd("UNSELECT"), nil)
		require.NoError(t, err)
		_, err = c.Do(ctx, conn.Cmd("SELECT").Mailbox(folder).Raw(fmt.Sprintf("(QRESYNC (%s %s))", validity, modSeq)), news, "*")
		require.NoError(t, err)
		require.Equal(t, "1,3", conn.SetText(gone))
		require.Equal(t, map[uint32]mail.Flags{2: mail.NewFlags(`\Flagged`, `\Seen`, "$Label")}, changed)

		gone, changed = mail.KeySet{}, map[uint32]mail.Flags{}
		_, err = c.Do(ctx, conn.Cmd("UID FETCH").Raw("1:* (UID FLAGS) (CHANGEDSINCE "+modSeq+" VANISHED)"), news, "FETCH", "VANISHED")
		require.NoError(t, err)
		require.Equal(t, "1,3", conn.SetText(gone))
		require.Len(t, changed, 1)

		// A change that comes too late is told.
		reply, err := c.Do(ctx, conn.Cmd("UID STORE").Raw("2,4 (UNCHANGEDSINCE "+modSeq+") +FLAGS.SILENT").Flags(mail.NewFlags(`\Answered`)), nil, "FETCH")
		require.NoError(t, err)
		require.Equal(t, "MODIFIED", reply.Code)
		require.Equal(t, "2", reply.Args[0].Text)
	})

	t.Run("idle", func(t *testing.T) {
		news := make(chan uint32, 10)
		cfg := at(t, s.Addr(), "ann")
		cfg.Untagged = func(r *conn.Response) {
			if r.Name == "EXISTS" {
				news <- r.Num
			}
		}
		c, other := dial(t, cfg), dial(t, at(t, s.Addr(), "ann"))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		require.NoError(t, c.Run(ctx, "idle", func(cl *imapclient.Client) error {
			if _, err := cl.Select("INBOX", nil).Wait(); err != nil {
				return err
			}
			idle, err := cl.Idle()
			if err != nil {
				return err
			}
			_, err = appendMessage(other, t, "INBOX", "Subject: new\r\n\r\n")
			require.NoError(t, err)
			for n := range news {
				if n == 1 {
					break
				}
			}
			if err := idle.Close(); err != nil {
				return err
			}
			return idle.Wait()
		}))
		usable(t, c)
	})
}
