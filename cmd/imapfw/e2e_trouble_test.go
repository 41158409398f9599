package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// embedded starts the in-memory server with some mail in it.
func embedded(t testing.TB, opts imaptest.Options, messages int) (*imaptest.Server, *imaptest.Account) {
	srv := imaptest.New(opts)
	require.NoError(t, srv.Start(context.Background()))
	t.Cleanup(func() { _ = srv.Close() })
	account := srv.Account("")
	_, err := account.Append("INBOX", imaptest.SampleMessages(1, messages, 2000)...)
	require.NoError(t, err)
	return srv, account
}

func TestTroubleIsToldClearly(t *testing.T) {
	srv, _ := embedded(t, imaptest.Options{TLS: true}, 3)
	_, tlsPort, _ := net.SplitHostPort(srv.TLSAddr())
	unused, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, unused.Close())
	good := imapStore(srv.Addr(), "user", "secret", "")
	near := `api.maildir { path = "~/near" }`
	for _, tc := range []struct {
		name, far, near string
		code            int
		says            []string
	}{
		{"wrong password", imapStore(srv.Addr(), "user", "no such secret", ""), near, 4, []string{"password", "user"}},
		{"failing password command", strings.Replace(good, `password = "secret"`, `password_command = "echo my-hint >&2; exit 3"`, 1), near, 4, []string{"password command", "my-hint"}},
		{"unknown host", `api.imap { host = "no-such-host.invalid", user = "u", password = "p" }`, near, 75, []string{"no-such-host.invalid"}},
		{"refused connection", imapStore(unused.Addr().String(), "u", "p", ""), near, 75, []string{"refused"}},
		{"self-signed certificate", fmt.Sprintf(`api.imap { host = "localhost", port = %s, user = "user", password = "secret" }`, tlsPort), near, 1, []string{"certificate", "fingerprint"}},
		{"certificate of another host", fmt.Sprintf(`api.imap { host = "localhost", port = %s, user = "user", password = "secret", tls = { mode = "implicit", ca_file = "~/ca.pem", server_name = "mail.example.org" } }`, tlsPort), near, 1, []string{"certificate", "mail.example.org"}},
		{"plain text off loopback", `api.imap { host = "imap.example.org", user = "u", password = "p", tls = "none" }`, near, 2, []string{"me.lua:4", "insecure"}},
		{"unknown option", `api.imap { host = "imap.example.org", user = "u", pasword = "p" }`, near, 2, []string{"me.lua:4", `did you mean "password"`}},
		{"Maildir below a file", good, `api.maildir { path = "~/me.lua/near" }`, 1, []string{"me.lua", "not a directory"}},
		{"Maildir that cannot be made", good, `api.maildir { path = "/proc/imapfw-near" }`, 1, []string{"/proc/imapfw-near"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			home := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(home, "ca.pem"), srv.Certificate().CertPEM, 0o600))
			r := run(t, home, "sync", write(t, home, "me.lua", account1(tc.far, tc.near, "")))
			require.Equal(t, tc.code, r.code, r.err)
			for _, text := range tc.says {
				require.Contains(t, r.err, text)
			}
			require.NotContains(t, r.err+r.out, "no such secret", "a password was shown")
			require.NotContains(t, r.err, "goroutine ", "a stack was shown")
			require.Less(t, strings.Count(r.err, "\n"), 12, r.err)
			if tc.near == near {
				require.NotContains(t, trace(t, home), "state.db", "a state was made for nothing")
			}
		})
	}
	t.Run("certificate for an address", func(t *testing.T) {
		home := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(home, "ca.pem"), srv.Certificate().CertPEM, 0o600))
		ok(t, home, "sync", write(t, home, "me.lua", account1(fmt.Sprintf(
			`api.imap { host = "127.0.0.1", port = %s, user = "user", password = "secret", tls = { mode = "implicit", ca_file = "~/ca.pem" } }`, tlsPort), near, "")))
		require.Equal(t, 3, readMaildir(t, filepath.Join(home, "near")).messages())
	})
}

