package endpoint_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/mail"
)

var inbox = mail.Ref{Name: mail.Inbox}

// server returns an open store.
func server(t testing.TB, opts memory.Options) *memory.Store {
	s := memory.New(opts)
	require.NoError(t, s.Open(context.Background()))
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func text(n, size int) memory.Message {
	return memory.Message{Body: fmt.Appendf(nil, "Subject: %d\n\n%s\n", n, strings.Repeat("x", size))}
}

// fill puts messages into a folder and returns their keys.
func fill(s *memory.Store, folder string, n, size int) mail.KeySet {
	var keys mail.KeySet
	for i := range n {
		keys.Add(s.Add(folder, text(i, size)))
	}
	return keys
}

func list(keys mail.KeySet) []mail.Key {
	var out []mail.Key
	for k := range keys.All() {
		out = append(out, k)
	}
	return out
}

// bodies returns the content of a folder, sorted by key, in LF form.
func bodies(s *memory.Store, folder string) []string {
	var out []string
	for _, m := range s.Snapshot()[folder] {
		out = append(out, string(m.Body))
	}
	return out
}

func body(text string) mail.Body {
	return mail.Body{Reader: struct{ io.Reader }{strings.NewReader(text)}, Size: int64(len(text)), LineEnds: mail.LF}
}

func deliver(t testing.TB, s driver.Store, ref mail.Ref, texts ...string) []driver.Delivery {
	var out []driver.Delivery
	for _, text := range texts {
		d, err := s.Deliver(t.Context(), ref, mail.Meta{}, body(text))
		require.NoError(t, err)
		out = append(out, d)
	}
	return out
}

// metas returns what a full reading of a folder tells.
func metas(t testing.TB, s driver.Store, folder string) []mail.Meta {
	var out []mail.Meta
	_, err := s.Changes(t.Context(), mail.Ref{Name: folder}, "", func(some []mail.Meta) error {
		require.NotEmpty(t, some)
		out = append(out, some...)
		return nil
	})
	require.NoError(t, err)
	return out
}

func hiddenKeys(t testing.TB, s driver.Store, folder string) []mail.Key {
	var out []mail.Key
	for _, m := range metas(t, s, folder) {
		if m.Hidden {
			out = append(out, m.Key)
		}
	}
	return out
}

func read(t testing.TB, b mail.Body) string {
	var buf bytes.Buffer
	_, err := io.Copy(&buf, b)
	require.NoError(t, err)
	return buf.String()
}
