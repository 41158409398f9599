package imap_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/imap"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// crowded is a Dovecot in which a user may have so many messages. Where more come
// in one APPEND it takes none of them.
func crowded(t *testing.T, messages int) *dovecot.Server {
	return dovecot.Start(t, dovecot.Config(fmt.Sprintf(`protocol imap {
  mail_plugins = zlib imap_zlib quota imap_quota
}
plugin {
  quota = count:all
  quota_vsizes = yes
  quota_rule = *:messages=%d
}`, messages)))
}

// through opens the mail of a new user by way of a proxy.
func through(t *testing.T, s *dovecot.Server, p *imaptest.Proxy) (*imap.Driver, door) {
	name := user(t, s)
	startProxy(t, p, s.Addr())
	opts := options(p.Addr(), name, dovecot.Password)
	opts.Connections = 1
	return open(t, opts), door{addr: s.Addr(), user: name, password: dovecot.Password}
}

// appends counts the APPENDs among the lines of a client.
func appends(p *imaptest.Proxy) (n int) {
	for _, c := range p.Commands() {
		if strings.HasPrefix(c, "APPEND") {
			n++
		}
	}
	return n
}

// requireThere fails unless a folder has these messages under these keys, and no
// others.
func requireThere(t *testing.T, d *imap.Driver, placed []mail.Placed, messages []imaptest.Message) {
	t.Helper()
	var keys mail.KeySet
	want := map[mail.Key]imaptest.Message{}
	for i, p := range placed {
		if p.Err == nil {
			require.NotEmpty(t, p.Key, "message %d", i)
			want[p.Key] = messages[i]
		}
	}
	_, err := d.Changes(t.Context(), inbox, "", func(ms []mail.Meta) error {
		for _, m := range ms {
			keys.Add(m.Key)
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, len(want), keys.Len())
	require.NoError(t, d.Bodies(t.Context(), inbox, keys, func(m mail.Meta, body mail.Body) error {
		var got bytes.Buffer
		_, err := got.ReadFrom(body)
		require.NoError(t, err)
		require.Equal(t, string(want[m.Key].Content), got.String())
		require.True(t, want[m.Key].Date.Equal(m.Date), "%s became %s", want[m.Key].Date, m.Date)
		require.True(t, want[m.Key].Flags.Equal(m.Flags), "%v became %v", want[m.Key].Flags, m.Flags)
		delete(want, m.Key)
		return nil
	}))
	require.Empty(t, want)
}

// samples are messages of all sizes: most wait for others, some are streamed.
func samples(n int) []imaptest.Message {
	list := imaptest.SampleMessages(0, n, 700)
	for i := range list {
		switch i % 37 {
		case 11:
			list[i] = imaptest.SampleMessage(i, 150<<10)
		case 12:
			list[i] = imaptest.SampleMessage(i, 60<<10)
		}
		list[i].Flags = [...]mail.Flags{{}, mail.NewFlags(`\Seen`), mail.NewFlags(`\Flagged`, "work")}[i%3]
		list[i].Date = time.Unix(1_700_000_000+int64(i), 0)
	}
	return list
}

func TestSeveralInOneAppend(t *testing.T) {
	p := &imaptest.Proxy{}
	d, _ := through(t, dovecot.Start(t), p)
	messages := samples(500)
	ref, ds := begin(t, d, inbox, messages...)
	placed, err := d.Commit(t.Context(), ref, ds)
	require.NoError(t, err)
	for i, one := range placed {
		require.NoError(t, one.Err)
		require.Equal(t, mail.UIDKey(uint32(i+1)), one.Key, "they come in the order in which they were delivered")
	}
	require.Less(t, appends(p), len(messages)/2+20, "how many go together depends on how fast the server is")
	requireThere(t, d, placed, messages)
}

// TestRefusedTogether: what the server refuses as one is sent one by one, and only
// what is refused then is.
func TestRefusedTogether(t *testing.T) {
	p := &imaptest.Proxy{}
	d, _ := through(t, crowded(t, 5), p)
	messages := imaptest.SampleMessages(0, 8, 300)
	ref, ds := begin(t, d, inbox, messages...)
	placed, err := d.Commit(t.Context(), ref, ds)
	require.NoError(t, err)
	for i, one := range placed {
		if i < 5 {
			require.NoError(t, one.Err)
		} else {
			require.ErrorIs(t, one.Err, fault.Quota)
		}
	}
	require.Equal(t, 1+8, appends(p))
	requireThere(t, d, placed, messages)
}

// TestRefusedTogetherAndSomethingCame: nobody knows whether it was a part of what
// was refused, so nothing is sent again.
func TestRefusedTogetherAndSomethingCame(t *testing.T) {
	p := &imaptest.Proxy{}
	d, mailbox := through(t, crowded(t, 5), p)
	ref, ds := begin(t, d, inbox, imaptest.SampleMessages(0, 8, 300)...)
	mailbox.add(t, mail.Inbox, imaptest.SampleMessage(99, 300))
	placed, err := d.Commit(t.Context(), ref, ds)
	require.NoError(t, err)
	for _, one := range placed {
		require.ErrorIs(t, one.Err, fault.Protocol)
		require.True(t, fault.IsTemporary(one.Err))
	}
	require.Equal(t, 1, appends(p))

	// From here on it is known again what is there.
	more := imaptest.SampleMessages(100, 5, 300)
	ref, ds = begin(t, d, inbox, more...)
	placed, err = d.Commit(t.Context(), ref, ds)
	require.NoError(t, err)
	for i, one := range placed {
		require.Equal(t, i < 4, one.Err == nil, "%v", one.Err)
	}
}

// TestServerThatCannotDoIt says that it can, and answers BAD.
func TestServerThatCannotDoIt(t *testing.T) {
	special := imaptest.SampleMessage(99, 5000)
	p := &imaptest.Proxy{}
	p.Client = func(line string) string {
		tag, rest, _ := strings.Cut(line, " ")
		if strings.HasPrefix(rest, "APPEND") && strings.HasSuffix(rest, fmt.Sprintf("{%d+}", len(special.Content))) {
			return tag + " BAD too many arguments"
		}
		return ""
	}
	d, _ := through(t, dovecot.Start(t), p)
	var placed []mail.Placed
	messages := append([]imaptest.Message{special}, imaptest.SampleMessages(0, 8, 300)...)
	ref, ds := begin(t, d, inbox, messages[1], messages[2], messages[3])
	first, err := d.Commit(t.Context(), ref, ds)
	require.NoError(t, err)
	require.Equal(t, 1, appends(p))
	ref, ds = begin(t, d, inbox, messages[0], messages[4], messages[5])
	second, err := d.Commit(t.Context(), ref, ds)
	require.NoError(t, err)
	require.Error(t, second[0].Err, "also by itself")
	require.Equal(t, 1+3, appends(p))
	ref, ds = begin(t, d, inbox, messages[6:]...)
	third, err := d.Commit(t.Context(), ref, ds)
	require.NoError(t, err)
	require.Equal(t, 3, appends(p), "it is not tried again")
	placed = append(append(append(append(placed, second[0]), first...), second[1:]...), third...)
	requireThere(t, d, placed, messages)
}

// TestServerThatIsToBeLeftAlone: a refusal for now is told of each message, and none
// is sent again.
func TestServerThatIsToBeLeftAlone(t *testing.T) {
	p := &imaptest.Proxy{}
	p.Client = func(line string) string {
		tag, rest, _ := strings.Cut(line, " ")
		if strings.HasPrefix(rest, "APPEND") {
			return tag + " NO [UNAVAILABLE] later"
		}
		return ""
	}
	d, _ := through(t, dovecot.Start(t), p)
	placed, err := deliver(t, d, inbox, imaptest.SampleMessages(0, 8, 300)...)
	require.NoError(t, err)
	for _, one := range placed {
		require.ErrorIs(t, one.Err, fault.Busy)
		require.True(t, fault.IsTemporary(one.Err))
	}
	require.Equal(t, 1, appends(p))
}

func TestWhatIsAbortedIsNotSent(t *testing.T) {
	p := &imaptest.Proxy{}
	d, _ := through(t, dovecot.Start(t), p)
	messages := imaptest.SampleMessages(0, 6, 300)
	ref, ds := begin(t, d, inbox, messages...)
	ds[0].Abort()
	ds[3].Abort()
	placed, err := d.Commit(t.Context(), ref, []driver.Delivery{ds[1], ds[2], ds[4], ds[5]})
	require.NoError(t, err)
	requireThere(t, d, placed, []imaptest.Message{messages[1], messages[2], messages[4], messages[5]})
	require.Equal(t, 1, appends(p))

	_, ds = begin(t, d, inbox, messages[0])
	ds[0].Abort()
	require.Zero(t, appends(p))
}

// TestAbortedIsNotSentAgain: after a refusal, what nobody wants any more is left out.
func TestAbortedIsNotSentAgain(t *testing.T) {
	p := &imaptest.Proxy{}
	d, _ := through(t, crowded(t, 5), p)
	messages := imaptest.SampleMessages(0, 12, 300)
	ref, ds := begin(t, d, inbox, messages...) // ten are on their way
	for _, dl := range ds[3:] {
		dl.Abort()
	}
	placed, err := d.Commit(t.Context(), ref, ds[:3])
	require.NoError(t, err)
	requireThere(t, d, placed, messages[:3])
	require.Equal(t, 1+3, appends(p))
}

// TestRefusedTogetherBesideALargeOne: that one is on its way when the others are
// refused, and is waited for before it is seen to that nothing else came.
func TestRefusedTogetherBesideALargeOne(t *testing.T) {
	p := &imaptest.Proxy{}
	d, _ := through(t, crowded(t, 5), p)
	messages := append(imaptest.SampleMessages(0, 6, 300), imaptest.SampleMessage(6, 200<<10))
	ref, ds := begin(t, d, inbox, messages...)
	placed, err := d.Commit(t.Context(), ref, ds)
	require.NoError(t, err)
	for i, one := range placed {
		require.Equal(t, i < 4 || i == 6, one.Err == nil, "%d: %v", i, one.Err)
	}
	requireThere(t, d, placed, messages)
}

// TestBatchesOverlap: while one batch is committed, the next is delivered, and they
// may go in one command.
func TestBatchesOverlap(t *testing.T) {
	p := &imaptest.Proxy{Delay: time.Millisecond}
	d, _ := through(t, dovecot.Start(t), p)
	messages := imaptest.SampleMessages(0, 1500, 100)
	r, err := d.Reserve(t.Context(), inbox, len(messages))
	require.NoError(t, err)
	ref := mail.Ref{Name: mail.Inbox, Epoch: r.Epoch}
	var group errgroup.Group
	batches := make(chan []driver.Delivery)
	var placed []mail.Placed
	group.Go(func() error {
		for ds := range batches {
			some, err := d.Commit(t.Context(), ref, ds)
			if err != nil {
				return err
			}
			placed = append(placed, some...)
		}
		return nil
	})
	for batch := range slices.Chunk(messages, 37) {
		var ds []driver.Delivery
		for _, m := range batch {
			body := mail.Body{Reader: bytes.NewReader(m.Content), Size: int64(len(m.Content)), LineEnds: mail.CRLF}
			dl, err := d.Deliver(t.Context(), ref, mail.Meta{Flags: m.Flags, Date: m.Date}, body)
			require.NoError(t, err)
			ds = append(ds, dl)
		}
		batches <- ds
	}
	close(batches)
	require.NoError(t, group.Wait())
	requireThere(t, d, placed, messages)
}

// TestSeveralUnanswered: what may have arrived is not sent again by the driver.
func TestSeveralUnanswered(t *testing.T) {
	var answers atomic.Int64
	p := &imaptest.Proxy{}
	p.Server = func(line string) []string {
		if strings.Contains(line, "APPENDUID") && answers.Add(1) == 1 {
			return nil
		}
		return []string{line}
	}
	d, _ := through(t, dovecot.Start(t), p)
	ref, ds := begin(t, d, inbox, imaptest.SampleMessages(0, 12, 300)...) // ten are on their way
	require.Eventually(t, func() bool { return answers.Load() == 1 }, 10*time.Second, time.Millisecond)
	p.Cut()
	_, err := d.Commit(t.Context(), ref, ds)
	require.ErrorIs(t, err, fault.Network)
	require.True(t, fault.IsTemporary(err))
	require.LessOrEqual(t, appends(p), 2)
	now, err := d.Reserve(t.Context(), inbox, 1)
	require.NoError(t, err)
	require.Contains(t, []mail.Key{mail.UIDKey(11), mail.UIDKey(13)}, now.Next, "none is there twice")

	// What a connection did not outlast is not tried again.
	p.Commands()
	ref, ds = begin(t, d, inbox, imaptest.SampleMessages(300, 3, 300)...)
	_, err = d.Commit(t.Context(), ref, ds)
	require.NoError(t, err)
	require.Equal(t, 3, appends(p))
}
