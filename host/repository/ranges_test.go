package repository_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/repository"
)

func message(n, size int) memory.Message {
	return memory.Message{Body: fmt.Appendf(nil, "Subject: %d\r\n\r\n%s\r\n", n, strings.Repeat("x", size))}
}

func content(n int) mail.Body {
	b := fmt.Appendf(nil, "Subject: new %d\r\n\r\nbody\r\n", n)
	return mail.Body{Reader: bytes.NewReader(b), Size: int64(len(b)), LineEnds: mail.CRLF}
}

// Content that several endpoints read together arrives as from one.
func TestRanges(t *testing.T) {
	s := server(t, memory.Options{})
	var keys mail.KeySet
	for i := range 700 {
		keys.Add(s.Add("F", message(i, i*37%3000)))
	}
	big := s.Add("F", message(700, 5<<20))
	keys.Add(big)
	gone := []mail.Key{}
	i := 0
	for k := range keys.All() {
		if i++; i%50 == 0 && k != big {
			gone = append(gone, k)
		}
	}
	s.Remove("F", gone...)
	refused := mail.UIDKey(333)
	s.SetHook(memory.FailKey(memory.OpBody, refused, fault.New(fault.Refused, "fetch", "cannot read it")))

	r := open(t, repository.New(func(context.Context, int) (driver.Store, error) { return shared{s}, nil },
		repository.Options{Endpoints: 3, Ranges: 3}))
	// The endpoints are there once they were needed.
	var wg sync.WaitGroup
	for _, f := range []string{"A", "B", "C"} {
		s.AddFolder(f)
		wg.Go(func() {
			_, err := r.Changes(t.Context(), mail.Ref{Name: f}, "", none)
			require.NoError(t, err)
		})
	}
	wg.Wait()

	type seen struct {
		meta mail.Meta
		body string
	}
	all := func(store driver.Store) (out []seen, err error) {
		err = store.Bodies(t.Context(), mail.Ref{Name: "F"}, keys, func(m mail.Meta, b mail.Body) error {
			if m.Key == mail.UIDKey(100) {
				out = append(out, seen{m, "not read"})
				return nil
			}
			content, err := io.ReadAll(b)
			require.NoError(t, err)
			require.EqualValues(t, b.Size, len(content))
			out = append(out, seen{m, string(content)})
			return nil
		})
		return out, err
	}
	want, wantErr := all(s)
	got, gotErr := all(r)
	require.Equal(t, want, got)
	p, ok := driver.AsPartial(gotErr)
	require.True(t, ok)
	require.Equal(t, wantErr.(*driver.Partial).Failed, p.Failed)

	// An error of the callback ends it all, at once.
	boom := errors.New("boom")
	n := 0
	err := r.Bodies(t.Context(), mail.Ref{Name: "F"}, keys, func(mail.Meta, mail.Body) error {
		if n++; n == 200 {
			return boom
		}
		return nil
	})
	require.ErrorIs(t, err, boom)
	require.Equal(t, 200, n)

	// So does a failure of the store.
	s.SetHook(memory.Fail(memory.OpBody, 0, fault.New(fault.Network, "fetch", "dropped")))
	require.ErrorIs(t, r.Bodies(t.Context(), mail.Ref{Name: "F"}, keys, func(mail.Meta, mail.Body) error { return nil }), fault.Network)

	ctx, cancel := context.WithCancel(t.Context())
	s.SetHook(nil)
	err = r.Bodies(ctx, mail.Ref{Name: "F"}, keys, func(mail.Meta, mail.Body) error { cancel(); return nil })
	require.ErrorIs(t, err, context.Canceled)
}