func TestInstancesExcludeEachOther(t *testing.T) {
	srv, _ := embedded(t, imaptest.Options{}, 200)
	home := t.TempDir()
	file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "user", "secret", ""), `api.maildir { path = "~/near" }`, ""))
	// Both at once, on the very first run.
	first, second := command(t, home, "sync", file), command(t, home, "sync", file)
	results := make(chan result, 2)
	for _, cmd := range []*exec.Cmd{first, second} {
		go func() { results <- finish(t, cmd) }()
	}
	done := 0
	for range 2 {
		r := <-results
		require.Contains(t, []int{0, 75}, r.code, r.err)
		if r.code == 0 {
			done++
		} else {
			require.Contains(t, r.err, "another")
		}
	}
	require.NotZero(t, done)
	require.Equal(t, 200, readMaildir(t, filepath.Join(home, "near")).messages())
	// One that holds the account for long: the other ends at once.
	gate, reached := make(chan struct{}), make(chan struct{}, 10)
	srv.Hook(func(c imaptest.Command) error {
		if c.Name == "STATUS" || c.Name == "SELECT" {
			reached <- struct{}{}
			<-gate
		}
		return nil
	})
	go func() { results <- finish(t, command(t, home, "sync", file)) }()
	<-reached
	r := run(t, home, "sync", file)
	require.Equal(t, 75, r.code, r.err)
	close(gate)
	require.Zero(t, (<-results).code)
}

func TestServerThatSaysNoToOneThing(t *testing.T) {
	for _, name := range []string{"FETCH", "APPEND", "STORE", "SELECT"} {
		t.Run(name, func(t *testing.T) {
			srv, far := embedded(t, imaptest.Options{}, 20)
			home := t.TempDir()
			near := filepath.Join(home, "near")
			file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "user", "secret", ""), maildirStore(near), ""))
			ok(t, home, "sync", file)
			more, err := far.Append("INBOX", imaptest.SampleMessages(100, 10, 500)...)
			require.NoError(t, err)
			require.NoError(t, far.CreateFolder("Other"))
			_, err = far.Append("Other", imaptest.SampleMessages(200, 10, 500)...)
			require.NoError(t, err)
			entries, err := os.ReadDir(filepath.Join(near, "INBOX/cur"))
			require.NoError(t, err)
			for i, e := range entries[:4] {
				base, _, _ := cutInfo(e.Name())
				require.NoError(t, os.Rename(filepath.Join(near, "INBOX/cur", e.Name()), filepath.Join(near, "INBOX/cur", base+":2,FS")))
				require.NoError(t, os.WriteFile(filepath.Join(near, "INBOX/new", fmt.Sprint(i, ".new")), fmt.Appendf(nil, "Subject: near %d\n\nnear\n", i), 0o600))
			}
			refused := 0
			srv.Hook(func(c imaptest.Command) error {
				switch {
				case c.Name != name,
					name == "FETCH" && !(c.Bodies && c.Covers(more[3])),
					name == "SELECT" && c.Folder != "Other",
					name == "APPEND" && refused > 0,
					name == "STORE" && !c.Covers(1) && !c.Covers(2) && !c.Covers(3) && !c.Covers(4):
					return nil
				}
				refused++
				return imaptest.No("", "not this one")
			})
			r := run(t, home, "sync", file)
			require.NotZero(t, refused, "the test refused nothing")
			require.Equal(t, 3, r.code, r.err+r.out)
			require.Contains(t, r.err, "not this one")
			srv.Hook(nil)
			ok(t, home, "sync", file)
			client := dialRaw(t, srv.Addr(), "user", "secret")
			defer client.close()
			require.Equal(t, client.snapshot(), readMaildir(t, near))
			require.Equal(t, 44, readMaildir(t, near).messages())
		})
	}
}

func TestInterruptEndsCleanly(t *testing.T) {
	srv := dovecot.Start(t)
	srv.AddUser(t, "int")
	root := filepath.Join(srv.HomeDir("int"), "mail")
	makeMaildir(t, root)
	for i := range 5000 {
		store(t, root, fmt.Sprintf("16%08d.M%dP1.host", i, i), "S", fmt.Appendf(nil, "Message-ID: <%d@int>\n\n%s\n", i, strings.Repeat("text ", 2000)), time.Unix(1_600_000_000, 0))
	}
	srv.Own(t, srv.HomeDir("int"))
	home := t.TempDir()
	near := filepath.Join(home, "near")
	file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "int", dovecot.Password, ""), maildirStore(near), ""))
	cmd := command(t, home, "sync", file)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		e, _ := os.ReadDir(filepath.Join(near, "INBOX/cur"))
		return len(e) > 0
	}, time.Minute, time.Millisecond)
	begun := time.Now()
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	_ = cmd.Wait()
	require.Equal(t, 130, cmd.ProcessState.ExitCode(), errs.String())
	require.Less(t, time.Since(begun), 5*time.Second)
	require.Empty(t, temporaries(t, near))
	ok(t, home, "sync", file)
	require.Equal(t, 5000, readMaildir(t, near).messages())
	client := dialRaw(t, srv.Addr(), "int", dovecot.Password)
	defer client.close()
	require.Equal(t, client.snapshot(), readMaildir(t, near))
}

