package imap_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
	"github.com/imapfw/imapfw/host/mail"
)

// The server's own work is most of what these measure; compare with it before
// and after a change, not with other machines.

func BenchmarkBodies(b *testing.B) {
	const n, size = 2000, 4096
	for name, connections := range map[string]int{"streamed": 3, "spooled": 1} {
		b.Run(name, func(b *testing.B) {
			opts, _ := filledDovecot(b, n, size)
			opts.Connections = connections
			d := open(b, opts)
			b.SetBytes(n * size)
			b.ReportAllocs()
			for b.Loop() {
				read := 0
				err := d.Bodies(b.Context(), inbox, uids(1, n), func(_ mail.Meta, body mail.Body) error {
					read++
					_, err := io.Copy(io.Discard, body)
					return err
				})
				require.NoError(b, err)
				require.Equal(b, n, read)
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

func BenchmarkChanges(b *testing.B) {
	const n = 5000
	opts, _ := filledDovecot(b, n, 0)
	d := open(b, opts)
	_, first := changes(b, d, "")
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			told, _ := changes(b, d, "")
			require.Equal(b, n, told.Len())
		}
		b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	})
	b.Run("none", func(b *testing.B) {
		for b.Loop() {
			changes(b, d, first.Cursor)
		}
	})
}

func BenchmarkDeliver(b *testing.B) {
	opts, _ := filledDovecot(b, 1, 0)
	d := open(b, opts)
	const n = 500
	messages := imaptest.SampleMessages(0, n, 4096)
	for b.Loop() {
		_, err := deliver(b, d, inbox, messages...)
		require.NoError(b, err)
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// filledDovecot starts a Dovecot with n messages in the inbox of a user.
func filledDovecot(b *testing.B, n, size int) (opts imap.Options, mailbox door) {
	s := dovecot.Start(b)
	name := user(b, s)
	mailbox = door{addr: s.Addr(), user: name, password: dovecot.Password}
	mailbox.add(b, mail.Inbox, imaptest.SampleMessages(0, n, size)...)
	return options(s.Addr(), name, dovecot.Password), mailbox
}
