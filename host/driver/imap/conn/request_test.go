package conn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func TestDoListStatus(t *testing.T) {
	c := start(t, "LIST-STATUS", func(p *peer) {
		p.expect(`LIST "" "*" RETURN (SUBSCRIBED STATUS (MESSAGES HIGHESTMODSEQ))`,
			"* LIST (\\HasNoChildren \\Subscribed) \"/\" \"a&b\"\r\n"+
				"* 3 EXISTS\r\n"+
				"* STATUS \"a&b\" (MESSAGES 7 HIGHESTMODSEQ 9223372036854775807)\r\n"+
				"* LIST () NIL {8}\r\na \"b\" (c\r\n"+
				"* STATUS {8}\r\na \"b\" (c (MESSAGES 1)\r\n"+
				"* LIST () \"/\" Sent Mail\r\n"+
				"TAG OK [X (1 \"]\")] done that\r\n")
	})
	var got []string
	reply, err := c.Do(t.Context(), conn.Cmd("LIST").Text("").Text("*").Raw("RETURN (SUBSCRIBED STATUS (MESSAGES HIGHESTMODSEQ))"),
		func(r *conn.Response) error {
			if r.Name == "LIST" {
				got = append(got, r.Fields[2].Text+" "+strings.Join(r.Fields[0].Strings(), ","))
				return nil
			}
			n, ok := r.Item("messages")
			require.True(t, ok)
			modSeq, _ := r.Item("HIGHESTMODSEQ")
			got = append(got, r.Fields[0].Text+"="+n.Text+" "+modSeq.Text)
			return nil
		}, "LIST", "STATUS")
	require.NoError(t, err)
	require.Equal(t, []string{
		`a&b \HasNoChildren,\Subscribed`, "a&b=7 9223372036854775807", `a "b" (c `, `a "b" (c=1 `, "Sent Mail ",
	}, got)
	require.Equal(t, "X", reply.Code)
	require.Equal(t, "done that", reply.Text)
	usable(t, c)
}

func TestDoSelectQresync(t *testing.T) {
	c := start(t, "QRESYNC ENABLE", func(p *peer) {
		p.expect(`SELECT "Entw&APw-rfe" (QRESYNC (67890007 20050715194045000))`,
			"* OK [CLOSED] bye\r\n* 100 EXISTS\r\n* OK [UIDVALIDITY 67890007] x\r\n* OK [HIGHESTMODSEQ 20060715205946000] x\r\n"+
				"* VANISHED (EARLIER) 41,43:116\r\n* 49 FETCH (UID 117 FLAGS (\\Seen a]b \\Answered \\Recent) MODSEQ (90060115194045001))\r\n"+
				"TAG OK [READ-WRITE] mailbox selected\r\n")
	})
	var names []string
	reply, err := c.Do(t.Context(), conn.Cmd("SELECT").Mailbox("Entwürfe").Raw("(QRESYNC (67890007 20050715194045000))"),
		func(r *conn.Response) error {
			names = append(names, r.Name)
			switch r.Name {
			case "VANISHED":
				uids, earlier, ok := r.Vanished()
				require.True(t, ok && earlier)
				require.Equal(t, 75, uids.Len())
			case "FETCH":
				uid, _ := r.UID()
				require.Equal(t, uint32(117), uid)
				require.Equal(t, uint32(49), r.Num)
				f, _ := r.Flags()
				require.Equal(t, mail.NewFlags(`\Seen`, `\Answered`), f)
				modSeq, _ := r.Item("MODSEQ")
				require.Equal(t, []string{"90060115194045001"}, modSeq.Strings())
			}
			return nil
		}, "*")
	require.NoError(t, err)
	require.Equal(t, "READ-WRITE", reply.Code)
	require.Equal(t, []string{"OK", "EXISTS", "OK", "OK", "VANISHED", "FETCH"}, names)
	usable(t, c)
}

