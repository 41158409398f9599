package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// withQuota makes a Dovecot take so much mail for each user, and no larger
// messages than so.
func withQuota(t *testing.T, storage, message string) *dovecot.Server {
	return dovecot.Start(t, dovecot.Config(fmt.Sprintf(`mail_plugins = $mail_plugins quota
protocol imap {
  mail_plugins = $mail_plugins quota imap_quota imap_zlib
}
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=%s
  quota_grace = 0
  quota_max_mail_size = %s
}
`, storage, message)))
}

// nearMail puts messages into a Maildir, as a mail reader would.
func nearMail(t *testing.T, near string, sizes map[string]int) {
	makeMaildir(t, filepath.Join(near, "INBOX"))
	for name, size := range sizes {
		body := fmt.Appendf(nil, "Message-ID: <%s@near>\nSubject: %s\n\n", name, name)
		body = append(body, bytes.Repeat([]byte("0123456789 0123456789 0123456789 0123456789 012345678901\n"), size/57+1)...)
		require.NoError(t, os.WriteFile(filepath.Join(near, "INBOX/cur/"+name+".near.host:2,S"), body, 0o600))
	}
}

// A message that a real server finds too large is set aside, and sent again only
// when it has changed.
func TestTooLargeForDovecot(t *testing.T) {
	srv := withQuota(t, "100M", "60k")
	srv.AddUser(t, "large")
	p := &imaptest.Proxy{Target: srv.Addr()}
	require.NoError(t, p.Start(t.Context()))
	t.Cleanup(func() { _ = p.Close() })
	home := t.TempDir()
	near := filepath.Join(home, "near")
	file := write(t, home, "me.lua", account1(imapStore(p.Addr(), "large", dovecot.Password, ""), maildirStore(near), ""))
	nearMail(t, near, map[string]int{"1600000001": 1000, "1600000002": 100_000, "1600000003": 1000})
	appends := func() (n int) {
		for _, c := range p.Commands() {
			if strings.HasPrefix(c, "APPEND") {
				n++
			}
		}
		return n
	}
	r := run(t, home, "sync", file)
	require.Equal(t, 3, r.code, r.out+r.err)
	require.Contains(t, r.err, "1600000002.near.host")
	require.Contains(t, r.err, "[LIMIT]")
	require.Contains(t, r.out, "2 pushed, 1 REFUSED")
	require.Equal(t, 3, appends())

	r = run(t, home, "sync", file, "--json")
	require.Equal(t, 3, r.code)
	require.Zero(t, appends(), "it was sent again")
	var doc struct {
		Accounts []struct {
			Report struct {
				Refused  int
				SetAside []struct{ Folder, Side, Key, Note string } `json:"set_aside"`
				Notes    []struct{ Text string }
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.out), &doc), r.out)
	report := doc.Accounts[0].Report
	require.Equal(t, 1, report.Refused)
	require.Equal(t, "1600000002.near.host", report.SetAside[0].Key)
	require.Contains(t, report.SetAside[0].Note, "[LIMIT]")
	require.Contains(t, report.Notes[0].Text, "1600000002.near.host")

	path := filepath.Join(near, "INBOX/cur/1600000002.near.host:2,")
	require.NoError(t, os.Rename(path+"S", path+"FS"))
	require.Equal(t, 3, run(t, home, "sync", file).code)
	require.Equal(t, 1, appends(), "its flags have changed")
	require.Equal(t, 3, run(t, home, "sync", file).code)
	require.Zero(t, appends())
	_, err := os.Stat(path + "FS")
	require.NoError(t, err, "it stays where it is")

	// Where the limit is known beforehand nothing is sent at all.
	require.NoError(t, os.WriteFile(file, []byte(account1(imapStore(p.Addr(), "large", dovecot.Password, `, max_append = "50k"`), maildirStore(near), "")), 0o600))
	r = run(t, home, "sync", file)
	require.Equal(t, 3, r.code)
	require.Contains(t, r.err, "the server takes 51200")
	require.Zero(t, appends())
	require.NoError(t, os.Remove(path+"FS"))
	ok(t, home, "sync", file)
}

// A full mailbox is nobody's fault: what does not fit is not set aside, and
// comes with the next run that finds room.
func TestOverQuotaAtDovecot(t *testing.T) {
	srv := withQuota(t, "300k", "0")
	srv.AddUser(t, "full")
	home := t.TempDir()
	near := filepath.Join(home, "near")
	file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "full", dovecot.Password, ""), maildirStore(near),
		"  push = { \"new\" },\n"))
	client := dialRaw(t, srv.Addr(), "full", dovecot.Password)
	t.Cleanup(client.close)
	client.append("INBOX", "", "", append([]byte("Subject: in the way\r\n\r\n"), bytes.Repeat([]byte("x"), 200_000)...))
	sizes := map[string]int{}
	for i := range 8 {
		sizes[fmt.Sprintf("160000000%d", i)] = 30_000
	}
	nearMail(t, near, sizes)
	r := run(t, home, "sync", file)
	require.Equal(t, 3, r.code, r.out+r.err)
	require.Contains(t, r.err, "OVERQUOTA")
	require.NotContains(t, r.out, "REFUSED")
	some := client.snapshot().messages() - 1
	require.Greater(t, some, 0)
	require.Less(t, some, 8)
	require.Equal(t, 3, run(t, home, "sync", file).code)
	client.cmd("SELECT INBOX")
	client.cmd(`STORE 1 +FLAGS (\Deleted)`)
	client.cmd("EXPUNGE")
	ok(t, home, "sync", file)
	require.Equal(t, 8, client.snapshot().messages())
}

// An empty message cannot be sent: it is told, with the reason, and once it is
// not empty any more it goes.
func TestEmptyMessageIsSetAside(t *testing.T) {
	srv, far := embedded(t, imaptest.Options{}, 0)
	home := t.TempDir()
	near := filepath.Join(home, "near")
	file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "user", "secret", ""), maildirStore(near), ""))
	nearMail(t, near, map[string]int{"1600000001": 100})
	path := filepath.Join(near, "INBOX/new/1600000002.near.host")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	for range 3 {
		r := run(t, home, "sync", file)
		require.Equal(t, 3, r.code)
		require.Contains(t, r.err, "1600000002.near.host")
		require.Contains(t, r.err, "an empty message cannot be sent")
	}
	list, err := far.List("INBOX")
	require.NoError(t, err)
	require.Len(t, list, 1)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Size(), "it stays where it is")
	require.NoError(t, os.Remove(path))
	ok(t, home, "sync", file)
}
