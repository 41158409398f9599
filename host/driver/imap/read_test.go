package imap_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/imap"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
	"github.com/imapfw/imapfw/host/fault"
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

func TestAnUnchangedFolderCostsNothing(t *testing.T) {
	s := dovecot.Start(t)
	name := user(t, s)
	mailbox := door{addr: s.Addr(), user: name, password: dovecot.Password}
	mailbox.add(t, mail.Inbox, imaptest.SampleMessages(0, 20, 300)...)
	var trace recorder
	opts := options(s.Addr(), name, dovecot.Password)
	opts.Conn.Trace = trace.note
	d := open(t, opts)
	_, first := changes(t, d, "")

	trace.commands()
	list, err := d.Folders(t.Context())
	require.NoError(t, err)
	require.Equal(t, first.Cursor, list[0].Cursor)
	require.Len(t, trace.commands(), 1, "one LIST for all folders")

	told, again := changes(t, d, first.Cursor)
	require.Empty(t, told.UIDs())
	require.False(t, again.Complete)
	require.Equal(t, []string{"SELECT"}, trace.names())

	// What changed is all that is told, in one command.
	mailbox.setFlags(t, mail.Inbox, mail.NewFlags(`\Flagged`), 7)
	mailbox.remove(t, mail.Inbox, 3, 4)
	mailbox.add(t, mail.Inbox, imaptest.SampleMessage(20, 300))
	told, res := changes(t, d, first.Cursor)
	require.Equal(t, mail.NewKeySet(mail.UIDKey(7), mail.UIDKey(21)), told)
	require.Equal(t, uids(3, 4), res.Gone)
	require.Equal(t, []string{"SELECT", "UID FETCH"}, trace.names())
}

// recorder keeps the commands of a connection's trace.
type recorder struct {
	mu   sync.Mutex
	sent []string
}

func (r *recorder) note(sent bool, line string) {
	if !sent {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, command, _ := strings.Cut(line, " ")
	r.sent = append(r.sent, command)
}

func (r *recorder) commands() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := r.sent
	r.sent = nil
	return sent
}

func (r *recorder) names() []string {
	var out []string
	for _, c := range r.commands() {
		name, rest, _ := strings.Cut(c, " ")
		if name == "UID" {
			second, _, _ := strings.Cut(rest, " ")
			name += " " + second
		}
		out = append(out, name)
	}
	return out
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

func TestMessagesTheServerCannotRead(t *testing.T) {
	for _, connections := range []int{1, 3} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			s := memory(t, imaptest.Options{})
			fill(t, s.Account(""), 50)
			s.Account("").FailFetch(mail.Inbox, 13, 14, 40)
			opts := options(s.Addr(), "user", "secret")
			opts.Connections = connections
			d := open(t, opts)
			asked := uids(1, 52) // 51 and 52 are not there
			got, err := bodies(t, d, asked)
			partial, ok := driver.AsPartial(err)
			require.True(t, ok, "%v", err)
			require.Len(t, partial.Failed, 3)
			for _, uid := range []uint32{13, 14, 40} {
				require.ErrorIs(t, partial.Failed[mail.UIDKey(uid)], fault.Refused)
			}
			require.Len(t, got, 47)
		})
	}
}

func TestAServerThatLeavesOutMessagesInItsAnswer(t *testing.T) {
	// One FETCH in three is lost, and one in three has no flags.
	var lines atomic.Int64
	p := &imaptest.Proxy{Server: func(line string) []string {
		if !strings.Contains(line, " FETCH (") || strings.Contains(line, "{") {
			return []string{line}
		}
		switch lines.Add(1) % 3 {
		case 0:
			return nil
		case 1:
			if i := strings.Index(line, "FLAGS ("); i >= 0 {
				end := i + strings.IndexByte(line[i:], ')') + 1
				return []string{strings.TrimSpace(line[:i]) + line[end:]}
			}
		}
		return []string{line}
	}}
	fill(t, proxied(t, imaptest.Options{}, p), 40)
	d := open(t, options(p.Addr(), "user", "secret"))
	told, res := changes(t, d, "")
	require.Equal(t, uids(1, 40), res.Present)
	if told.Len() < 40 {
		require.Empty(t, res.Cursor, "what was not told is told the next time")
	}
	require.Greater(t, told.Len(), 25)
}

