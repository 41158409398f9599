package conn

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/timing"
)

// Dial connects, signs in and enables CONDSTORE and QRESYNC where the server
// has them. When ctx ends, Dial closes the connection and returns its cause;
// afterwards ctx has no hold on the connection.
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	begun := time.Now()
	span := cfg.Timing.Begin(timing.Connect)
	defer span.End()
	raw, err := dialSocket(ctx, cfg)
	if err != nil {
		return nil, causeOr(ctx, err)
	}
	cfg.Timing.Count(timing.Connections, 1)
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(over)
		_ = raw.Close() // wakes up whoever reads or writes
	})
	s := newSession(cfg, raw, time.Since(begun))
	err = s.open(ctx)
	if !stop() {
		<-over
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = raw.Close()
		return nil, causeOr(ctx, err)
	}
	c, err := newConn(s)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	return c, nil
}

// causeOr returns why ctx ended, or err when it did not.
func causeOr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func dialSocket(ctx context.Context, cfg Config) (net.Conn, error) {
	dial := cfg.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: cfg.Timeout}).DialContext
	}
	address := net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port))
	raw, err := dial(ctx, "tcp", address)
	if err == nil {
		return raw, nil
	}
	var own *fault.Error
	if errors.As(err, &own) {
		return nil, err
	}
	f := &fault.Error{Code: fault.Network, Op: "connect to " + address, Temporary: true, Err: err}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		f.Temporary = false // nobody knows the name, and that will not pass
		return nil, f.WithHint("check the name of the host, and whether the network is up")
	}
	return nil, f
}

// isLoopback reports whether a connection stays on this machine: it was asked
// to, by an address of 127/8, ::1 or the name localhost, and it does.
func isLoopback(host string, peer net.Addr) bool {
	ip := net.ParseIP(host)
	if !strings.EqualFold(host, "localhost") && (ip == nil || !ip.IsLoopback()) {
		return false
	}
	switch peer := peer.(type) {
	case *net.TCPAddr:
		return peer.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}
