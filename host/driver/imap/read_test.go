package imap_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/imap"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
	"github.com/imapfw/imapfw/host/mail"
)

var inbox = mail.Ref{Name: mail.Inbox}

func uids(first, last uint32) mail.KeySet {
	var set mail.KeySet
	set.AddUIDs(first, last)
	return set
}

// changes reads a folder and returns the keys it was told.
func changes(t testing.TB, d driver.Reader, since mail.Cursor) (mail.KeySet, mail.Result) {
	t.Helper()
	var told mail.KeySet
	res, err := d.Changes(t.Context(), inbox, since, func(metas []mail.Meta) error {
		require.LessOrEqual(t, len(metas), 500)
		for _, m := range metas {
			told.Add(m.Key)
		}
		return nil
	})
	require.NoError(t, err)
	return told, res
}

// bodies reads content and returns it by key.
func bodies(t testing.TB, d driver.Reader, keys mail.KeySet) (map[mail.Key]string, error) {
	t.Helper()
	got := map[mail.Key]string{}
	err := d.Bodies(t.Context(), inbox, keys, func(m mail.Meta, b mail.Body) error {
		require.NotContains(t, got, m.Key, "no message is handed out twice")
		content, err := io.ReadAll(b)
		if err != nil {
			return err
		}
		require.EqualValues(t, b.Size, len(content))
		got[m.Key] = string(content)
		return nil
	})
	return got, err
}

func fill(t testing.TB, a *imaptest.Account, n int) {
	t.Helper()
	_, err := a.Append(mail.Inbox, imaptest.SampleMessages(0, n, 500)...)
	require.NoError(t, err)
}

// traced opens a driver on a Dovecot with 20 messages in the inbox, and notes what it sends.
func traced(t *testing.T) (*imap.Driver, door, *recorder) {
	t.Helper()
	s := dovecot.Start(t)
	name := user(t, s)
	mailbox := door{addr: s.Addr(), user: name, password: dovecot.Password}
	mailbox.add(t, mail.Inbox, imaptest.SampleMessages(0, 20, 300)...)
	trace := &recorder{}
	opts := options(s.Addr(), name, dovecot.Password)
	opts.Conn.Trace = trace.note
	return open(t, opts), mailbox, trace
}

func TestAnUnchangedFolderCostsNothing(t *testing.T) {
	d, mailbox, trace := traced(t)
	_, first := changes(t, d, "")

	trace.commands()
	list, err := d.Folders(t.Context())
	require.NoError(t, err)
	require.Equal(t, first.Cursor, list[0].Cursor)
	require.Equal(t, []string{"EXAMINE", "LIST"}, trace.names(), "one LIST for all folders")

	for _, want := range [][]string{{"UID FETCH"}, {"SELECT", "UID FETCH"}} {
		told, again := changes(t, d, first.Cursor)
		require.Empty(t, told.UIDs())
		require.False(t, again.Complete)
		require.Equal(t, want, trace.names(), "where the listing opened the folder it is read, else what changed is asked along with SELECT")
	}

	// What changed is all that is told, in the same two commands.
	mailbox.setFlags(t, mail.Inbox, mail.NewFlags(`\Flagged`), 7)
	mailbox.remove(t, mail.Inbox, 3, 4)
	mailbox.add(t, mail.Inbox, imaptest.SampleMessage(20, 300))
	told, res := changes(t, d, first.Cursor)
	require.Equal(t, mail.NewKeySet(mail.UIDKey(7), mail.UIDKey(21)), told)
	require.Equal(t, uids(3, 4), res.Gone)
	require.Equal(t, []string{"SELECT", "UID FETCH"}, trace.names())
}

