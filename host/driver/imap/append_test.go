package imap_test

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/imap"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// begin delivers messages and does not commit them.
func begin(t testing.TB, d *imap.Driver, ref mail.Ref, messages ...imaptest.Message) (mail.Ref, []driver.Delivery) {
	t.Helper()
	r, err := d.Reserve(t.Context(), ref, len(messages))
	require.NoError(t, err)
	ref.Epoch = r.Epoch
	var ds []driver.Delivery
	for _, m := range messages {
		body := mail.Body{Reader: bytes.NewReader(m.Content), Size: int64(len(m.Content)), LineEnds: mail.CRLF}
		dl, err := d.Deliver(t.Context(), ref, mail.Meta{Flags: m.Flags, Date: m.Date}, body)
		require.NoError(t, err)
		ds = append(ds, dl)
	}
	return ref, ds
}

// deliver delivers messages in one batch.
func deliver(t testing.TB, d *imap.Driver, ref mail.Ref, messages ...imaptest.Message) ([]mail.Placed, error) {
	t.Helper()
	ref, ds := begin(t, d, ref, messages...)
	return d.Commit(t.Context(), ref, ds)
}

func list(t testing.TB, a *imaptest.Account, folder string) []imaptest.Message {
	t.Helper()
	messages, err := a.List(folder)
	require.NoError(t, err)
	return messages
}

func TestAppendThatIsRefusedConcernsOneMessage(t *testing.T) {
	for name, without := range map[string][]string{"LITERAL+": nil, "waiting for leave": {"LITERAL+", "LITERAL-"}} {
		t.Run(name, func(t *testing.T) {
			s := memory(t, imaptest.Options{})
			var n atomic.Int64
			s.Hook(func(c imaptest.Command) error {
				if c.Name == "APPEND" && n.Add(1) == 2 {
					return imaptest.No("OVERQUOTA", "no room")
				}
				return nil
			})
			opts := options(s.Addr(), "user", "secret")
			opts.Conn.Without = without
			placed, err := deliver(t, open(t, opts), inbox, imaptest.SampleMessages(0, 4, 6000)...)
			require.NoError(t, err)
			require.ErrorIs(t, placed[1].Err, fault.Quota)
			require.Len(t, list(t, s.Account(""), mail.Inbox), 3)
			for _, i := range []int{0, 2, 3} {
				require.NoError(t, placed[i].Err)
				require.NotEmpty(t, placed[i].Key)
			}
		})
	}
}

func TestAServerThatRefusesBeforeTheLiteral(t *testing.T) {
	// The answer comes instead of leave to send: imapclient alone would die.
	p := &imaptest.Proxy{Client: func(line string) string {
		tag, rest, _ := strings.Cut(line, " ")
		if strings.HasPrefix(rest, "APPEND") && strings.Contains(rest, "TooMuch") {
			return tag + " NO [TRYCREATE] no such folder"
		}
		return ""
	}}
	a := proxied(t, imaptest.Options{Without: []string{"LITERAL+"}}, p)
	require.NoError(t, a.CreateFolder("TooMuch"))
	opts := options(p.Addr(), "user", "secret")
	opts.Conn.Without = []string{"LITERAL+", "LITERAL-"}
	d := open(t, opts)
	placed, err := deliver(t, d, mail.Ref{Name: "TooMuch"}, imaptest.SampleMessages(0, 2, 6000)...)
	require.NoError(t, err)
	for _, p := range placed {
		require.ErrorIs(t, p.Err, fault.NotFound)
	}
	placed, err = deliver(t, d, inbox, imaptest.SampleMessage(3, 100))
	require.NoError(t, err)
	require.NoError(t, placed[0].Err)
}

func TestConnectionDropsWithAppendsUnanswered(t *testing.T) {
	var answers atomic.Int64
	p := &imaptest.Proxy{Server: func(line string) []string {
		if strings.Contains(line, "APPENDUID") && answers.Add(1) > 2 {
			return nil
		}
		return []string{line}
	}}
	a := proxied(t, imaptest.Options{}, p)
	d := open(t, options(p.Addr(), "user", "secret"))
	r, err := d.Reserve(t.Context(), inbox, 4)
	require.NoError(t, err)
	ref := mail.Ref{Name: mail.Inbox, Epoch: r.Epoch}
	var ds []driver.Delivery
	for _, m := range imaptest.SampleMessages(0, 4, 300) {
		body := mail.Body{Reader: bytes.NewReader(m.Content), Size: int64(len(m.Content)), LineEnds: mail.CRLF}
		dl, err := d.Deliver(t.Context(), ref, mail.Meta{}, body)
		require.NoError(t, err)
		ds = append(ds, dl)
	}
	placed, err := d.Commit(t.Context(), ref, ds[:2])
	require.NoError(t, err)
	require.Equal(t, mail.UIDKey(1), placed[0].Key)
	require.Equal(t, mail.UIDKey(2), placed[1].Key)

	require.Eventually(t, func() bool { return answers.Load() == 4 }, 10*time.Second, time.Millisecond)
	p.Cut()
	_, err = d.Commit(t.Context(), ref, ds[2:])
	require.ErrorIs(t, err, fault.Network)
	require.True(t, fault.IsTemporary(err))

	// The store works on, and has sent none of them twice.
	now, err := d.Reserve(t.Context(), ref, 1)
	require.NoError(t, err)
	require.Equal(t, mail.UIDKey(5), now.Next)
	require.Len(t, list(t, a, mail.Inbox), 4)
}

func TestAFolderThatIsReplacedBetweenReserveAndCommit(t *testing.T) {
	s := memory(t, imaptest.Options{})
	a := s.Account("")
	require.NoError(t, a.CreateFolder("F"))
	d := open(t, options(s.Addr(), "user", "secret"))
	ref := mail.Ref{Name: "F"}
	r, err := d.Reserve(t.Context(), ref, 1)
	require.NoError(t, err)
	ref.Epoch = r.Epoch
	require.NoError(t, a.RemoveFolder("F"))
	require.NoError(t, a.CreateFolder("F"))
	m := imaptest.SampleMessage(1, 100)
	dl, err := d.Deliver(t.Context(), ref, mail.Meta{}, mail.Body{Reader: bytes.NewReader(m.Content), Size: int64(len(m.Content)), LineEnds: mail.CRLF})
	if err == nil {
		_, err = d.Commit(t.Context(), ref, []driver.Delivery{dl})
	}
	require.ErrorIs(t, err, fault.EpochChanged)
}

func TestWhatTheServerDoesNotTakeIsNotSent(t *testing.T) {
	s := memory(t, imaptest.Options{AppendLimit: 2000})
	d := open(t, options(s.Addr(), "user", "secret"))
	small, large := imaptest.SampleMessage(1, 500), imaptest.SampleMessage(2, 3000)
	small.Flags = mail.NewFlags(`\Seen`, "Work", "zé", "b]d")
	placed, err := deliver(t, d, inbox, small, large, imaptest.Message{})
	require.NoError(t, err)
	require.True(t, placed[0].Flags.Equal(mail.NewFlags(`\Seen`, "Work")))
	require.ErrorIs(t, placed[1].Err, fault.Refused)
	require.ErrorIs(t, placed[2].Err, fault.Refused)
	for _, p := range placed[1:] {
		require.True(t, fault.IsFinal(p.Err), "%v", p.Err)
	}
	there := list(t, s.Account(""), mail.Inbox)
	require.Len(t, there, 1)
	require.True(t, there[0].Flags.Equal(mail.NewFlags(`\Seen`, "Work")))
	require.True(t, there[0].Date.Equal(small.Date))
}