func TestAServerThatFindsNothing(t *testing.T) {
	p := &imaptest.Proxy{Server: func(line string) []string {
		if strings.HasPrefix(line, "* ESEARCH") {
			line = line[:strings.Index(line, " UID")+4]
		}
		return []string{line}
	}}
	fill(t, proxied(t, imaptest.Options{}, p), 10)
	d := open(t, options(p.Addr(), "user", "secret"))
	_, res := changes(t, d, "")
	require.True(t, res.Unsure, "ten messages are not gone because SEARCH finds none")
}

func TestConnectionDropsBetweenMessages(t *testing.T) {
	s := memory(t, imaptest.Options{})
	fill(t, s.Account(""), 300)
	for _, connections := range []int{1, 3} {
		opts := options(s.Addr(), "user", "secret")
		opts.Connections = connections
		d := open(t, opts)
		changes(t, d, "")
		s.Kick()
		told, _ := changes(t, d, "")
		require.Equal(t, 300, told.Len(), "a dead connection is replaced")
		s.Kick()
		_, err := d.Folders(t.Context())
		require.NoError(t, err)
		s.Kick()
		got, err := bodies(t, d, uids(1, 300))
		require.NoError(t, err)
		require.Len(t, got, 300)
	}
}

// cutAt cuts the connection in the middle of literals of a size.
func cutAt(size int64, times int64) func(int64) int64 {
	var cuts atomic.Int64
	return func(n int64) int64 {
		if n == size && cuts.Add(1) <= times {
			return n / 2
		}
		return n
	}
}

func TestConnectionDropsInTheMiddleOfABody(t *testing.T) {
	big := imaptest.SampleMessage(3, 40_000)
	add := func(t *testing.T, a *imaptest.Account) {
		fill(t, a, 3)
		_, err := a.Append(mail.Inbox, big)
		require.NoError(t, err)
		_, err = a.Append(mail.Inbox, imaptest.SampleMessages(4, 3, 500)...)
		require.NoError(t, err)
	}
	t.Run("the reader hears of it", func(t *testing.T) {
		p := &imaptest.Proxy{Literal: cutAt(int64(len(big.Content)), 1)}
		add(t, proxied(t, imaptest.Options{}, p))
		d := open(t, options(p.Addr(), "user", "secret"))
		got, err := bodies(t, d, uids(1, 7))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.ErrorIs(t, err, fault.Network)
		require.True(t, fault.IsTemporary(err))
		require.Len(t, got, 3)
		got, err = bodies(t, d, uids(1, 7))
		require.NoError(t, err)
		require.Len(t, got, 7)
	})
	t.Run("and may go on", func(t *testing.T) {
		p := &imaptest.Proxy{Literal: cutAt(int64(len(big.Content)), 1)}
		add(t, proxied(t, imaptest.Options{}, p))
		d := open(t, options(p.Addr(), "user", "secret"))
		n := 0
		err := d.Bodies(t.Context(), inbox, uids(1, 7), func(m mail.Meta, b mail.Body) error {
			n++
			_, err := io.Copy(io.Discard, b)
			if m.Key == mail.UIDKey(4) {
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				return nil
			}
			return err
		})
		partial, ok := driver.AsPartial(err)
		require.True(t, ok, "%v", err)
		require.Len(t, partial.Failed, 1)
		require.True(t, fault.IsTemporary(partial.Failed[mail.UIDKey(4)]))
		require.Equal(t, 7, n)
	})
	t.Run("one connection asks again", func(t *testing.T) {
		p := &imaptest.Proxy{Literal: cutAt(int64(len(big.Content)), 1)}
		add(t, proxied(t, imaptest.Options{}, p))
		opts := options(p.Addr(), "user", "secret")
		opts.Connections = 1
		got, err := bodies(t, open(t, opts), uids(1, 7))
		require.NoError(t, err)
		require.Len(t, got, 7)
		require.Equal(t, string(big.Content), got[mail.UIDKey(4)])
	})
	t.Run("a message that always ends the connection", func(t *testing.T) {
		p := &imaptest.Proxy{Literal: cutAt(int64(len(big.Content)), 1000)}
		add(t, proxied(t, imaptest.Options{}, p))
		opts := options(p.Addr(), "user", "secret")
		opts.Connections = 1
		got, err := bodies(t, open(t, opts), uids(1, 7))
		partial, ok := driver.AsPartial(err)
		require.True(t, ok, "%v", err)
		require.Contains(t, partial.Failed, mail.UIDKey(4))
		require.Len(t, got, 6, "the others are not held up")
	})
}

