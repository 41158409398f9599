package maildir_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/maildir"
	"github.com/imapfw/imapfw/host/mail"
)

// BenchmarkScan reads a folder of 100,000 messages, and asks whether it changed.
func BenchmarkScan(b *testing.B) {
	const n = 100_000
	root := b.TempDir()
	dir := filepath.Join(root, "F")
	makeDirs(b, dir)
	for i := range n {
		name := fmt.Sprintf("%d.M%06dP1234R0123abcd_%d.mail.example.org:2,%s", 1700000000+i, i%1000000, i, []string{"S", "", "FS", "RS"}[i%4])
		require.NoError(b, os.WriteFile(filepath.Join(dir, "cur", name), nil, 0o600))
	}
	s := open(b, maildir.Options{Path: root})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, res := listCount(b, s, mail.Ref{Name: "F"})
			require.Equal(b, n, res.Present.Len())
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := s.Folders(b.Context())
			require.NoError(b, err)
		}
	})
	b.Run("bodies by 500", func(b *testing.B) {
		_, res := listCount(b, s, mail.Ref{Name: "F"})
		var some mail.KeySet
		for set := range res.Present.Chunks(500) {
			some = set
			break
		}
		for b.Loop() {
			require.NoError(b, s.Bodies(b.Context(), mail.Ref{Name: "F"}, some, func(mail.Meta, mail.Body) error { return nil }))
		}
	})
}

func listCount(b *testing.B, s driver.Store, ref mail.Ref) (int, mail.Result) {
	n := 0
	res, err := s.Changes(b.Context(), ref, "", func(metas []mail.Meta) error { n += len(metas); return nil })
	require.NoError(b, err)
	return n, res
}

// BenchmarkDeliver delivers 10,000 messages of 4 KiB.
func BenchmarkDeliver(b *testing.B) {
	const total = 10_000
	body := append([]byte("Subject: x\r\n\r\n"), bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuvwxyz\r\n"), 107)...)
	for _, one := range []struct {
		batch   int
		noFsync bool
	}{{1, false}, {10, false}, {100, false}, {1000, false}, {1000, true}} {
		b.Run(fmt.Sprintf("batch=%d,fsync=%v", one.batch, !one.noFsync), func(b *testing.B) {
			b.ReportAllocs()
			done := 0
			for b.Loop() {
				s := open(b, maildir.Options{Path: b.TempDir(), NoFsync: one.noFsync})
				require.NoError(b, s.CreateFolder(b.Context(), "F"))
				ref := mail.Ref{Name: "F"}
				for range total / max(one.batch, 10) {
					var ds []driver.Delivery
					for range one.batch {
						d, err := s.Deliver(b.Context(), ref, mail.Meta{Flags: mail.NewFlags(`\Seen`)},
							mail.Body{Reader: bytes.NewReader(body), Size: int64(len(body)), LineEnds: mail.CRLF})
						require.NoError(b, err)
						ds = append(ds, d)
					}
					_, err := s.Commit(b.Context(), ref, ds)
					require.NoError(b, err)
					done += len(ds)
				}
			}
			b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}