// A large folder is asked how much changed: little comes with one command, much in
// parts. What vanished is told either way.
func TestChangesOfALargeFolder(t *testing.T) {
	d, mailbox, trace := traced(t)
	d.InParts(4)
	_, first := changes(t, d, "")

	trace.commands()
	mailbox.setFlags(t, mail.Inbox, mail.NewFlags(`\Flagged`), 7, 8, 19)
	mailbox.remove(t, mail.Inbox, 3, 20)
	told, second := changes(t, d, first.Cursor)
	require.Equal(t, mail.NewKeySet(mail.UIDKey(7), mail.UIDKey(8), mail.UIDKey(19)), told)
	gone := uids(3, 3)
	gone.AddUIDs(20, 20)
	require.Equal(t, gone, second.Gone)
	require.False(t, second.Complete)
	sent := trace.commands()
	require.Len(t, sent, 3)
	require.Contains(t, sent[1], "UID SEARCH")
	require.Contains(t, sent[2], "UID FETCH 1:20,21:* ", "where the last UID is that of what is left, 1:* does not reach what vanished")

	mailbox.setFlags(t, mail.Inbox, mail.NewFlags(`\Seen`), 1, 2, 5, 6, 11, 12, 18)
	mailbox.remove(t, mail.Inbox, 4)
	told, third := changes(t, d, second.Cursor)
	require.Equal(t, 7, told.Len())
	require.Equal(t, uids(4, 4), third.Gone)
	require.Equal(t, []string{"SELECT", "UID SEARCH", "UID SEARCH"}, trace.names()[:3])

	// Nothing but a removal.
	mailbox.remove(t, mail.Inbox, 9)
	told, last := changes(t, d, third.Cursor)
	require.True(t, told.Empty())
	require.Equal(t, uids(9, 9), last.Gone)
}

// A server that does not tell what vanished is asked who is there: else the removal would
// never be carried, since the next question is what vanished after it.
func TestAServerThatForgetsWhatVanished(t *testing.T) {
	s := dovecot.Start(t)
	name := user(t, s)
	mailbox := door{addr: s.Addr(), user: name, password: dovecot.Password}
	mailbox.add(t, mail.Inbox, imaptest.SampleMessages(0, 6, 300)...)
	p := &imaptest.Proxy{Target: s.Addr(), Server: func(line string) []string {
		if strings.HasPrefix(line, "* VANISHED") {
			return nil
		}
		return []string{line}
	}}
	require.NoError(t, p.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	d := open(t, options(p.Addr(), name, dovecot.Password))
	_, first := changes(t, d, "")

	mailbox.remove(t, mail.Inbox, 6)
	mailbox.add(t, mail.Inbox, imaptest.SampleMessage(6, 300))
	mailbox.setFlags(t, mail.Inbox, mail.NewFlags(`\Flagged`), 2)
	told, res := changes(t, d, first.Cursor)
	require.Equal(t, mail.NewKeySet(mail.UIDKey(2), mail.UIDKey(7)), told)
	require.True(t, res.Complete)
	require.False(t, res.Unsure)
	want := uids(1, 5)
	want.AddUIDs(7, 7)
	require.Equal(t, want, res.Present)

	told, res = changes(t, d, res.Cursor)
	require.True(t, told.Empty())
	require.False(t, res.Complete)
}

func TestChangesWithoutQRESYNCTellWhoIsThere(t *testing.T) {
	s := dovecot.Start(t)
	for name, without := range map[string][]string{"CONDSTORE": {"QRESYNC"}, "neither": {"QRESYNC", "CONDSTORE"}} {
		t.Run(name, func(t *testing.T) {
			name := user(t, s)
			mailbox := door{addr: s.Addr(), user: name, password: dovecot.Password}
			mailbox.add(t, mail.Inbox, imaptest.SampleMessages(0, 6, 300)...)
			opts := options(s.Addr(), name, dovecot.Password)
			opts.Conn.Without = without
			d := open(t, opts)
			_, first := changes(t, d, "")
			mailbox.setFlags(t, mail.Inbox, mail.NewFlags(`\Flagged`), 2)
			mailbox.remove(t, mail.Inbox, 5)
			told, res := changes(t, d, first.Cursor)
			require.True(t, res.Complete)
			require.False(t, res.Unsure)
			want := uids(1, 4)
			want.AddUIDs(6, 6)
			require.Equal(t, want, res.Present)
			require.True(t, told.Contains(mail.UIDKey(2)))
			if len(without) == 1 {
				require.Equal(t, 1, told.Len())
			}
		})
	}
}

func TestAFolderThatWentBackInTime(t *testing.T) {
	s := dovecot.Start(t)
	name := user(t, s)
	door{addr: s.Addr(), user: name, password: dovecot.Password}.add(t, mail.Inbox, imaptest.SampleMessages(0, 3, 300)...)
	d := open(t, options(s.Addr(), name, dovecot.Password))
	for _, since := range []mail.Cursor{"1:99:1:3:0", "1:4:999999:3:0"} {
		told, res := changes(t, d, since)
		require.True(t, res.Rewound, since)
		require.True(t, res.Complete)
		require.Equal(t, uids(1, 3), told)
	}
	told, res := changes(t, d, "not ours")
	require.False(t, res.Rewound)
	require.Equal(t, uids(1, 3), told)
}

func TestManyMessagesInManyCommands(t *testing.T) {
	for _, connections := range []int{1, 3} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			s := memory(t, imaptest.Options{})
			fill(t, s.Account(""), 1300)
			opts := options(s.Addr(), "user", "secret")
			opts.Connections = connections
			d := open(t, opts)
			told, res := changes(t, d, "")
			require.Equal(t, 1300, told.Len())
			require.Equal(t, uids(1, 1300), res.Present)

			var sparse mail.KeySet // does not fit into one command
			for uid := uint32(1); uid <= 1300; uid += 2 {
				sparse.AddUIDs(uid, uid)
			}
			got, err := bodies(t, d, sparse)
			require.NoError(t, err)
			require.Len(t, got, 650)
			require.Equal(t, string(imaptest.SampleMessage(644, 500).Content), got[mail.UIDKey(645)])
			n := 0
			require.NoError(t, d.Describe(t.Context(), inbox, sparse, mail.WantHeader, func(ds []mail.Description) error {
				for _, d := range ds {
					require.True(t, strings.HasSuffix(string(d.Header), "\r\n\r\n"))
				}
				n += len(ds)
				return nil
			}))
			require.Equal(t, 650, n)
		})
	}
}