func TestDoModified(t *testing.T) {
	c := start(t, "", answer("* 1 FETCH (UID 4 MODSEQ (12))\r\nTAG OK [MODIFIED 7,9] some\r\n"))
	set := mail.NewKeySet(mail.UIDKey(4), mail.UIDKey(7), mail.UIDKey(9))
	reply, err := c.Do(t.Context(), conn.Cmd("UID STORE").UIDs(set).Raw("(UNCHANGEDSINCE 5) +FLAGS.SILENT").Flags(mail.NewFlags(`\Seen`, "$Forwarded")), nil, "FETCH")
	require.NoError(t, err)
	require.Equal(t, "MODIFIED", reply.Code)
	failed, ok := conn.ParseUIDs(reply.Args[0].Text)
	require.True(t, ok)
	require.Equal(t, "7,9", conn.SetText(failed))
}

func TestDoStreamsBodies(t *testing.T) {
	large := strings.Repeat("0123456789\r\n", 100_000)
	c := start(t, "", func(p *peer) {
		for range 2 {
			p.command()
			p.send("* 1 FETCH (UID 4 X-GM-MSGID 1278455344230334865 BODY[] " + literal(large) + " FLAGS (\\Seen))\r\n" +
				"* 2 FETCH (UID 5 BODY[HEADER] " + literal("h") + " BODY[TEXT] ~" + literal("") + ")\r\nTAG OK\r\n")
		}
	})
	fetch := conn.Cmd("UID FETCH").Raw("4:5 (UID X-GM-MSGID BODY.PEEK[])")
	var got []string
	_, err := c.Do(t.Context(), fetch, func(r *conn.Response) error {
		uid, _ := r.UID()
		if r.Body == nil {
			f, _ := r.Flags()
			got = append(got, fmt.Sprintf("%d end %s", uid, f))
			return nil
		}
		b, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Len(t, b, int(r.Size))
		if len(b) > 10 {
			require.True(t, large == string(b))
		}
		got = append(got, fmt.Sprintf("%d %s %d", uid, r.Fields[len(r.Fields)-1].Text, len(b)))
		return nil
	}, "FETCH")
	require.NoError(t, err)
	require.Equal(t, []string{"4 BODY[] 1200000", `4 end \Seen`, "5 BODY[HEADER] 1", "5 BODY[TEXT] 0", "5 end "}, got)

	// A body that nobody reads, and an error, do not hurt what comes after.
	own := errors.New("enough")
	_, err = c.Do(t.Context(), fetch, func(*conn.Response) error { return own }, "FETCH")
	require.Equal(t, own, err)
	usable(t, c)
}

func TestDoTruncatedBody(t *testing.T) {
	c := start(t, "", func(p *peer) {
		p.command()
		p.send("* 1 FETCH (UID 4 BODY[] {100}\r\nonly ten..")
		p.conn.Close()
	})
	_, err := c.Do(t.Context(), conn.Cmd("UID FETCH").Raw("4 BODY.PEEK[]"), func(r *conn.Response) error {
		b, err := io.ReadAll(r.Body)
		require.Equal(t, "only ten..", string(b))
		require.Equal(t, io.ErrUnexpectedEOF, err)
		return err
	}, "FETCH")
	require.ErrorIs(t, err, fault.Network)
}

