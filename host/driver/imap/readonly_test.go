package imap_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// A store that is open for reading only sends nothing that could change the
// account, not even SELECT.
func TestReadOnlySendsNothingThatWrites(t *testing.T) {
	p := &imaptest.Proxy{}
	account := proxied(t, imaptest.Options{}, p)
	require.NoError(t, account.Fill())
	opts := options(p.Addr(), "user", "secret")
	opts.ReadOnly = true
	d := open(t, opts)
	ctx := t.Context()

	folders, err := d.Folders(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	read := 0
	for _, f := range folders {
		ref := mail.Ref{Name: f.Name, Epoch: f.Epoch}
		var keys mail.KeySet
		_, err := d.Changes(ctx, ref, "", func(metas []mail.Meta) error {
			for _, m := range metas {
				keys.Add(m.Key)
			}
			return nil
		})
		require.NoError(t, err)
		require.NoError(t, d.Describe(ctx, ref, keys, mail.WantHeader|mail.WantDate, func([]mail.Description) error { return nil }))
		require.NoError(t, d.Bodies(ctx, ref, keys, func(_ mail.Meta, b mail.Body) error {
			read++
			_, err := io.Copy(io.Discard, b)
			return err
		}))
		r, err := d.Reserve(ctx, ref, 0)
		require.NoError(t, err, "asking for UIDNEXT changes nothing")
		require.NotEmpty(t, r.Next)
		_, err = d.Deliver(ctx, ref, mail.Meta{}, mail.Body{Reader: strings.NewReader("a: b\n\n"), Size: 6, LineEnds: mail.LF})
		require.ErrorIs(t, err, fault.ReadOnly)
		_, err = d.Change(ctx, ref, []mail.Change{{Key: mail.UIDKey(1), Op: mail.ChangeRemove}})
		require.ErrorIs(t, err, fault.ReadOnly)
	}
	require.Positive(t, read)
	for _, err := range []error{d.CreateFolder(ctx, "New"), d.Subscribe(ctx, "INBOX"), d.RemoveFolder(ctx, "Drafts"), d.RenameFolder(ctx, "Drafts", "D")} {
		require.ErrorIs(t, err, fault.ReadOnly)
	}
	examined := false
	for _, line := range p.Commands() {
		if line == "" {
			continue // what follows on a literal
		}
		word, _, _ := strings.Cut(strings.TrimPrefix(line, "UID "), " ")
		require.Contains(t, []string{"CAPABILITY", "LOGIN", "AUTHENTICATE", "ENABLE", "NAMESPACE", "LIST", "STATUS", "EXAMINE", "FETCH", "SEARCH", "NOOP", "ID", "LOGOUT", "UNSELECT", "CLOSE"}, word, line)
		require.NotContains(t, strings.ToUpper(line), "BODY[", "content is fetched with BODY.PEEK")
		examined = examined || word == "EXAMINE"
	}
	require.True(t, examined)
}