func TestNoRoundTripPerMessage(t *testing.T) {
	const delay = 30 * time.Millisecond // one way
	const n = 60
	p := &imaptest.Proxy{Delay: delay}
	a := proxied(t, imaptest.Options{}, p)
	fill(t, a, n)
	d := open(t, options(p.Addr(), "user", "secret"))
	changes(t, d, "") // selects
	for name, work := range map[string]func(){
		"Changes": func() { changes(t, d, "") },
		"Describe": func() {
			require.NoError(t, d.Describe(t.Context(), inbox, uids(1, n), mail.WantHeader, func([]mail.Description) error { return nil }))
		},
		"Bodies": func() {
			got, err := bodies(t, d, uids(1, n))
			require.NoError(t, err)
			require.Len(t, got, n)
		},
		"Deliver": func() {
			_, err := deliver(t, d, inbox, imaptest.SampleMessages(n, n, 400)...)
			require.NoError(t, err)
		},
		"Change": func() {
			cs := make([]mail.Change, n)
			for i := range cs {
				cs[i] = mail.Change{Key: mail.UIDKey(uint32(i + 1)), Op: mail.ChangeFlags, Add: mail.NewFlags(`\Seen`)}
			}
			_, err := d.Change(t.Context(), inbox, cs)
			require.NoError(t, err)
		},
	} {
		begin := time.Now()
		work()
		require.Less(t, time.Since(begin), n*2*delay/3, "%s waits for the server once per message", name)
	}
}

func TestTheNextFetchIsSentBeforeTheLastOneEnds(t *testing.T) {
	s := memory(t, imaptest.Options{})
	fill(t, s.Account(""), 700)
	opts := options(s.Addr(), "user", "secret")
	sent, ended := 0, 0
	opts.Conn.Trace = func(out bool, line string) { // one at a time
		switch {
		case out && strings.Contains(line, " UID FETCH "):
			if sent++; sent > 1 && ended >= sent-1 {
				t.Errorf("command %d waited for the one before", sent)
			}
		case !out && strings.HasPrefix(line, "T") && strings.Contains(line, "FETCH completed"):
			ended++
		}
	}
	got, err := bodies(t, open(t, opts), uids(1, 700))
	require.NoError(t, err)
	require.Len(t, got, 700)
	require.Equal(t, 4, sent)
}
