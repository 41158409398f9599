package imap_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/imap"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Subscriptions follow a folder that is renamed, and only its own: mail programs
// would not show it otherwise.
func TestRenameMovesSubscriptions(t *testing.T) {
	server := dovecot.Start(t)
	for name, without := range map[string][]string{"list-extended": nil, "lsub": {"LIST-EXTENDED", "LIST-STATUS"}} {
		t.Run(name, func(t *testing.T) {
			name := user(t, server)
			opts := options(server.Addr(), name, dovecot.Password)
			opts.Conn.Without = without
			d := open(t, opts)
			for _, folder := range []string{"Entwürfe", "Entwürfe/Alt & Neu", "Entwürfe/still", "Entwürfen"} {
				require.NoError(t, d.CreateFolder(t.Context(), folder))
				if !strings.HasSuffix(folder, "still") {
					require.NoError(t, d.Subscribe(t.Context(), folder))
				}
			}
			require.NoError(t, d.RenameFolder(t.Context(), "Entwürfe", "Ablage/März"))
			got := map[string]bool{}
			for _, f := range foldersOf(t, d) {
				got[f.Name] = f.Subscribed
			}
			require.Equal(t, map[string]bool{"INBOX": got["INBOX"], "Ablage": got["Ablage"], "Ablage/März": true,
				"Ablage/März/Alt & Neu": true, "Ablage/März/still": false, "Entwürfen": true}, got)
			door{addr: server.Addr(), user: name, password: dovecot.Password}.in(t, "", func(c *imapclient.Client) {
				subs := server.Doveadm(t, "mailbox", "list", "-s", "-u", name)
				require.NotContains(t, subs, "Entwürfe\n")
				require.Contains(t, subs, "Ablage/März")
			})
		})
	}
}

// A connection that has a folder selected when it is renamed does not take it for
// the next one of that name.
func TestRenameOfASelectedFolder(t *testing.T) {
	s := memory(t, imaptest.Options{})
	d := open(t, options(s.Addr(), "user", "secret"))
	require.NoError(t, d.CreateFolder(t.Context(), "Old"))
	old := mail.Ref{Name: "Old"}
	deliverText(t, d, old, "Subject: x\r\n\r\n")
	count := func() (n int) {
		require.NoError(t, d.Describe(t.Context(), old, mail.NewKeySet(mail.UIDKey(1)), mail.WantSize, func(ds []mail.Description) error {
			n += len(ds)
			return nil
		}))
		return n
	}
	require.Equal(t, 1, count())
	held, renamed := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- d.Bodies(t.Context(), old, mail.NewKeySet(mail.UIDKey(1)), func(mail.Meta, mail.Body) error {
			close(held)
			<-renamed
			return nil
		})
	}()
	<-held
	require.NoError(t, d.RenameFolder(t.Context(), "Old", "New"))
	require.NoError(t, d.CreateFolder(t.Context(), "Old"))
	close(renamed)
	require.NoError(t, <-done)
	for range 4 { // on whichever connection
		require.Zero(t, count())
	}
}

// A server that does not create parents, as the embedded one, gets them created;
// what refuses for good is not tried twice.
func TestRenameCreatesParents(t *testing.T) {
	s := memory(t, imaptest.Options{})
	d := open(t, options(s.Addr(), "user", "secret"))
	require.NoError(t, d.CreateFolder(t.Context(), "a"))
	renames := 0
	s.Hook(func(c imaptest.Command) error {
		if c.Name != "RENAME" {
			return nil
		}
		if renames++; renames == 1 {
			return imaptest.No("", "No such parent")
		}
		return nil
	})
	require.NoError(t, d.RenameFolder(t.Context(), "a", "x/y/a"))
	names := map[string]bool{}
	for _, f := range foldersOf(t, d) {
		names[f.Name] = true
	}
	require.Equal(t, map[string]bool{"INBOX": true, "x/y": true, "x/y/a": true}, names)
	require.Equal(t, 2, renames)
}

// MAILBOXID (RFC 8474) names a folder, asked for with the listing where the
// server answers that in one go, else with its status.
func TestMailboxIDs(t *testing.T) {
	for name, without := range map[string][]string{"list-status": nil, "status": {"LIST-STATUS"}, "ignored": {"OBJECTID"}} {
		t.Run(name, func(t *testing.T) {
			s := memory(t, imaptest.Options{})
			p := &imaptest.Proxy{Server: objectIDs, Client: answerMailboxIDs}
			startProxy(t, p, s.Addr())
			opts := options(p.Addr(), "user", "secret")
			opts.Conn.Without = without
			d := open(t, opts)
			for _, f := range foldersOf(t, d) {
				if name == "ignored" {
					require.Empty(t, f.ID)
				} else {
					require.Equal(t, "F-"+f.Name, f.ID)
				}
				require.Equal(t, "7", f.Epoch, "and everything else")
			}
		})
	}
}

// objectIDs makes the embedded server offer what it does not have.
func objectIDs(line string) []string {
	return []string{strings.Replace(line, "IMAP4rev1", "IMAP4rev1 OBJECTID LIST-EXTENDED LIST-STATUS", 1)}
}

