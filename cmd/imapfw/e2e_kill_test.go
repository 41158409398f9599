package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// rounds is how often a test of chance is repeated: all of it with
// IMAPFW_TEST_FULL=1, else as often as a short test run allows.
func rounds(t testing.TB, full int) int {
	switch {
	case os.Getenv("IMAPFW_TEST_FULL") == "1":
		return full
	case testing.Short():
		return max(2, full/50)
	}
	return max(4, full/8)
}

// killed starts a run and kills it, with everything it is made of, after a
// random part of the time such a run takes.
func killed(t testing.TB, home, file string, took time.Duration) (finished bool) {
	cmd := command(t, home, "sync", "-q", file)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-time.After(time.Duration(rand.Int64N(int64(took)))):
		require.NoError(t, cmd.Process.Kill())
		<-done
		return false
	case err := <-done:
		require.NoError(t, err)
		return true
	}
}

func TestKilledPullLosesAndDoublesNothing(t *testing.T) {
	srv := dovecot.Start(t)
	const n = 2000
	srv.AddUser(t, "pull")
	root := filepath.Join(srv.HomeDir("pull"), "mail")
	makeMaildir(t, root)
	for i, body := range oddCorpus(11, n) {
		if len(body) > 1<<20 {
			body = body[:1<<20]
		}
		store(t, root, fmt.Sprintf("16%08d.M%dP1.host", i, i), flagMix[i%len(flagMix)], body, time.Unix(1_600_000_000+int64(i), 0))
	}
	srv.Own(t, srv.HomeDir("pull"))
	client := dialRaw(t, srv.Addr(), "pull", dovecot.Password)
	defer client.close()
	want := client.snapshot()
	require.Equal(t, n, want.messages())
	var took time.Duration
	for round := range rounds(t, 25) + 1 {
		home := t.TempDir()
		near := filepath.Join(home, "near")
		file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "pull", dovecot.Password, ""), maildirStore(near), ""))
		if round == 0 { // how long it takes when nobody interferes
			begun := time.Now()
			ok(t, home, "sync", file)
			took = time.Since(begun)
			continue
		}
		killed(t, home, file, took)
		ok(t, home, "sync", file)
		require.Equal(t, want, readMaildir(t, near), "round %d", round)
		require.Equal(t, want, client.snapshot(), "round %d: the server was changed", round)
		require.Empty(t, temporaries(t, near))
	}
}

func TestKilledPushLosesAndDoublesNothing(t *testing.T) {
	srv := dovecot.Start(t, dovecot.Storage("mdbox"))
	const n = 2000
	bodies := sendable(oddCorpus(13, n))
	var took time.Duration
	for round := range rounds(t, 25) + 1 {
		user := fmt.Sprintf("push%d", round)
		srv.AddUser(t, user)
		home := t.TempDir()
		near := filepath.Join(home, "near")
		makeMaildir(t, filepath.Join(near, "INBOX"))
		for i, body := range bodies {
			if len(body) > 1<<20 {
				body = body[:1<<20]
			}
			store(t, filepath.Join(near, "INBOX"), fmt.Sprintf("16%08d.M%dP1.host", i, i), flagMix[i%len(flagMix)], body, time.Unix(1_600_000_000+int64(i), 0))
		}
		want := readMaildir(t, near)
		file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), user, dovecot.Password, ""), maildirStore(near), ""))
		if round == 0 {
			begun := time.Now()
			ok(t, home, "sync", file)
			took = time.Since(begun)
		} else {
			killed(t, home, file, took)
			ok(t, home, "sync", file)
		}
		client := dialRaw(t, srv.Addr(), user, dovecot.Password)
		require.Equal(t, want, client.snapshot(), "round %d", round)
		client.close()
		require.Equal(t, want, readMaildir(t, near), "round %d: the Maildir was changed", round)
	}
}

// temporaries lists what a tree of Maildirs holds in tmp/.
func temporaries(t testing.TB, root string) []string {
	found, err := filepath.Glob(filepath.Join(root, "*/tmp/*"))
	require.NoError(t, err)
	return found
}

// TestMailReadersAtWork runs 200 syncs while one loop changes flags by renaming
// and another moves new mail to cur, as mail readers do.
func TestMailReadersAtWork(t *testing.T) {
	srv := dovecot.Start(t)
	srv.AddUser(t, "reader")
	home := t.TempDir()
	near := filepath.Join(home, "near")
	file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "reader", dovecot.Password, ""), maildirStore(near), ""))
	client := dialRaw(t, srv.Addr(), "reader", dovecot.Password)
	defer client.close()
	const n = 300
	for i := range n {
		client.append("INBOX", "", arrival(i), fmt.Appendf(nil, "Message-ID: <%d@reader>\r\nSubject: %d\r\n\r\nbody %d\r\n", i, i, i))
	}
	ok(t, home, "sync", file)
	bodies := func(m mailbox) map[string]int {
		out := map[string]int{}
		for line, c := range m["INBOX"] {
			out[line[:16]] += c
		}
		return out
	}
	want := bodies(client.snapshot())
	require.Len(t, want, n)

	stop := make(chan struct{})
	done := make(chan struct{}, 2)
	for _, work := range []func(dir string){renameFlags, moveNewToCur} {
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				select {
				case <-stop:
					return
				default:
					work(filepath.Join(near, "INBOX"))
				}
			}
		}()
	}
	added := 0
	for round := range rounds(t, 200) {
		if round%4 == 0 { // mail keeps arriving on both sides
			body := fmt.Appendf(nil, "Message-ID: <new%d@reader>\nSubject: new\n\nnew %d\n", round, round)
			want[digest(body)]++
			require.NoError(t, os.WriteFile(filepath.Join(near, "INBOX/new", fmt.Sprintf("17%d.mda.host", round)), body, 0o600))
			added++
		}
		ok(t, home, "sync", "-q", file)
	}
	close(stop)
	<-done
	<-done
	ok(t, home, "sync", "-q", file)
	require.Equal(t, want, bodies(client.snapshot()))
	require.Equal(t, want, bodies(readMaildir(t, near)))
}

// renameFlags toggles a flag of a random message.
func renameFlags(dir string) {
	entries, _ := os.ReadDir(filepath.Join(dir, "cur"))
	if len(entries) == 0 {
		return
	}
	old := entries[rand.IntN(len(entries))].Name()
	base, _, _ := cutInfo(old)
	now := base + ":2," + []string{"", "S", "FS", "RS", "F"}[rand.IntN(5)]
	_ = os.Rename(filepath.Join(dir, "cur", old), filepath.Join(dir, "cur", now))
	time.Sleep(200 * time.Microsecond)
}

// moveNewToCur does what a mail reader does when it opens a folder, and at times
// puts a message back as if it had just been delivered.
func moveNewToCur(dir string) {
	entries, _ := os.ReadDir(filepath.Join(dir, "new"))
	for _, e := range entries {
		base, _, _ := cutInfo(e.Name())
		_ = os.Rename(filepath.Join(dir, "new", e.Name()), filepath.Join(dir, "cur", base+":2,"))
	}
	seen, _ := os.ReadDir(filepath.Join(dir, "cur"))
	if len(seen) > 0 {
		old := seen[rand.IntN(len(seen))].Name()
		base, _, _ := cutInfo(old)
		_ = os.Rename(filepath.Join(dir, "cur", old), filepath.Join(dir, "new", base))
	}
	time.Sleep(time.Millisecond)
}
