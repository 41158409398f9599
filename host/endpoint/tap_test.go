package endpoint_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// twice is a target that must know a size before it begins, as IMAP does.
type twice struct{ driver.Store }

func (s twice) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, b mail.Body) (driver.Delivery, error) {
	seeker, ok := b.Reader.(io.Seeker)
	if !ok {
		return nil, fault.New(fault.Internal, "deliver", "it cannot be read twice")
	}
	if _, err := io.CopyN(io.Discard, b, b.Size/2); err != nil {
		return nil, err
	}
	if _, err := seeker.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, b); err != nil {
		return nil, err
	}
	if _, err := seeker.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return s.Store.Deliver(ctx, ref, m, b)
}

// Whoever listens in hears a message once, however often it is read.
func TestTapHearsOnce(t *testing.T) {
	a, b := server(t, memory.Options{Maildir: true}), server(t, memory.Options{})
	keys := fill(a, "A", 3, 5000)
	var heard bytes.Buffer
	var octets int64
	o := endpoint.CopyOptions{
		Tap:      func(mail.Meta, mail.LineEnds) io.Writer { return &heard },
		Progress: func(_ int, n int64) { octets += n },
	}
	_, err := endpoint.Copy(t.Context(), a, mail.Ref{Name: "A"}, keys, twice{b}, inbox, o)
	require.NoError(t, err)
	require.Equal(t, strings.Join(bodies(a, "A"), ""), heard.String())
	require.EqualValues(t, heard.Len(), octets)
	require.Equal(t, bodies(a, "A"), bodies(b, mail.Inbox))
}
