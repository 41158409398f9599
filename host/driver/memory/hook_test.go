package memory_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

var inbox = mail.Ref{Name: mail.Inbox}

func open(t *testing.T, opts memory.Options) *memory.Store {
	s := memory.New(opts)
	require.NoError(t, s.Open(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func body(s string) mail.Body {
	return mail.Body{Reader: strings.NewReader(s), Size: int64(len(s)), LineEnds: mail.CRLF}
}

func deliver(ctx context.Context, s driver.Store, texts ...string) ([]mail.Placed, error) {
	var ds []driver.Delivery
	for _, text := range texts {
		d, err := s.Deliver(ctx, inbox, mail.Meta{}, body(text))
		if err != nil {
			return nil, err
		}
		ds = append(ds, d)
	}
	return s.Commit(ctx, inbox, ds)
}

func texts(s *memory.Store) []string {
	out := []string{}
	for _, m := range s.Snapshot()[mail.Inbox] {
		out = append(out, string(m.Body))
	}
	return out
}

func TestFailRefusesTheNthCall(t *testing.T) {
	s := open(t, memory.Options{})
	s.SetHook(memory.Fail(memory.OpCommit, 2, fault.New(fault.Quota, "append", "over quota")))
	_, err := deliver(t.Context(), s, "a")
	require.NoError(t, err)
	_, err = deliver(t.Context(), s, "b")
	require.ErrorIs(t, err, fault.Quota)
	_, err = deliver(t.Context(), s, "c")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "c"}, texts(s))
}

func TestStepsRefuseOneMessage(t *testing.T) {
	s := open(t, memory.Options{})
	s.SetHook(memory.Fail(memory.OpPlace, 2, fault.New(fault.Quota, "append", "over quota")))
	placed, err := deliver(t.Context(), s, "a", "b", "c")
	require.NoError(t, err)
	require.NoError(t, placed[0].Err)
	require.ErrorIs(t, placed[1].Err, fault.Quota)
	require.NoError(t, placed[2].Err)
	require.Equal(t, []string{"a", "c"}, texts(s))

	bad := mail.UIDKey(1)
	refusal := fault.New(fault.Refused, "fetch", "no")
	s.SetHook(memory.Chain(memory.FailKey(memory.OpApply, bad, refusal), memory.FailKey(memory.OpBody, bad, refusal)))
	out, err := s.Change(t.Context(), inbox, []mail.Change{
		{Key: bad, Op: mail.ChangeRemove}, {Key: mail.UIDKey(2), Op: mail.ChangeFlags, Add: mail.NewFlags("x")},
	})
	require.NoError(t, err)
	require.ErrorIs(t, out[0].Err, fault.Refused)
	require.NoError(t, out[1].Err)

	n := 0
	err = s.Bodies(t.Context(), inbox, mail.NewKeySet(bad, mail.UIDKey(2)), func(mail.Meta, mail.Body) error { n++; return nil })
	partial, ok := driver.AsPartial(err)
	require.True(t, ok)
	require.Contains(t, partial.Failed, bad)
	require.Equal(t, 1, n)
}

func TestLoseDoesItAndSaysItFailed(t *testing.T) {
	s := open(t, memory.Options{})
	s.SetHook(memory.Lose(memory.OpPlace, 2))
	_, err := deliver(t.Context(), s, "a", "b", "c")
	require.ErrorIs(t, err, fault.Network)
	require.True(t, fault.IsTemporary(err))
	require.Equal(t, []string{"a", "b"}, texts(s), "the rest of the batch was never sent")
}

// TestBreaker stops a delivery at each of its moments.
func TestBreaker(t *testing.T) {
	count := memory.NewBreaker(-1)
	s := open(t, memory.Options{})
	s.SetHook(count.Hook)
	_, err := deliver(t.Context(), s, "a")
	require.NoError(t, err)
	moments := count.Seen()
	require.Greater(t, moments, 4)

	there := 0
	for n := range moments {
		s := open(t, memory.Options{})
		b := memory.NewBreaker(n)
		s.SetHook(b.Hook)
		_, err := deliver(t.Context(), s, "a")
		require.ErrorIs(t, err, fault.Network)
		_, err = s.Folders(t.Context())
		require.ErrorIs(t, err, fault.Network, "it stays broken")
		there += len(texts(s))
		b.Mend()
		_, err = s.Folders(t.Context())
		require.NoError(t, err)
	}
	require.Greater(t, there, 0, "sometimes only the answer was lost")
	require.Less(t, there, moments)
}

func TestGate(t *testing.T) {
	s := open(t, memory.Options{})
	g := memory.NewGate(memory.OpCommit, 1)
	s.SetHook(g.Hook)
	done := make(chan error, 1)
	go func() {
		_, err := deliver(context.Background(), s, "a")
		done <- err
	}()
	<-g.Reached()
	require.Empty(t, texts(s))
	s.Add(mail.Inbox, memory.Message{Body: []byte("other")})
	g.Open()
	require.NoError(t, <-done)
	require.Equal(t, []string{"other", "a"}, texts(s))
}

func TestCloseOpensTheGate(t *testing.T) {
	s := open(t, memory.Options{})
	g := memory.NewGate(memory.OpFolders, 1)
	s.SetHook(g.Hook)
	done := make(chan error, 1)
	go func() {
		_, err := s.Folders(context.Background())
		done <- err
	}()
	<-g.Reached()
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-done, fault.Stopped)
}

