package imap_test

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/drivertest"
	"github.com/imapfw/imapfw/host/driver/imap"
	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
	"github.com/imapfw/imapfw/host/mail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options are those of a driver on a server without TLS.
func options(addr, user, password string) imap.Options {
	host, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	return imap.Options{Conn: conn.Config{
		Host: host, Port: n, TLS: conn.TLS{Mode: conn.None}, User: user,
		Password: func(context.Context) (string, error) { return password, nil },
	}}
}

// open opens a driver that is closed with the test.
func open(t testing.TB, opts imap.Options) *imap.Driver {
	t.Helper()
	d, err := imap.New(opts)
	require.NoError(t, err)
	require.NoError(t, d.Open(t.Context()))
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// memory starts an embedded server.
func memory(t testing.TB, opts imaptest.Options) *imaptest.Server {
	t.Helper()
	s := imaptest.New(opts)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// proxied starts an embedded server behind a proxy.
func proxied(t testing.TB, opts imaptest.Options, p *imaptest.Proxy) *imaptest.Account {
	t.Helper()
	s := memory(t, opts)
	startProxy(t, p, s.Addr())
	return s.Account("")
}

func startProxy(t testing.TB, p *imaptest.Proxy, target string) {
	t.Helper()
	p.Target = target
	require.NoError(t, p.Start(t.Context()))
	t.Cleanup(func() { _ = p.Close() })
}

var users atomic.Int32

// user makes a new user of a Dovecot.
func user(t testing.TB, s *dovecot.Server) string {
	t.Helper()
	name := fmt.Sprintf("user%d", users.Add(1))
	s.AddUser(t, name)
	return name
}

// door is another program's way to the mail: a plain IMAP session for each
// thing it does.
type door struct {
	addr, user, password string
	// server names folders as the server does; nil where that is the same.
	server func(string) string
}

func (d door) named(folder string) string {
	if d.server == nil || folder == "" {
		return folder
	}
	return d.server(folder)
}

func (d door) in(t testing.TB, folder string, fn func(*imapclient.Client)) {
	t.Helper()
	c, err := imapclient.DialInsecure(d.addr, nil)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Login(d.user, d.password).Wait())
	if folder != "" {
		_, err = c.Select(d.named(folder), nil).Wait()
		require.NoError(t, err)
	}
	fn(c)
	require.NoError(t, c.Logout().Wait())
}

func (d door) add(t testing.TB, folder string, messages ...imaptest.Message) []uint32 {
	t.Helper()
	var uids []uint32
	d.in(t, "", func(c *imapclient.Client) {
		for _, m := range messages {
			options := &goimap.AppendOptions{Time: m.Date}
			for _, f := range m.Flags.Strings() {
				options.Flags = append(options.Flags, goimap.Flag(f))
			}
			cmd := c.Append(d.named(folder), int64(len(m.Content)), options)
			_, err := cmd.Write(m.Content)
			require.NoError(t, err)
			require.NoError(t, cmd.Close())
			data, err := cmd.Wait()
			require.NoError(t, err)
			uids = append(uids, uint32(data.UID))
		}
	})
	return uids
}

func (d door) setFlags(t testing.TB, folder string, flags mail.Flags, uids ...uint32) {
	t.Helper()
	d.in(t, folder, func(c *imapclient.Client) {
		store := &goimap.StoreFlags{Op: goimap.StoreFlagsSet, Silent: true}
		for _, f := range flags.Strings() {
			store.Flags = append(store.Flags, goimap.Flag(f))
		}
		require.NoError(t, c.Store(uidSet(uids), store, nil).Close())
	})
}

func (d door) remove(t testing.TB, folder string, uids ...uint32) {
	t.Helper()
	d.in(t, folder, func(c *imapclient.Client) {
		store := &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Silent: true, Flags: []goimap.Flag{goimap.FlagDeleted}}
		require.NoError(t, c.Store(uidSet(uids), store, nil).Close())
		require.NoError(t, c.UIDExpunge(uidSet(uids)).Close())
	})
}

func (d door) recreate(t testing.TB, folder string) {
	t.Helper()
	d.in(t, "", func(c *imapclient.Client) {
		require.NoError(t, c.Delete(d.named(folder)).Wait())
		require.NoError(t, c.Create(d.named(folder), nil).Wait())
	})
}

func uidSet(uids []uint32) goimap.UIDSet {
	var set goimap.UIDSet
	for _, uid := range uids {
		set.AddNum(goimap.UID(uid))
	}
	return set
}

// place is a door for the conformance suite.
func (d door) place(store func(*testing.T) driver.Store) drivertest.Place {
	uid := func(key mail.Key) uint32 {
		n, _ := key.UID()
		return n
	}
	return drivertest.Place{
		Store: store,
		Add: func(t *testing.T, folder string, m drivertest.Message) {
			d.add(t, folder, imaptest.Message{Flags: m.Flags, Date: m.Date, Content: crlf(m.Body)})
		},
		SetFlags: func(t *testing.T, folder string, key mail.Key, flags mail.Flags) {
			d.setFlags(t, folder, flags, uid(key))
		},
		Remove:   func(t *testing.T, folder string, key mail.Key) { d.remove(t, folder, uid(key)) },
		Recreate: func(t *testing.T, folder string) { d.recreate(t, folder) },
	}
}

func crlf(b []byte) []byte {
	var out []byte
	for i, c := range b {
		if c == '\n' && (i == 0 || b[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}

// recorder keeps the commands of a connection's trace.
type recorder struct {
	mu   sync.Mutex
	sent []string
}

func (r *recorder) note(sent bool, line string) {
	if !sent {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, command, _ := strings.Cut(line, " ")
	r.sent = append(r.sent, command)
}

func (r *recorder) commands() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := r.sent
	r.sent = nil
	return sent
}

func (r *recorder) names() []string {
	var out []string
	for _, c := range r.commands() {
		name, rest, _ := strings.Cut(c, " ")
		if name == "UID" {
			second, _, _ := strings.Cut(rest, " ")
			name += " " + second
		}
		out = append(out, name)
	}
	return out
}
