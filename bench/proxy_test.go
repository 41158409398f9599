//go:build linux

package main

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// echo answers everything with itself.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func throughProxy(t *testing.T, rtt time.Duration) (*proxy, net.Conn) {
	t.Helper()
	p, err := startProxy(t.Context(), echo(t), rtt)
	require.NoError(t, err)
	t.Cleanup(p.close)
	c, err := net.Dial("tcp", p.addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return p, c
}

// roundTrip sends a byte and waits for it to come back.
func roundTrip(t *testing.T, c net.Conn) {
	t.Helper()
	_, err := c.Write([]byte("x"))
	require.NoError(t, err)
	_, err = io.ReadFull(c, make([]byte, 1))
	require.NoError(t, err)
}

func TestProxyCounts(t *testing.T) {
	for _, rtt := range []time.Duration{0, 2 * time.Millisecond} {
		p, c := throughProxy(t, rtt)
		for range 5 {
			roundTrip(t, c)
		}
		second, err := net.Dial("tcp", p.addr())
		require.NoError(t, err)
		roundTrip(t, second)
		require.NoError(t, second.Close())
		require.Equal(t, traffic{Up: 6, Down: 6, Connections: 2, Turns: 6}, p.traffic())
	}
}

func TestProxyDelaysEachRoundTrip(t *testing.T) {
	const rtt = 6 * time.Millisecond
	_, c := throughProxy(t, rtt)
	start := time.Now()
	roundTrip(t, c)
	require.GreaterOrEqual(t, time.Since(start), 2*rtt, "connecting takes one round trip more")
	start = time.Now()
	for range 10 {
		roundTrip(t, c)
	}
	require.GreaterOrEqual(t, time.Since(start), 10*rtt)
}

func TestProxyPassesOnWhatIsLargerThanItsWindow(t *testing.T) {
	for _, rtt := range []time.Duration{0, 2 * time.Millisecond} {
		p, c := throughProxy(t, rtt)
		sent := bytes.Repeat([]byte("0123456789abcdef"), (inFlight+1<<20)/16)
		go func() {
			_, _ = c.Write(sent)
			_ = c.(*net.TCPConn).CloseWrite()
		}()
		got, err := io.ReadAll(c)
		require.NoError(t, err)
		require.True(t, bytes.Equal(sent, got))
		require.Equal(t, int64(len(sent)), p.traffic().Up)
		require.Equal(t, int64(len(sent)), p.traffic().Down)
	}
}

func TestProxyEndsWithItsConnectionsOpen(t *testing.T) {
	p, c := throughProxy(t, 2*time.Millisecond)
	roundTrip(t, c)
	p.close()
	_, err := io.ReadAll(c)
	if err == nil {
		_, err = p.in.Accept()
	}
	require.Error(t, err)
}
