package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// foreignTool returns a command that runs another tool with a home of its own.
// Without the tool the test is skipped, or fails where servers are required.
func foreignTool(t testing.TB, home, name string) func(args ...string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv(dovecot.RequireEnv) == "1" {
			t.Fatalf("%s=1, but there is no %s", dovecot.RequireEnv, name)
		}
		t.Skipf("this test needs %s", name)
	}
	return func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home+"/.config", "XDG_STATE_HOME="+home+"/.state", "XDG_DATA_HOME="+home+"/.data")
		cmd.Dir = home
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s %v\n%s", name, args, out)
		return string(out)
	}
}

// adoptable fills an account with mail of all kinds of flags.
func adoptable(t testing.TB, srv *dovecot.Server, user string) *rawIMAP {
	srv.AddUser(t, user)
	client := dialRaw(t, srv.Addr(), user, dovecot.Password)
	t.Cleanup(client.close)
	flags := []string{``, `\Seen`, `\Flagged`, `\Seen \Answered`, `\Draft`}
	n := 0
	for _, folder := range []string{"INBOX", "Archive", "Archive/2024", "R&AOk-unions"} {
		if folder != "INBOX" {
			client.cmd("CREATE %s", quoted(folder))
		}
		for range 30 {
			n++
			id := fmt.Sprintf("Message-ID: <%d@adopt.example>\r\n", n)
			if n%10 == 3 {
				id = ""
			}
			body := fmt.Sprintf("From: a@example.org\r\nDate: Mon, 1 Jan 2024 00:%02d:%02d +0000\r\n%sSubject: number %d\r\n\r\n%s",
				n/60, n%60, id, n, strings.Repeat(fmt.Sprintf("line of %d\r\n", n), n%17+1))
			client.append(folder, flags[n%len(flags)], arrival(n), []byte(body))
		}
	}
	return client
}

var bodyLiteral = regexp.MustCompile(`(?:BODY\[\]|BINARY\[\]|BODY\[TEXT\]|RFC822|APPEND .*)(?:<\d+>)? ?(?:\([^)]*\) )?(?:"[^"]*" )?~?\{(\d+)\+?\}`)

// bodyBytes adds up what of message bodies has crossed a proxy since the last
// call, either way.
func bodyBytes(p *imaptest.Proxy) int {
	sum := 0
	for _, line := range p.Trace() {
		if m := bodyLiteral.FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[1])
			sum += n
		}
	}
	return sum
}

// watched puts a proxy before a server, and returns the far side of an account
// behind it.
func watched(t testing.TB, srv *dovecot.Server, user string) (*imaptest.Proxy, string) {
	p := &imaptest.Proxy{Target: srv.Addr()}
	require.NoError(t, p.Start(t.Context()))
	t.Cleanup(func() { _ = p.Close() })
	return p, imapStore(p.Addr(), user, dovecot.Password, "")
}

// requireAdopted insists that a sync after an import transfers no body, changes
// nothing on either side, and that both are in step from then on.
func requireAdopted(t *testing.T, home, file, near string, client *rawIMAP, proxy *imaptest.Proxy) {
	t.Helper()
	far := client.snapshotBy(untagged)
	require.Equal(t, far, readForeign(t, near), "the other tool has left both sides in step")
	before, status := files(t, near), client.stable()
	proxy.Trace()
	for range 2 {
		r := ok(t, home, "sync", file)
		require.Contains(t, r.out, "nothing to do")
		require.Zero(t, bodyBytes(proxy), "bodies were transferred")
		require.Equal(t, before, files(t, near), "the sync changed the Maildir")
		require.Equal(t, status, client.stable(), "the sync changed the server")
	}
	r := ok(t, home, "state", "check", file)
	require.NotContains(t, r.out, "new")

	// From here on it is an account like any other.
	client.cmd("SELECT INBOX")
	client.cmd(`UID STORE 3 +FLAGS.SILENT (\Flagged \Answered)`)
	client.cmd(`UID STORE 4 +FLAGS.SILENT (\Deleted)`)
	client.cmd("UID EXPUNGE 4")
	removed, err := filepath.Glob(filepath.Join(near, "INBOX", "*", "*,U=5*"))
	require.NoError(t, err)
	require.Len(t, removed, 1)
	require.NoError(t, os.Remove(removed[0]))
	r = ok(t, home, "sync", file)
	require.Contains(t, r.out, "1 flags changed, 1 removed here, 1 removed there")
	require.Equal(t, client.snapshotBy(untagged), readForeign(t, near))
	require.Equal(t, far.messages()-2, client.snapshotBy(untagged).messages())
}

