package endpoint_test

import (
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/worker"
)

// bare is a store without optional abilities.
type bare struct{ driver.Store }

func TestAbilitiesAreTrue(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			p := opened(t, m, memory.New(memory.Options{}))
			_, make := driver.As[driver.FolderMaker](p)
			_, remove := driver.As[driver.FolderRemover](p)
			_, stamp := driver.As[driver.Stamper](p)
			require.Equal(t, []bool{true, true, true}, []bool{make, remove, stamp})

			p = opened(t, m, bare{memory.New(memory.Options{})})
			_, make = driver.As[driver.FolderMaker](p)
			_, remove = driver.As[driver.FolderRemover](p)
			_, stamp = driver.As[driver.Stamper](p)
			require.Equal(t, []bool{false, false, false}, []bool{make, remove, stamp})
			if m.backend == worker.Process {
				return // what the child knows it has asked once
			}
			closed := endpoint.Proxy(border(t, m, memory.New(memory.Options{})))
			_, make = driver.As[driver.FolderMaker](closed)
			require.False(t, make, "nothing is known before Open")
		})
	}
}

func TestFaultsSurviveTheBorder(t *testing.T) {
	want := &fault.Error{Code: fault.Quota, Op: "append", Folder: "INBOX", Message: "over quota", Hint: "delete some", Temporary: true, Err: io.ErrUnexpectedEOF}
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			s := memory.New(memory.Options{})
			p := opened(t, m, s)
			keys := list(fill(s, mail.Inbox, 5, 10))
			check := func(err error) {
				t.Helper()
				var got *fault.Error
				require.ErrorAs(t, err, &got)
				require.Equal(t, *want, *got)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				require.True(t, fault.IsTemporary(err))
			}
			s.SetHook(memory.Fail(memory.OpChanges, 0, want))
			_, err := p.Changes(t.Context(), inbox, "", nil)
			check(err)

			// Single messages that fail are told one by one.
			s.SetHook(memory.Chain(memory.FailKey(memory.OpBody, keys[1], want), memory.FailKey(memory.OpBody, keys[3], want)))
			n := 0
			err = p.Bodies(t.Context(), inbox, mail.NewKeySet(keys...), func(mail.Meta, mail.Body) error { n++; return nil })
			partial, ok := driver.AsPartial(err)
			require.True(t, ok)
			require.Equal(t, 3, n)
			require.Len(t, partial.Failed, 2)
			check(partial.Failed[keys[1]])
			check(partial.Failed[keys[3]])

			s.SetHook(memory.FailKey(memory.OpApply, keys[0], want))
			out, err := p.Change(t.Context(), inbox, []mail.Change{{Key: keys[0], Op: mail.ChangeRemove}, {Key: keys[1], Op: mail.ChangeRemove}})
			require.NoError(t, err)
			check(out[0].Err)
			require.NoError(t, out[1].Err)

			s.SetHook(memory.Fail(memory.OpStore, 2, want))
			ds := deliver(t, p, inbox, "Subject: a\n\n", "Subject: b\n\n")
			s.SetHook(memory.Fail(memory.OpPlace, 2, want))
			placed, err := p.Commit(t.Context(), inbox, ds)
			require.NoError(t, err)
			require.NoError(t, placed[0].Err)
			require.Error(t, placed[1].Err)
		})
	}
}

// What the callee's callback returns comes back as it is, from any border.
func TestCallbackErrors(t *testing.T) {
	boom := errors.New("boom")
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			s := memory.New(memory.Options{Batch: 2})
			p := opened(t, m, s)
			keys := fill(s, mail.Inbox, 9, 300_000)
			_, err := p.Changes(t.Context(), inbox, "", func([]mail.Meta) error { return boom })
			require.Same(t, boom, err)
			require.Same(t, boom, p.Describe(t.Context(), inbox, keys, mail.WantHeader, func([]mail.Description) error { return boom }))
			n := 0
			require.Same(t, boom, p.Bodies(t.Context(), inbox, keys, func(mail.Meta, mail.Body) error {
				if n++; n == 3 {
					return boom
				}
				return nil
			}))
			require.Equal(t, 3, n)
		})
	}
}

// Key sets and lists of any size cross a border.
func TestLargeSets(t *testing.T) {
	s := memory.New(memory.Options{Maildir: true})
	p := opened(t, mode{strict: true}, s)
	var keys mail.KeySet
	for i := range 35_000 {
		m := memory.Message{Body: []byte("\n")}
		if i%1000 == 0 {
			m = text(i, 10)
		}
		keys.Add(s.Add(mail.Inbox, m))
	}
	n := 0
	res, err := p.Changes(t.Context(), inbox, "", func(some []mail.Meta) error { n += len(some); return nil })
	require.NoError(t, err)
	require.Equal(t, 35_000, n)
	require.Equal(t, keys, res.Present)
	n = 0
	require.NoError(t, p.Describe(t.Context(), inbox, keys, mail.WantSize, func(ds []mail.Description) error { n += len(ds); return nil }))
	require.Equal(t, 35_000, n)
	var cs []mail.Change
	for k := range keys.All() {
		cs = append(cs, mail.Change{Key: k, Op: mail.ChangeFlags, Add: mail.NewFlags(`\Seen`)})
	}
	out, err := p.Change(t.Context(), inbox, cs)
	require.NoError(t, err)
	require.Len(t, out, 35_000)
	require.Equal(t, cs[34_999].Key, out[34_999].Key)
}