func TestSelectThatIsRefused(t *testing.T) {
	s := memory(t, imaptest.Options{})
	s.Hook(func(c imaptest.Command) error {
		if c.Name == "SELECT" && c.Folder == mail.Inbox {
			return imaptest.No("INUSE", "locked")
		}
		return nil
	})
	d := open(t, options(s.Addr(), "user", "secret"))
	_, err := d.Changes(t.Context(), inbox, "", nil)
	require.ErrorIs(t, err, fault.Busy)
	require.True(t, fault.IsTemporary(err))
	require.ErrorContains(t, err, `"INBOX"`)

	s.Hook(func(c imaptest.Command) error {
		if c.Name == "SELECT" {
			return imaptest.No("", "nothing here") // as many servers do
		}
		return nil
	})
	_, err = d.Changes(t.Context(), mail.Ref{Name: "Nowhere/at all"}, "", nil)
	require.ErrorIs(t, err, fault.NotFound)
	require.ErrorContains(t, err, `"Nowhere/at all"`)
	_, err = d.Changes(t.Context(), inbox, "", nil)
	require.ErrorIs(t, err, fault.Refused)
}

func TestOpenTellsAWrongPassword(t *testing.T) {
	s := memory(t, imaptest.Options{})
	d, err := imap.New(options(s.Addr(), "user", "wrong"))
	require.NoError(t, err)
	require.ErrorIs(t, d.Open(t.Context()), fault.Auth)
	require.NoError(t, d.Close())
}

func TestTwoStoresThatReadEachOther(t *testing.T) {
	// Each copies into the other, with one connection each: whoever waits for
	// the other's connection must not hold its own.
	var stores [2]*imap.Driver
	for i := range stores {
		s := memory(t, imaptest.Options{})
		require.NoError(t, s.Account("").CreateFolder("Copy"))
		fill(t, s.Account(""), 40)
		opts := options(s.Addr(), "user", "secret")
		opts.Connections = 1
		stores[i] = open(t, opts)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Second, errors.New("they wait for each other"))
	defer cancel()
	var both sync.WaitGroup
	errs := make([]error, 2)
	for i := range stores {
		both.Go(func() {
			from, to := stores[i], stores[1-i]
			errs[i] = from.Bodies(ctx, inbox, uids(1, 40), func(m mail.Meta, b mail.Body) error {
				dl, err := to.Deliver(ctx, mail.Ref{Name: "Copy"}, m, b)
				if err != nil {
					return err
				}
				_, err = to.Commit(ctx, mail.Ref{Name: "Copy"}, []driver.Delivery{dl})
				return err
			})
		})
	}
	both.Wait()
	require.NoError(t, errors.Join(errs...))
}

func TestAServerThatTakesFewConnections(t *testing.T) {
	var signedIn atomic.Int64
	p := &imaptest.Proxy{Client: func(line string) string {
		tag, rest, _ := strings.Cut(line, " ")
		if strings.HasPrefix(rest, "AUTHENTICATE") && signedIn.Add(1) > 1 {
			return tag + " NO [LIMIT] too many connections"
		}
		return ""
	}}
	fill(t, proxied(t, imaptest.Options{}, p), 100)
	d := open(t, options(p.Addr(), "user", "secret"))
	var all sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		all.Go(func() {
			errs[i] = d.Bodies(t.Context(), inbox, uids(1, 100), func(_ mail.Meta, b mail.Body) error {
				_, err := io.Copy(io.Discard, b)
				return err
			})
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(errs...), "one connection is enough for everything")
}

func TestUIDsThatDoNotLast(t *testing.T) {
	p := &imaptest.Proxy{Server: func(line string) []string {
		if strings.Contains(line, "[UIDVALIDITY") {
			return []string{line, "* NO [UIDNOTSTICKY] they change"}
		}
		return []string{line}
	}}
	fill(t, proxied(t, imaptest.Options{}, p), 1)
	_, err := open(t, options(p.Addr(), "user", "secret")).Changes(t.Context(), inbox, "", nil)
	require.ErrorIs(t, err, fault.Unsupported)
}

func TestManyFoldersAtOnce(t *testing.T) {
	// More readers than connections: those beyond spool.
	s := memory(t, imaptest.Options{})
	fill(t, s.Account(""), 100)
	opts := options(s.Addr(), "user", "secret")
	opts.Connections = 2
	d := open(t, opts)
	var all sync.WaitGroup
	var read atomic.Int64
	for range 6 {
		all.Go(func() {
			_ = d.Bodies(t.Context(), inbox, uids(1, 100), func(_ mail.Meta, b mail.Body) error {
				read.Add(1)
				_, err := io.Copy(io.Discard, b)
				return err
			})
		})
	}
	all.Wait()
	require.EqualValues(t, 600, read.Load())
}