// One connection answers both kinds of commands at once; a slow callback holds
// up the stream, not the program.
func TestDoBesideImapclient(t *testing.T) {
	const rounds = 100
	c := start(t, "", func(p *peer) {
		for range 2 * rounds {
			switch cmd := p.command(); cmd {
			case "NOOP":
				p.send("* OK [ALERT] x\r\nTAG OK\r\n")
			case "XLIST":
				p.send(strings.Repeat("* XLIST (a b)\r\n", 200) + "TAG OK\r\n")
			}
		}
	})
	done := make(chan error)
	go func() {
		for range rounds {
			if err := c.Run(context.Background(), "noop", noop); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for range rounds {
		n := 0
		_, err := c.Do(t.Context(), conn.Cmd("XLIST"), func(*conn.Response) error {
			if n++; n%50 == 0 {
				time.Sleep(time.Microsecond)
			}
			return nil
		}, "XLIST")
		require.NoError(t, err)
		require.Equal(t, 200, n)
	}
	require.NoError(t, <-done)
	usable(t, c)
}

func TestDoWaitsForItsTurn(t *testing.T) {
	appended := make(chan struct{})
	c := start(t, "", func(p *peer) {
		p.command() // APPEND
		close(appended)
		tag := p.tag
		p.send("+ \r\n")
		p.octets(2)
		p.line()
		p.send(tag + " OK [APPENDUID 1 2]\r\n")
		p.expect("XNOW", "TAG OK\r\n")
	})
	require.NoError(t, c.Run(t.Context(), "append", func(cl *imapclient.Client) error {
		cmd := cl.Append("x", 2, nil)
		<-appended
		done := make(chan error)
		go func() {
			_, err := c.Do(context.Background(), conn.Cmd("XNOW"), nil)
			done <- err
		}()
		time.Sleep(10 * time.Millisecond) // time to go wrong
		_, err := cmd.Write([]byte("hi"))
		_, waited := "", errors.Join(err, cmd.Close())
		_, err = cmd.Wait()
		return errors.Join(err, waited, <-done)
	}))
}

func TestDoRefusesBeforeSending(t *testing.T) {
	c := start(t, "", func(p *peer) {})
	for _, cmd := range []*conn.Command{
		conn.Cmd("NOOP").Raw("x\r\nA1 LOGOUT"),
		conn.Cmd("CREATE").Text("a\x00b"),
		conn.Cmd("CREATE").Mailbox("a\x00b"),
		conn.Cmd("UID FETCH").UIDs(mail.KeySet{}),
		conn.Cmd("UID STORE").Flags(mail.NewFlags("a)b")),
		conn.Cmd("UID STORE").Flags(mail.NewFlags("a]b")),
	} {
		_, err := c.Do(t.Context(), cmd, nil)
		require.Error(t, err)
	}
	usable(t, c)
}

func TestPanickingCallbackEndsTheConnection(t *testing.T) {
	c := start(t, "", answer("* LIST () \"/\" x\r\nTAG OK\r\n"))
	require.Panics(t, func() {
		_, _ = c.Do(t.Context(), conn.Cmd("LIST").Raw(`"" *`), func(*conn.Response) error { panic("oops") }, "LIST")
	})
	require.False(t, c.Alive())
}

func TestCloseSaysGoodbye(t *testing.T) {
	said := make(chan string, 1)
	cfg := config(t, func(p *peer) {
		p.login("")
		said <- p.command()
		p.send("* BYE see you\r\nTAG OK\r\n")
	})
	c, err := conn.Dial(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.Equal(t, "LOGOUT", <-said)
	require.False(t, c.Alive())
	require.NoError(t, c.Close())
	require.Error(t, c.Err())
	select {
	case <-c.Done():
	default:
		t.Error("not done")
	}
	err = c.Run(t.Context(), "noop", noop)
	require.ErrorIs(t, err, fault.Stopped)
}

func TestCapabilityThatArrivesLate(t *testing.T) {
	c := start(t, "MOVE", func(p *peer) {
		p.expect("NOOP", "* CAPABILITY IMAP4rev1 XNEW\r\n* OK [CAPABILITY IMAP4rev1 XNEW] more\r\nTAG OK [CAPABILITY IMAP4rev1] x\r\n")
		p.expect("CAPABILITY", "* CAPABILITY IMAP4rev1 XNEW\r\nTAG OK\r\n")
	}, func(cfg *conn.Config) { cfg.Without = []string{"XNEW"} })
	require.NoError(t, c.Run(t.Context(), "noop", noop))
	require.NoError(t, c.Run(t.Context(), "capability", func(cl *imapclient.Client) error {
		require.True(t, cl.Caps().Has(imap.CapMove))
		caps, err := cl.Capability().Wait()
		require.True(t, caps.Has(imap.CapMove))
		require.False(t, caps.Has("XNEW"))
		return err
	}))
}