func TestRestoreGoesBackInTime(t *testing.T) {
	s := open(t, memory.Options{})
	s.Add(mail.Inbox, memory.Message{Body: []byte("a")})
	backup := s.Backup()
	s.Add(mail.Inbox, memory.Message{Body: []byte("b")})
	read := func(since mail.Cursor) (mail.Result, int) {
		n := 0
		res, err := s.Changes(t.Context(), inbox, since, func(m []mail.Meta) error { n += len(m); return nil })
		require.NoError(t, err)
		return res, n
	}
	res, n := read("")
	require.Equal(t, 2, n)
	s.Restore(backup)
	s.Restore(backup) // a backup can be used again
	back, n := read(res.Cursor)
	require.True(t, back.Rewound)
	require.True(t, back.Complete)
	require.Equal(t, 1, n)
	require.Equal(t, res.Epoch, back.Epoch)
}

func TestSnapshots(t *testing.T) {
	imap, dir := open(t, memory.Options{}), open(t, memory.Options{Maildir: true})
	date := time.Date(2020, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, text := range []string{"one\n\nx\n", "two\n\ny\n", "two\n\ny\n"} {
		m := memory.Message{Body: []byte(text), Date: date, Flags: mail.NewFlags(`\Seen`)}
		imap.Add("A/B", m)
		dir.Add("A/B", m)
	}
	far, err := memory.Read(t.Context(), imap)
	require.NoError(t, err)
	near := dir.Snapshot()
	require.Empty(t, far.Diff(near), "keys and line ends do not count")
	require.Empty(t, imap.Snapshot().Diff(far))

	dir.Remove("A/B", near["A/B"][2].Key)
	require.Contains(t, far.Diff(dir.Snapshot()), "+1 here", "messages are counted")
	dir.AddFolder("C")
	require.Contains(t, far.Diff(dir.Snapshot()), `folder "C"`)
}

func TestRenumberAndRename(t *testing.T) {
	s := open(t, memory.Options{})
	s.Add("Old/x", memory.Message{Body: []byte("a")})
	s.Remove("Old/x", mail.UIDKey(1))
	s.Add("Old/x", memory.Message{Body: []byte("b")})
	s.MoveFolder("Old", "New")
	require.NotContains(t, s.Snapshot(), "Old/x")
	before, err := s.Reserve(t.Context(), mail.Ref{Name: "New/x"}, 1)
	require.NoError(t, err)
	s.Renumber("New/x")
	after, err := s.Reserve(t.Context(), mail.Ref{Name: "New/x"}, 1)
	require.NoError(t, err)
	require.NotEqual(t, before.Epoch, after.Epoch)
	require.Equal(t, mail.UIDKey(1), s.Snapshot()["New/x"][0].Key)
}

func TestReadOnly(t *testing.T) {
	s := open(t, memory.Options{})
	key := s.Add(mail.Inbox, memory.Message{Body: []byte("a")})
	s.SetReadOnly(mail.Inbox, true)
	_, err := deliver(t.Context(), s, "b")
	require.ErrorIs(t, err, fault.ReadOnly)
	_, err = s.Change(t.Context(), inbox, []mail.Change{{Key: key, Op: mail.ChangeRemove}})
	require.ErrorIs(t, err, fault.ReadOnly)
	require.Equal(t, []string{"a"}, texts(s))
}