// quiet waits until the times in a Maildir are old enough for everybody who goes
// by them.
func quiet() { time.Sleep(1100 * time.Millisecond) }

const mbsyncrc = `IMAPAccount a
Host %s
Port %s
User %s
Pass %s
SSLType None

IMAPStore far
Account a

MaildirStore near
%s

Channel c
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
CopyArrivalDate yes
%s
`

func TestAdoptFromMbsync(t *testing.T) {
	srv := dovecot.Start(t)
	tests := map[string]struct{ store, channel, near string }{
		"state in the folders": {"Path ~/Mail/\nInbox ~/Mail/INBOX\nSubFolders Verbatim", "SyncState *",
			`api.maildir { path = "~/Mail", encoding = "utf7" }`},
		"state in a folder": {"Path ~/Mail/\nInbox ~/Mail/INBOX\nSubFolders Verbatim", "Sync All",
			`api.maildir { path = "~/Mail", encoding = "utf7" }`},
		"legacy": {"Path ~/Mail/\nInbox ~/Mail/INBOX\nSubFolders Legacy", "SyncState ~/.mbsync/work-",
			`api.maildir { path = "~/Mail", subfolders = "legacy", encoding = "utf7" }`},
		"flattened": {"Path ~/Mail/\nInbox ~/Mail/INBOX\nFlatten .", "Sync All",
			`api.maildir { path = "~/Mail", separator = ".", encoding = "utf7" }`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			mbsync := foreignTool(t, home, "mbsync")
			user := strings.ReplaceAll(name, " ", "")
			client := adoptable(t, srv, user)
			host, port, _ := strings.Cut(srv.Addr(), ":")
			rc := write(t, home, "mbsyncrc", fmt.Sprintf(mbsyncrc, host, port, user, dovecot.Password, test.store, test.channel))
			near := filepath.Join(home, "Mail")
			require.NoError(t, os.MkdirAll(near, 0o700))
			mbsync("-c", rc, "-a")
			// A life: mail of the user's own, removals and flags on both sides.
			quiet()
			own := filepath.Join(near, "INBOX")
			for i := range 3 {
				body := fmt.Appendf(nil, "Message-ID: <own%d@adopt.example>\nSubject: own\n\nown\n", i)
				store(t, own, fmt.Sprintf("17000000%02d.1.host", i), "S", body, time.Unix(1_700_000_000, 0))
			}
			gone, err := filepath.Glob(filepath.Join(own, "*", "*,U=7:2,*"))
			require.NoError(t, err)
			require.NoError(t, os.Remove(gone[0]))
			client.cmd("SELECT INBOX")
			client.cmd(`UID STORE 9:12 +FLAGS.SILENT (\Flagged)`)
			client.cmd(`UID STORE 14 +FLAGS.SILENT (\Deleted)`)
			client.cmd("UID EXPUNGE 14")
			mbsync("-c", rc, "-a")
			quiet()
			mbsync("-c", rc, "-a")

			proxy, far := watched(t, srv, user)
			file := write(t, home, "init.lua", account1(far, test.near, ""))
			before := files(t, near)
			r := ok(t, home, "state", "import", "--from", "mbsync", file)
			require.Contains(t, r.out, "me/INBOX: 31 messages taken over\n", "%s%s", r.out, r.err)
			require.Contains(t, r.out, "me/Archive/2024: 30 messages taken over\n", "%s%s", r.out, r.err)
			require.Contains(t, r.out, "me/Réunions: 30 messages taken over\n", "%s%s", r.out, r.err)
			require.Zero(t, bodyBytes(proxy))
			require.Equal(t, before, files(t, near))

			r = run(t, home, "state", "import", "--from", "mbsync", file)
			require.Equal(t, 1, r.code)
			require.Contains(t, r.err, "the state knows messages already")
			if test.channel == "SyncState *" || name == "flattened" {
				ok(t, home, "state", "import", "--from", "mbsync", "--force", file)
			}
			requireAdopted(t, home, file, near, client, proxy)
		})
	}
}

