package conn_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/timing"
)

// weighed counts what crosses a connection.
type weighed struct {
	net.Conn
	up, down *atomic.Int64
}

func (w weighed) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.down.Add(int64(n))
	return n, err
}

func (w weighed) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.up.Add(int64(n))
	return n, err
}

// Each step of a known exchange takes so many turns of the connection.
func TestRoundTripsAreCounted(t *testing.T) {
	r := timing.New()
	var up, down atomic.Int64
	was := timing.Figures{}
	step := func(what string, commands, turns int64) {
		t.Helper()
		now := r.Figures()
		require.Equal(t, commands, now.Count(timing.Commands)-was.Count(timing.Commands), what)
		require.Equal(t, turns, now.Count(timing.RoundTrips)-was.Count(timing.RoundTrips), what)
		was = now
	}
	c := start(t, "ENABLE QRESYNC UIDPLUS", func(p *peer) {
		p.expect("NOOP", "TAG OK\r\n")
		p.expect("NOOP", "* 1 EXISTS\r\n")
		p.send("* 2 EXISTS\r\n")
		p.send("TAG OK\r\n")
		// Two commands are read before the first is answered.
		p.command()
		first := p.tag
		p.command()
		p.send(first + " OK\r\nTAG OK\r\n")
		// A literal waits for the server.
		p.expect("DELETE {2}", "+ go on\r\n")
		p.octets(len("ü\r\n"))
		p.send("TAG NO there is none\r\n")
	}, func(cfg *conn.Config) {
		cfg.Timing = r
		dial := cfg.Dial
		cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			raw, err := dial(ctx, network, address)
			return weighed{raw, &up, &down}, err
		}
	})
	step("sign in: AUTHENTICATE, ENABLE", 2, 2)
	_, err := c.Do(t.Context(), conn.Cmd("NOOP"), nil)
	require.NoError(t, err)
	step("a command", 1, 1)
	_, err = c.Do(t.Context(), conn.Cmd("NOOP"), nil)
	require.NoError(t, err)
	step("an answer in three pieces", 1, 1)
	require.NoError(t, c.Run(t.Context(), "noop", func(cl *imapclient.Client) error {
		first, second := cl.Noop(), cl.Noop()
		require.NoError(t, first.Wait())
		return second.Wait()
	}))
	step("two commands at once", 2, 1)
	_, err = c.Do(t.Context(), conn.Cmd("DELETE").Text("ü"), nil)
	require.Error(t, err)
	step("a literal that has to be asked for", 1, 2)
	require.NoError(t, c.Close())
	step("LOGOUT", 1, 1)

	f := r.Figures()
	require.EqualValues(t, 1, f.Count(timing.Connections))
	require.Equal(t, up.Load(), f.Count(timing.BytesUp))
	require.Equal(t, down.Load(), f.Count(timing.BytesDown))
	connect, ok := f.Phase(timing.Connect)
	require.True(t, ok)
	require.Equal(t, 1, connect.Times)
}
