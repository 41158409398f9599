package drivertest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
)

// patience is how long a call may take that the suite expects to end at once.
const patience = 20 * time.Second

// env is one test's place with an open driver on it.
type env struct {
	h     Harness
	place Place
	store driver.Store
	ctx   context.Context
}

func newEnv(t *testing.T, h Harness) *env {
	require.NotZero(t, h.LineEnds, "Features.LineEnds must be set")
	e := &env{h: h, place: h.New(t), ctx: t.Context()}
	e.open(t)
	return e
}

func (e *env) open(t *testing.T) {
	t.Helper()
	e.store = e.place.Store(t)
	require.NoError(t, e.store.Open(e.ctx))
	store := e.store
	t.Cleanup(func() { _ = store.Close() })
	e.create(t, mail.Inbox)
}

func (e *env) reopen(t *testing.T) {
	t.Helper()
	require.NoError(t, e.store.Close())
	e.open(t)
}

func (e *env) settle(t *testing.T) {
	t.Helper()
	if e.place.Settle != nil {
		e.place.Settle(t)
	}
}

// create makes a folder and returns it, pinned to its epoch.
func (e *env) create(t *testing.T, name string) mail.Ref {
	t.Helper()
	maker, ok := driver.As[driver.FolderMaker](e.store)
	require.True(t, ok, "the suite needs a store that can create folders")
	require.NoError(t, maker.CreateFolder(e.ctx, name))
	return e.pin(t, name)
}

func (e *env) pin(t *testing.T, name string) mail.Ref {
	t.Helper()
	res, err := e.store.Changes(e.ctx, mail.Ref{Name: name}, "", func([]mail.Meta) error { return nil })
	require.NoError(t, err)
	require.NotEmpty(t, res.Epoch, "a folder has an epoch")
	return mail.Ref{Name: name, Epoch: res.Epoch}
}

// form gives a body in LF form the store's own line ends.
func (e *env) form(lf []byte) []byte {
	if e.h.LineEnds == mail.CRLF {
		return crlf(lf)
	}
	return lf
}

// kept is what the store makes of a body in LF form.
func (e *env) kept(lf []byte) []byte { return e.normalise(e.form(lf)) }

func (e *env) normalise(own []byte) []byte {
	if e.h.Normalise != nil {
		return e.h.Normalise(bytes.Clone(own))
	}
	return own
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

func lf(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }

// day is a date that no clock of a test machine shows.
func day(n int) time.Time { return time.Date(2019, 3, 1, 12, 30, 15, 0, time.UTC).AddDate(0, 0, n) }

// text is a small message that no other n has.
func text(n int) Message {
	return Message{Date: day(n % 500), Body: fmt.Appendf(nil,
		"From: a@example.org\nSubject: message %d\nMessage-ID: <%d@example.org>\n\nBody of %d.\n", n, n, n)}
}

func texts(from, to int) []Message {
	var out []Message
	for n := from; n < to; n++ {
		out = append(out, text(n))
	}
	return out
}

// add delivers messages through the driver, in LF form, and returns their keys.
func (e *env) add(t *testing.T, ref mail.Ref, msgs ...Message) []mail.Key {
	t.Helper()
	return e.keysOf(t, ref, e.deliver(t, ref, msgs...), msgs)
}

func (e *env) deliver(t *testing.T, ref mail.Ref, msgs ...Message) []mail.Placed {
	t.Helper()
	r, err := e.store.Reserve(e.ctx, ref, len(msgs))
	require.NoError(t, err)
	var ds []driver.Delivery
	for i, m := range msgs {
		meta := mail.Meta{Flags: m.Flags, Date: m.Date, Size: int64(len(m.Body))}
		if len(r.Keys) > 0 {
			meta.Key = r.Keys[i]
		}
		d, err := e.store.Deliver(e.ctx, ref, meta, bodyOf(m.Body, mail.LF))
		require.NoError(t, err)
		ds = append(ds, d)
	}
	placed, err := e.store.Commit(e.ctx, ref, ds)
	require.NoError(t, err)
	require.Len(t, placed, len(msgs), "one result for each delivery")
	for _, p := range placed {
		require.NoError(t, p.Err)
	}
	return placed
}

// keysOf returns the keys of deliveries; those untold are found by content.
func (e *env) keysOf(t *testing.T, ref mail.Ref, placed []mail.Placed, msgs []Message) []mail.Key {
	t.Helper()
	var there map[string][]mail.Key // by content
	keys := make([]mail.Key, len(placed))
	for i, p := range placed {
		if keys[i] = p.Key; p.Key != "" {
			continue
		}
		require.True(t, e.h.KeysUntold, "Commit tells the keys")
		if there == nil {
			there = map[string][]mail.Key{}
			for key, m := range e.read(t, ref) {
				there[string(m.body)] = append(there[string(m.body)], key)
			}
		}
		found := there[string(e.kept(msgs[i].Body))]
		require.NotEmpty(t, found, "the message is there")
		keys[i], there[string(e.kept(msgs[i].Body))] = found[0], found[1:]
	}
	return keys
}

func bodyOf(b []byte, ends mail.LineEnds) mail.Body {
	// Only a Reader: what came from a socket cannot be read twice.
	return mail.Body{Reader: struct{ io.Reader }{bytes.NewReader(b)}, Size: int64(len(b)), LineEnds: ends}
}

// flags makes a set that the store can keep.
func (e *env) flags(names ...string) mail.Flags {
	f := mail.NewFlags(names...)
	if e.h.NoKeywords {
		return mail.Flags{System: f.System}
	}
	return f
}

func requireFlags(t *testing.T, want, got mail.Flags) {
	t.Helper()
	require.Truef(t, want.Equal(got), "flags are %q, not %q", got, want)
}

func (e *env) need(t *testing.T, what string, there bool) {
	t.Helper()
	if !there {
		t.Skip("the harness has no side door to " + what)
	}
}

// soon runs f and fails the test when it does not return.
func soon(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s did not return within %v", what, patience)
	}
}