// readForeign reads a Maildir of another tool, in any of its layouts: folders by
// their IMAP names, messages without the header line that mbsync adds.
func readForeign(t testing.TB, root string) mailbox {
	box := mailbox{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || d.Name() != "cur" {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		require.NoError(t, err)
		name := strings.Trim(strings.NewReplacer("/.", "/", ".", "/").Replace(fromUTF7(filepath.ToSlash(dir))), "/")
		box[name] = bag{}
		for _, sub := range []string{"new", "cur"} {
			entries, err := os.ReadDir(filepath.Join(filepath.Dir(path), sub))
			require.NoError(t, err)
			for _, e := range entries {
				body, err := os.ReadFile(filepath.Join(filepath.Dir(path), sub, e.Name()))
				require.NoError(t, err)
				_, info, _ := strings.Cut(e.Name(), ":2,")
				flags := strings.Split(info, "")
				slices.Sort(flags)
				box[name][untagged(body)+" "+strings.Join(flags, "")]++
			}
		}
		return fs.SkipDir
	})
	require.NoError(t, err)
	return box
}

var tuid = regexp.MustCompile(`(?m)^X-TUID: .*\n`)

func untagged(body []byte) string { return digest(tuid.ReplaceAll(body, nil)) }

// What mbsync left out for its age or size stays out, where the account says the
// same; a placeholder of its becomes the message when it is flagged.
func TestAdoptWhatMbsyncLeftOut(t *testing.T) {
	srv := dovecot.Start(t)
	home := t.TempDir()
	mbsync := foreignTool(t, home, "mbsync")
	srv.AddUser(t, "limits")
	client := dialRaw(t, srv.Addr(), "limits", dovecot.Password)
	defer client.close()
	for n := range 40 {
		size := 100
		if n%8 == 7 {
			size = 30_000
		}
		body := fmt.Sprintf("Message-ID: <%d@limits.example>\r\nSubject: number %d\r\n\r\n%s", n, n, strings.Repeat("a line\r\n", size/8))
		client.append("INBOX", `\Seen`, arrival(n), []byte(body))
	}
	host, port, _ := strings.Cut(srv.Addr(), ":")
	limits := "SyncState *\nMaxMessages 20\nMaxSize 10k\nExpireUnread yes"
	rc := write(t, home, "mbsyncrc", fmt.Sprintf(mbsyncrc, host, port, "limits", dovecot.Password, "Path ~/Mail/\nInbox ~/Mail/INBOX\nSubFolders Verbatim", limits))
	near := filepath.Join(home, "Mail")
	require.NoError(t, os.MkdirAll(near, 0o700))
	mbsync("-c", rc, "-a")
	for n := range 5 {
		body := fmt.Sprintf("Message-ID: <later%d@limits.example>\r\nSubject: later\r\n\r\nlater\r\n", n)
		client.append("INBOX", `\Seen`, arrival(100+n), []byte(body))
	}
	quiet()
	mbsync("-c", rc, "-a")
	quiet()
	mbsync("-c", rc, "-a")
	require.Equal(t, 20, len(files(t, near)))

	proxy, far := watched(t, srv, "limits")
	file := write(t, home, "init.lua", account1(far, `api.maildir { path = "~/Mail", encoding = "utf7" }`,
		"  max_messages = 20, expire_unread = true, max_size = \"10k\",\n"))
	before, status := files(t, near), client.stable()
	r := ok(t, home, "state", "import", "--from", "mbsync", file)
	require.Contains(t, r.out, "20 messages taken over, 2 of them placeholders, 25 expired\n", r.err)
	for range 2 {
		r = ok(t, home, "sync", file)
		require.Contains(t, r.out, "nothing to do")
		require.Zero(t, bodyBytes(proxy))
		require.Equal(t, before, files(t, near))
		require.Equal(t, status, client.stable())
	}

	client.cmd("SELECT INBOX")
	client.cmd(`UID STORE 40 +FLAGS.SILENT (\Flagged)`)
	ok(t, home, "sync", file)
	require.NotZero(t, bodyBytes(proxy))
	large := 0
	for _, f := range readForeign(t, near)["INBOX"] {
		large += f
	}
	require.Equal(t, 20, large)
	var whole []string
	require.NoError(t, filepath.WalkDir(near, func(path string, d fs.DirEntry, err error) error {
		if info, infoErr := d.Info(); infoErr == nil && info.Size() > 20_000 {
			whole = append(whole, path)
		}
		return err
	}))
	require.Len(t, whole, 1, "the message has taken the place of its placeholder")
	require.Equal(t, 45, client.snapshot().messages(), "nothing was removed far")
}

