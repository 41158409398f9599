package conn_test

import (
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
)

func TestServerThatSpeaksIMAP4rev2Only(t *testing.T) {
	cfg := config(t, func(p *peer) {
		p.send("* PREAUTH [CAPABILITY IMAP4rev2] hi\r\n")
		p.expect("NAMESPACE", "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\nTAG OK\r\n")
		p.expect("LIST", "* LIST () \"/\" \"R&D caf\xc3\xa9\"\r\nTAG OK\r\n")
		p.expect("CREATE {9+}", "")
		if got := p.line(); got != "R&D caf\xc3\xa9" {
			t.Errorf("got %q", got)
		}
		p.send("TAG OK\r\n")
		p.rest()
	})
	c, err := conn.Dial(t.Context(), cfg)
	require.NoError(t, err)
	defer c.Close()
	require.True(t, c.Has(imap.CapMove) && c.UTF8())
	require.Equal(t, "/", c.Namespaces().Fields[0].List[0].List[1].Text)
	var got []*imap.ListData
	require.NoError(t, c.Run(t.Context(), "list", func(cl *imapclient.Client) (err error) {
		got, err = cl.List("", "*", nil).Collect()
		return err
	}))
	require.Equal(t, "R&D café", got[0].Mailbox)
	name, ok := c.DecodeName("R&D café")
	require.True(t, ok)
	require.Equal(t, "R&D café", name)
	_, err = c.Do(t.Context(), conn.Cmd("CREATE").Mailbox(name), nil)
	require.NoError(t, err)
	usable(t, c)
}

// A server with both revisions speaks the first one until it is told otherwise.
func TestServerThatSpeaksBothRevisions(t *testing.T) {
	c := start(t, "IMAP4rev2", func(p *peer) {
		for range 2 {
			p.expect(`CREATE "caf&AOk-"`, "TAG OK\r\n")
		}
	})
	require.False(t, c.UTF8())
	_, err := c.Do(t.Context(), conn.Cmd("CREATE").Mailbox("café"), nil)
	require.NoError(t, err)
	require.NoError(t, c.Run(t.Context(), "create", func(cl *imapclient.Client) error { return cl.Create("café", nil).Wait() }))
}

// What is to be ignored is, also where IMAP4rev2 promises it.
func TestIgnoredCapabilityThatIMAP4rev2Implies(t *testing.T) {
	cfg := config(t, func(p *peer) {
		p.send("* PREAUTH [CAPABILITY IMAP4rev1 IMAP4rev2 MOVE] hi\r\n")
		p.rest()
	})
	cfg.Without = []string{"move", "LIST-STATUS"}
	c, err := conn.Dial(t.Context(), cfg)
	require.NoError(t, err)
	defer c.Close()
	require.False(t, c.Has(imap.CapMove) || c.Has(imap.CapListStatus))
	require.True(t, c.Has(imap.CapUIDPlus))
}

// Where the server has UTF8=ACCEPT it is switched on, and names go over the wire
// in UTF-8, also for APPEND, which imapclient sends.
func TestServerThatAcceptsUTF8(t *testing.T) {
	for caps, enable := range map[string]string{
		"ENABLE QRESYNC UTF8=ACCEPT": "ENABLE QRESYNC UTF8=ACCEPT", "ENABLE UTF8=ONLY": "ENABLE UTF8=ACCEPT",
	} {
		cfg := config(t, func(p *peer) {
			p.send("* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+ " + caps + "] hi\r\n")
			p.expect(enable, "* ENABLED "+strings.TrimPrefix(enable, "ENABLE ")+"\r\nTAG OK\r\n")
			p.expect("LIST", "* LIST () \"/\" \"R&D caf\xc3\xa9\"\r\nTAG OK\r\n")
			p.expect("APPEND {9+}", "")
			if got := p.line(); got != "R&D caf\xc3\xa9 {9+}" {
				t.Errorf("got %q", got)
			}
			if got := p.octets(9); got != "S: \xc3\xa9\r\n\r\n" {
				t.Errorf("got %q", got)
			}
			p.line()
			p.send("TAG OK\r\n")
			p.rest()
		})
		c, err := conn.Dial(t.Context(), cfg)
		require.NoError(t, err)
		require.True(t, c.UTF8())
		var raw string
		_, err = c.Do(t.Context(), conn.Cmd("LIST").Text("").Text("*"), func(r *conn.Response) error {
			raw = r.Fields[2].Text
			return nil
		}, "LIST")
		require.NoError(t, err)
		require.NoError(t, c.Run(t.Context(), "append", func(cl *imapclient.Client) error {
			cmd := cl.Append(c.NameForAppend(raw, raw), 9, nil)
			_, err := cmd.Write([]byte("S: \xc3\xa9\r\n\r\n"))
			require.NoError(t, err)
			require.NoError(t, cmd.Close())
			_, err = cmd.Wait()
			return err
		}))
		require.NoError(t, c.Close())
	}
	// Not where it is to be ignored, nor where the server does not say it is on.
	for _, without := range [][]string{{"UTF8=ACCEPT"}, nil} {
		cfg := config(t, func(p *peer) {
			p.send("* PREAUTH [CAPABILITY IMAP4rev1 ENABLE UTF8=ACCEPT] hi\r\n")
			if without == nil {
				p.expect("ENABLE UTF8=ACCEPT", "* ENABLED\r\nTAG OK\r\n")
			}
			p.expect(`CREATE "caf&AOk-"`, "TAG OK\r\n")
			p.rest()
		})
		cfg.Without = without
		c, err := conn.Dial(t.Context(), cfg)
		require.NoError(t, err)
		require.False(t, c.UTF8())
		_, err = c.Do(t.Context(), conn.Cmd("CREATE").Mailbox("café"), nil)
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}
}