func TestFullDisk(t *testing.T) {
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	defer func() { require.NoError(t, syscall.Unmount(small, 0)) }()
	srv, far := embedded(t, imaptest.Options{}, 0)
	_, err := far.Append("INBOX", imaptest.SampleMessages(1, 100, 50_000)...)
	require.NoError(t, err)
	home := t.TempDir()
	near := filepath.Join(small, "near")
	file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "user", "secret", ""), maildirStore(near), ""))
	r := run(t, home, "sync", file)
	require.Equal(t, 1, r.code, r.err)
	require.Contains(t, r.err, "no space left")
	require.Empty(t, temporaries(t, near), "what could not be delivered was left in tmp/")
	client := dialRaw(t, srv.Addr(), "user", "secret")
	defer client.close()
	require.Equal(t, 100, client.snapshot().messages())
	require.NoError(t, syscall.Mount("", small, "", syscall.MS_REMOUNT, "size=64m"))
	ok(t, home, "sync", file)
	require.Equal(t, client.snapshot(), readMaildir(t, near))
}

func TestServerRestoredFromABackup(t *testing.T) {
	srv := dovecot.Start(t)
	srv.AddUser(t, "back")
	home := t.TempDir()
	near := filepath.Join(home, "near")
	file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "back", dovecot.Password, ""), maildirStore(near), ""))
	add := func(from, to int) {
		client := dialRaw(t, srv.Addr(), "back", dovecot.Password)
		defer client.close()
		for i := from; i < to; i++ {
			client.append("INBOX", "", arrival(i), fmt.Appendf(nil, "Message-ID: <%d@back>\r\n\r\nbody %d\r\n", i, i))
		}
	}
	snapshot := func() mailbox {
		client := dialRaw(t, srv.Addr(), "back", dovecot.Password)
		defer client.close()
		return client.snapshot()
	}
	add(0, 20)
	ok(t, home, "sync", file)
	backup := filepath.Join(t.TempDir(), "backup")
	restore := func(from, to string) {
		require.NoError(t, exec.Command("cp", "-a", from, to).Run())
	}
	srv.Stop()
	restore(srv.HomeDir("back"), backup)
	srv.Restart(t)
	add(20, 30)
	ok(t, home, "sync", file)
	srv.Stop()
	require.NoError(t, os.RemoveAll(srv.HomeDir("back")))
	restore(backup, srv.HomeDir("back"))
	srv.Restart(t)
	add(100, 115) // other messages get the UIDs of the lost ones
	r := ok(t, home, "sync", file)
	require.Contains(t, r.err, "nothing is removed")
	require.Equal(t, 45, snapshot().messages())
	require.Equal(t, snapshot(), readMaildir(t, near))
	require.Contains(t, ok(t, home, "sync", file).out, "nothing to do")

	// The same for the Maildir.
	old := filepath.Join(t.TempDir(), "old")
	restore(near, old)
	add(200, 210)
	ok(t, home, "sync", file)
	require.NoError(t, os.RemoveAll(near))
	restore(old, near)
	r = ok(t, home, "sync", file)
	require.Contains(t, r.err, "nothing is removed")
	require.Equal(t, 55, snapshot().messages())
	require.Equal(t, snapshot(), readMaildir(t, near))
}

func TestHugeMessageInLittleMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector itself needs more memory than this allows; run without -race")
	}
	srv := dovecot.Start(t)
	srv.AddUser(t, "huge")
	srv.AddUser(t, "copy")
	root := filepath.Join(srv.HomeDir("huge"), "mail")
	makeMaildir(t, root)
	huge := append([]byte("Message-ID: <huge@x>\n\n"), bytes.Repeat([]byte("0123456789 0123456789 0123456789 0123456789 0123456789 012345678\n"), (200<<20)/65)...)
	store(t, root, "1600000000.M1P1.host", "S", huge, time.Unix(1_600_000_000, 0))
	srv.Own(t, srv.HomeDir("huge"))
	home := t.TempDir()
	pull := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "huge", dovecot.Password, ""), `api.maildir { path = "~/near" }`, ""))
	push := write(t, home, "copy.lua", strings.Replace(account1(imapStore(srv.Addr(), "copy", dovecot.Password, ""), `api.maildir { path = "~/near" }`, ""), `"me"`, `"copy"`, 1))
	for _, file := range []string{pull, push} {
		r := ok(t, home, "sync", file)
		require.Positive(t, r.maxRSS)
		require.Less(t, r.maxRSS, int64(100<<10), "KiB of memory")
	}
	client := dialRaw(t, srv.Addr(), "copy", dovecot.Password)
	defer client.close()
	require.Equal(t, readMaildir(t, filepath.Join(home, "near")), client.snapshot())
}