const offlineimaprc = `[general]
accounts = Me
metadata = ~/.offlineimap
ui = quiet
[Account Me]
localrepository = Local
remoterepository = Remote
[Repository Local]
type = Maildir
localfolders = ~/Mail
%s
[Repository Remote]
type = IMAP
remotehost = %s
remoteport = %s
remoteuser = %s
remotepass = %s
ssl = no
starttls = no
auth_mechanisms = PLAIN
%s
`

func TestAdoptFromOfflineIMAP(t *testing.T) {
	srv := dovecot.Start(t)
	tests := map[string]struct{ local, remote, near string }{
		"flat":   {"", "", `api.maildir { path = "~/Mail", separator = ".", encoding = "utf7" }`},
		"nested": {"sep = /", "", `api.maildir { path = "~/Mail", encoding = "utf7" }`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			offlineimap := foreignTool(t, home, "offlineimap")
			client := adoptable(t, srv, name)
			host, port, _ := strings.Cut(srv.Addr(), ":")
			rc := write(t, home, "offlineimaprc", fmt.Sprintf(offlineimaprc, test.local, host, port, name, dovecot.Password, test.remote))
			near := filepath.Join(home, "Mail")
			offlineimap("-c", rc, "-o")
			own := filepath.Join(near, "INBOX")
			store(t, own, "1700000000.1.host", "S", []byte("Message-ID: <own@adopt.example>\nSubject: own\n\nown\n"), time.Unix(1_700_000_000, 0))
			gone, err := filepath.Glob(filepath.Join(own, "*", "*,U=7,*"))
			require.NoError(t, err)
			require.NoError(t, os.Remove(gone[0]))
			client.cmd("SELECT INBOX")
			client.cmd(`UID STORE 9:12 +FLAGS.SILENT (\Flagged)`)
			offlineimap("-c", rc, "-o")
			offlineimap("-c", rc, "-o")

			proxy, far := watched(t, srv, name)
			file := write(t, home, "init.lua", account1(far, test.near, ""))
			before := files(t, near)
			r := ok(t, home, "state", "import", "--from", "offlineimap", file)
			require.Contains(t, r.out, "me/INBOX: 30 messages taken over\n", "%s%s", r.out, r.err)
			require.Contains(t, r.out, "me/Archive/2024: 30 messages taken over\n", "%s%s", r.out, r.err)
			require.Contains(t, r.out, "me/Réunions: 30 messages taken over\n", "%s%s", r.out, r.err)
			require.Zero(t, bodyBytes(proxy))
			require.Equal(t, before, files(t, near))
			requireAdopted(t, home, file, near, client, proxy)
		})
	}
}
