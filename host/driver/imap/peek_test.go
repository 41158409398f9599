package imap_test

import (
	"slices"
	"strings"
	"testing"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/mail"
)

// another opens one more driver on an account, and notes what it sends.
func another(t *testing.T, mailbox door, trace *recorder, without ...string) *imap.Driver {
	t.Helper()
	opts := options(mailbox.addr, mailbox.user, mailbox.password)
	opts.Conn.Trace, opts.Conn.Without = trace.note, without
	return open(t, opts)
}

// A Dovecot opens its inbox much faster before it has listed its folders. What changed
// is read where it is open, once; a later reading begins with the counters of then.
func TestTheInboxIsOpenedBeforeTheListing(t *testing.T) {
	d, mailbox, trace := traced(t)
	_, first := changes(t, d, "")
	mailbox.setFlags(t, mail.Inbox, mail.NewFlags(`\Flagged`), 3)

	d = another(t, mailbox, trace)
	list, err := d.Folders(t.Context())
	require.NoError(t, err)
	names := trace.names()
	require.Equal(t, []string{"EXAMINE", "LIST"}, names[len(names)-2:])
	told, second := changes(t, d, first.Cursor)
	require.Equal(t, uids(3, 3), told)
	require.Equal(t, list[0].Cursor, second.Cursor)
	_, err = bodies(t, d, uids(3, 5))
	require.NoError(t, err)
	names = trace.names()
	require.NotContains(t, names, "SELECT")
	require.NotContains(t, names, "EXAMINE")

	mailbox.add(t, mail.Inbox, imaptest.SampleMessage(20, 300))
	told, _ = changes(t, d, second.Cursor)
	require.Equal(t, uids(21, 21), told)
	require.Contains(t, trace.names(), "SELECT")
}

// A server tells of a folder that is open what it knew when it was opened. A listing is
// of now all the same; also of a server that does not say it is a Dovecot.
func TestListingTellsOfNow(t *testing.T) {
	for _, without := range [][]string{nil, {"id"}} {
		_, mailbox, _ := traced(t)
		opts := options(mailbox.addr, mailbox.user, mailbox.password)
		opts.Conn.Without = without
		d := open(t, opts)
		var seen []mail.Cursor
		next := func() {
			t.Helper()
			list, err := d.Folders(t.Context())
			require.NoError(t, err)
			require.NotContains(t, seen, list[0].Cursor)
			seen = append(seen, list[0].Cursor)
		}
		next()
		for range 2 {
			mailbox.add(t, mail.Inbox, imaptest.SampleMessage(20, 300))
			next()
			mailbox.remove(t, mail.Inbox, uint32(len(seen)))
			next()
			changes(t, d, "") // selects it
		}
	}
}

// What a listing said of an inbox is no reason to take its messages for gone, or the
// folder for restored from a backup.
func TestNothingIsGoneOnTheWordOfAListing(t *testing.T) {
	d, mailbox, trace := traced(t)
	_, full := changes(t, d, "")
	list := func(without ...string) *imap.Driver {
		one := another(t, mailbox, trace, without...)
		_, err := one.Folders(t.Context())
		require.NoError(t, err)
		return one
	}
	early := list()
	mailbox.setFlags(t, mail.Inbox, mail.NewFlags(`\Flagged`), 3)
	_, later := changes(t, d, full.Cursor)
	_, res := changes(t, early, later.Cursor)
	require.False(t, res.Rewound)
	require.Equal(t, later.Cursor, res.Cursor)

	all := make([]uint32, 20)
	for i := range all {
		all[i] = uint32(i + 1)
	}
	mailbox.remove(t, mail.Inbox, all...)
	empty := list()
	mailbox.add(t, mail.Inbox, imaptest.SampleMessage(20, 300))
	told, res := changes(t, empty, full.Cursor)
	require.Equal(t, uids(21, 21), told)
	require.Equal(t, uids(1, 20), res.Gone)
	require.False(t, res.Complete)

	// Without QRESYNC who is not there is gone.
	plain := list("qresync")
	mailbox.add(t, mail.Inbox, imaptest.SampleMessage(21, 300))
	_, res = changes(t, plain, later.Cursor)
	require.True(t, res.Complete)
	require.Equal(t, uids(21, 22), res.Present)
}

// To list folders takes no \Recent away, and the inbox can be written to after it.
func TestTheInboxThatWasOpenedForReading(t *testing.T) {
	d, mailbox, trace := traced(t)
	_, err := d.Folders(t.Context())
	require.NoError(t, err)
	mailbox.in(t, mail.Inbox, func(c *imapclient.Client) {
		list, err := c.Fetch(goimap.SeqSet{{Start: 1}}, &goimap.FetchOptions{Flags: true}).Collect()
		require.NoError(t, err)
		require.Len(t, list, 20)
		for _, m := range list {
			require.Contains(t, m.Flags, goimap.Flag(`\Recent`))
		}
	})

	_, first := changes(t, d, "")
	d = another(t, mailbox, trace)
	_, err = d.Folders(t.Context())
	require.NoError(t, err)
	_, read := changes(t, d, first.Cursor)
	trace.commands()
	flags := mail.NewFlags(`\Flagged`, "work")
	ref := mail.Ref{Name: mail.Inbox, Epoch: read.Epoch}
	out, err := d.Change(t.Context(), ref, []mail.Change{{Key: mail.UIDKey(3), Op: mail.ChangeFlags, Add: flags}})
	require.NoError(t, err)
	require.NoError(t, out[0].Err)
	require.Equal(t, mail.Flags{}, out[0].Dropped)
	require.Equal(t, "SELECT", trace.names()[0])
	told, _ := changes(t, d, read.Cursor)
	require.Equal(t, uids(3, 3), told)
}

// What flags a folder keeps is told by SELECT only: a message is not delivered on the
// word of EXAMINE.
func TestDeliverToTheInboxThatWasOpenedForReading(t *testing.T) {
	d, mailbox, trace := traced(t)
	_, err := d.Folders(t.Context())
	require.NoError(t, err)
	// Another connection asks, since this one is busy.
	err = d.Bodies(t.Context(), inbox, uids(1, 1), func(mail.Meta, mail.Body) error {
		trace.commands()
		r, err := d.Reserve(t.Context(), inbox, 1)
		require.NoError(t, err)
		require.Equal(t, mail.UIDKey(21), r.Next)
		require.Contains(t, trace.names(), "SELECT")
		return nil
	})
	require.NoError(t, err)
	m := imaptest.SampleMessage(20, 300)
	m.Flags = mail.NewFlags(`\Seen`, "work")
	placed, err := deliver(t, d, inbox, m)
	require.NoError(t, err)
	require.NoError(t, placed[0].Err)
	mailbox.in(t, mail.Inbox, func(c *imapclient.Client) {
		list, err := c.Fetch(goimap.UIDSetNum(21), &goimap.FetchOptions{Flags: true}).Collect()
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(list[0].Flags, func(f goimap.Flag) bool { return strings.EqualFold(string(f), "work") }))
	})
}
