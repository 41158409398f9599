package imaptest_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/mail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, opts imaptest.Options) *imaptest.Server {
	t.Helper()
	s := imaptest.New(opts)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func login(t *testing.T, addr string) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(addr, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.Login("user", "secret").Wait())
	return c
}

func TestAccountShowsWhatAClientDid(t *testing.T) {
	s := start(t, imaptest.Options{})
	a := s.Account("")
	require.NoError(t, a.Fill())
	uids, err := a.Append("Sent", imaptest.SampleMessage(100, 900))
	require.NoError(t, err)
	require.Equal(t, []uint32{8}, uids)

	c := login(t, s.Addr())
	_, err = c.Select("Sent", nil).Wait()
	require.NoError(t, err)
	store := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{"\\Seen", "$Label1"}}
	require.NoError(t, c.Store(imap.UIDSetNum(8), store, nil).Close())

	list, err := a.List("Sent")
	require.NoError(t, err)
	require.Len(t, list, 8)
	require.True(t, list[7].Flags.Equal(mail.NewFlags(`\Seen`, "$Label1")))
	require.Equal(t, imaptest.SampleMessage(100, 900).Content, list[7].Content)
	require.True(t, imaptest.SampleMessage(100, 900).Date.Equal(list[7].Date))

	require.NoError(t, a.Expunge("Sent", 1, 2))
	require.NoError(t, a.Move("Sent", "Trash", 8))
	require.NoError(t, a.SetFlags("Sent", mail.NewFlags(`\Draft`), 3))
	list, err = a.List("Sent")
	require.NoError(t, err)
	require.Len(t, list, 5)
	require.Equal(t, mail.NewFlags(`\Draft`), list[0].Flags)
}

func TestServerRefusesAWrongPassword(t *testing.T) {
	s := start(t, imaptest.Options{})
	c, err := imapclient.DialInsecure(s.Addr(), nil)
	require.NoError(t, err)
	defer c.Close()
	require.ErrorContains(t, c.Login("user", "wrong").Wait(), "AUTHENTICATIONFAILED")
}

func TestServerLeavesOutCapabilities(t *testing.T) {
	s := start(t, imaptest.Options{Without: []string{"UIDPLUS", "LITERAL+"}})
	c := login(t, s.Addr())
	caps := c.Caps()
	require.False(t, caps.Has(imap.CapUIDPlus))
	require.False(t, caps.Has(imap.CapLiteralPlus))
	require.True(t, caps.Has(imap.CapMove))
}

func TestServerSpeaksTLS(t *testing.T) {
	s := start(t, imaptest.Options{TLS: true})
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(s.Certificate().CertPEM))
	config := &tls.Config{RootCAs: pool, ServerName: "localhost"}
	c, err := imapclient.DialTLS(s.TLSAddr(), &imapclient.Options{TLSConfig: config})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Login("user", "secret").Wait())

	c2, err := imapclient.DialStartTLS(s.Addr(), &imapclient.Options{TLSConfig: config})
	require.NoError(t, err)
	defer c2.Close()
	require.NoError(t, c2.Login("user", "secret").Wait())
}

func TestHookRefusesCommands(t *testing.T) {
	s := start(t, imaptest.Options{})
	s.Hook(func(c imaptest.Command) error {
		if c.Name == "APPEND" && c.Folder == "INBOX" {
			return imaptest.No("OVERQUOTA", "full")
		}
		return nil
	})
	c := login(t, s.Addr())
	cmd := c.Append("INBOX", 3, nil)
	_, _ = cmd.Write([]byte("a\r\n"))
	_ = cmd.Close()
	_, err := cmd.Wait()
	require.ErrorContains(t, err, "OVERQUOTA")
}

func TestBrokenMessageMakesFetchFailAfterTheOthers(t *testing.T) {
	s := start(t, imaptest.Options{})
	_, err := s.Account("").Append("INBOX", imaptest.SampleMessages(0, 3, 0)...)
	require.NoError(t, err)
	s.Account("").FailFetch("INBOX", 2)
	c := login(t, s.Addr())
	_, err = c.Select("INBOX", nil).Wait()
	require.NoError(t, err)
	body := []*imap.FetchItemBodySection{{Peek: true}}
	got, err := c.Fetch(imap.UIDSetNum(1, 2, 3), &imap.FetchOptions{UID: true, BodySection: body}).Collect()
	require.Error(t, err)
	require.Len(t, got, 2)
}

func TestKickCutsAndTheServerGoesOn(t *testing.T) {
	s := start(t, imaptest.Options{})
	c := login(t, s.Addr())
	s.Kick()
	require.Error(t, c.Noop().Wait())
	login(t, s.Addr())
}

func TestProxyRecordsAnswersAndCuts(t *testing.T) {
	s := start(t, imaptest.Options{})
	_, err := s.Account("").Append("INBOX", imaptest.SampleMessage(1, 5000))
	require.NoError(t, err)
	p := &imaptest.Proxy{
		Target: s.Addr(),
		Client: func(line string) string {
			if tag, rest, _ := strings.Cut(line, " "); strings.HasPrefix(rest, "CREATE") {
				return tag + " NO not today"
			}
			return ""
		},
		Literal: func(int64) int64 { return 100 },
	}
	require.NoError(t, p.Start(t.Context()))
	defer p.Close()
	c := login(t, p.Addr())
	require.ErrorContains(t, c.Create("x", nil).Wait(), "not today")
	_, err = c.Select("INBOX", nil).Wait()
	require.NoError(t, err)
	p.Trace()
	cmd := c.Fetch(imap.UIDSetNum(1), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
	var got []byte
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		for item := m.Next(); item != nil; item = m.Next() {
			if b, ok := item.(imapclient.FetchItemDataBodySection); ok {
				got, _ = io.ReadAll(b.Literal)
				_ = c.Close() // imapclient reads a short literal once more
			}
		}
	}
	require.Error(t, cmd.Close())
	require.Len(t, got, 100)
	require.Equal(t, []string{"UID FETCH 1 (UID BODY.PEEK[])"}, p.Commands())
	require.Equal(t, 1, p.Connections())
}