// answerMailboxIDs answers for it.
func answerMailboxIDs(line string) string {
	tag, command, _ := strings.Cut(line, " ")
	items := "MESSAGES 0 UIDNEXT 1 UIDVALIDITY 7"
	status := func(name string) string {
		with := items
		if strings.Contains(command, "MAILBOXID") {
			with += " MAILBOXID (F-" + name + ")"
		}
		return `* STATUS "` + name + `" (` + with + ")\r\n"
	}
	switch {
	case strings.HasPrefix(command, `LIST "" "*"`):
		out := "* LIST () \"/\" \"INBOX\"\r\n* LIST () \"/\" \"a\"\r\n"
		if strings.Contains(command, "STATUS (") {
			out += status("INBOX") + status("a")
		}
		return out + tag + " OK\r\n"
	case strings.HasPrefix(command, "STATUS "):
		return status(strings.Split(command, `"`)[1]) + tag + " OK\r\n"
	}
	return ""
}

// A Dovecot tells the same under another name, unless it is not to be asked; a
// server that only says it is one is asked once.
func TestGUIDs(t *testing.T) {
	server := dovecot.Start(t)
	name := user(t, server)
	for _, without := range [][]string{nil, {"x-guid"}} {
		opts := options(server.Addr(), name, dovecot.Password)
		opts.Conn.Without = without
		d := open(t, opts)
		if without == nil {
			require.NoError(t, d.CreateFolder(t.Context(), "a"))
		}
		for _, f := range foldersOf(t, d) {
			require.Empty(t, f.ID, "to ask for all of them takes a server long")
			require.Equal(t, without == nil && f.Name != mail.Inbox, idOf(t, d, f.Name) != "")
		}
	}
	s := memory(t, imaptest.Options{})
	p := &imaptest.Proxy{Server: func(line string) []string {
		if strings.HasSuffix(line, "pretended") {
			return []string{`* ID ("name" "Dovecot")`, line}
		}
		return []string{strings.Replace(line, "IMAP4rev1", "IMAP4rev1 ID", 1)}
	}, Client: func(line string) string {
		tag, command, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(command, "ID "):
			return "* ID (\"name\" \"Dovecot\")\r\n" + tag + " OK pretended"
		case strings.Contains(command, "X-GUID"):
			return tag + " BAD Unknown status item"
		}
		return ""
	}}
	startProxy(t, p, s.Addr())
	d := open(t, options(p.Addr(), "user", "secret"))
	require.NoError(t, d.CreateFolder(t.Context(), "a"))
	for range 2 {
		require.Len(t, foldersOf(t, d), 2)
		require.Empty(t, idOf(t, d, "a"))
	}
	require.Equal(t, 1, strings.Count(strings.Join(p.Commands(), "\n"), "X-GUID"))
}

// idOf is the ID that a folder tells when it is read from the beginning.
func idOf(t *testing.T, d *imap.Driver, name string) string {
	t.Helper()
	res, err := d.Changes(t.Context(), mail.Ref{Name: name}, "", func([]mail.Meta) error { return nil })
	require.NoError(t, err)
	return res.ID
}

func foldersOf(t *testing.T, d *imap.Driver) []mail.Folder {
	t.Helper()
	folders, err := d.Folders(t.Context())
	require.NoError(t, err)
	return folders
}

// A folder whose name holds what no other store can hold is synced like any
// other, under a name in digits. (Dovecot shows control characters that are in
// names, and creates none with them.)
func TestFolderWithAnOddName(t *testing.T) {
	server := dovecot.Start(t)
	name := user(t, server)
	opts := options(server.Addr(), name, dovecot.Password)
	foldersOf(t, open(t, opts)) // Dovecot makes its folders
	dir := filepath.Join(server.HomeDir(name), "mail", ".bell&AAc-")
	for _, sub := range []string{"cur", "new", "tmp"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, sub), 0o700))
	}
	server.Own(t, dir)
	first, second := open(t, opts), open(t, opts)
	var names []string
	for _, f := range foldersOf(t, first) {
		names = append(names, f.Name)
		require.Empty(t, f.Fault)
	}
	require.Equal(t, []string{"INBOX", "bell%26AAc-"}, names)
	for i, d := range []*imap.Driver{first, second} { // the second has listed nothing
		ref := mail.Ref{Name: names[1]}
		require.NoError(t, d.CreateFolder(t.Context(), mail.Inbox))
		deliverText(t, d, ref, "Subject: x\r\n\r\n")
		res, err := d.Changes(t.Context(), ref, "", func([]mail.Meta) error { return nil })
		require.NoError(t, err)
		require.Equal(t, i+1, res.Present.Len())
	}
	require.ErrorIs(t, second.CreateFolder(t.Context(), "other%26AAc-"), fault.BadName)
	require.ErrorIs(t, first.RenameFolder(t.Context(), names[1], "other%26AAc-"), fault.BadName)
	require.NoError(t, first.RenameFolder(t.Context(), names[1], "fine"))
}

func deliverText(t *testing.T, d *imap.Driver, ref mail.Ref, text string) {
	t.Helper()
	_, err := d.Reserve(t.Context(), ref, 1)
	require.NoError(t, err)
	dl, err := d.Deliver(t.Context(), ref, mail.Meta{}, mail.Body{Reader: strings.NewReader(text), Size: int64(len(text)), LineEnds: mail.CRLF})
	require.NoError(t, err)
	placed, err := d.Commit(t.Context(), ref, []driver.Delivery{dl})
	require.NoError(t, err)
	require.NoError(t, placed[0].Err)
}
