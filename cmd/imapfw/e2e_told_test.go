package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
)

// Whatever a server refuses, and however often: the run does not end in 0, no
// mail is lost or doubled, and the first run after that completes.
func TestWhatAServerKeepsRefusingIsTold(t *testing.T) {
	answers := map[string]string{"no": "NO not for you", "bad": "BAD what is that?", "bye": "BYE", "cut": "cut"}
	for _, command := range []string{"LIST", "SELECT", "FLAGS", "BODIES", "SEARCH", "APPEND", "STORE", "MOVE", "EXPUNGE", "LOGIN"} {
		for how, answer := range answers {
			t.Run(command+"/"+how, func(t *testing.T) {
				t.Parallel()
				srv, _ := embedded(t, imaptest.Options{}, 0)
				var refusing, refused atomic.Bool
				p := &imaptest.Proxy{Target: srv.Addr()}
				p.Client = func(line string) string {
					tag, rest, _ := strings.Cut(line, " ")
					if !refusing.Load() || kindOf(rest) != command {
						return ""
					}
					refused.Store(true)
					switch answer {
					case "cut":
						p.Cut()
						return "* OK too late"
					case "BYE":
						time.AfterFunc(10*time.Millisecond, p.Cut)
						return "* BYE go away"
					}
					return tag + " " + answer
				}
				require.NoError(t, p.Start(t.Context()))
				t.Cleanup(func() { _ = p.Close() })
				s := newMixed(t, srv.Addr(), p.Addr(), "user", "secret", ", retries = 0")
				ok(t, s.home, "sync", s.file)
				s.change()
				refusing.Store(true)
				r := run(t, s.home, "sync", s.file)
				require.True(t, refused.Load(), "nothing was refused")
				require.Contains(t, []int{1, 3, 4, 75}, r.code, r.out+r.err)
				require.NotEmpty(t, r.err)
				if how == "no" || how == "bad" {
					require.Contains(t, r.err, answer[strings.Index(answer, " ")+1:], "the server's answer is told")
				}
				refusing.Store(false)
				ok(t, s.home, "sync", s.file)
				s.equal()
				require.Contains(t, ok(t, s.home, "sync", s.file).out, "nothing to do")
			})
		}
	}
}

// smallDisk mounts a file system of 1 MiB; grow makes it larger.
func smallDisk(t *testing.T) (dir string, grow func()) {
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	return dir, func() { require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=64m")) }
}

// A Maildir whose disk fills up keeps what had room, and the server gets what it
// is to get.
func TestFullDiskKeepsWhatHadRoom(t *testing.T) {
	small, grow := smallDisk(t)
	srv, far := embedded(t, imaptest.Options{}, 2)
	home := t.TempDir()
	near := filepath.Join(small, "near")
	file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "user", "secret", ""), maildirStore(near), ""))
	ok(t, home, "sync", file)
	_, err := far.Append("INBOX", imaptest.SampleMessages(10, 100, 50_000)...)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(near, "INBOX/new/1600000999.near.host"), []byte("Message-ID: <near@full>\n\nsmall\n"), 0o600))
	r := run(t, home, "sync", file)
	require.Equal(t, 1, r.code, r.err)
	require.Contains(t, r.err, "no space left")
	require.Equal(t, 1, strings.Count(r.err, "no space left"), "it is told once\n"+r.err)
	require.Empty(t, temporaries(t, near))
	kept := readMaildir(t, near).messages()
	require.Greater(t, kept, 10, "what had room is there")
	require.Less(t, kept, 103)
	client := dialRaw(t, srv.Addr(), "user", "secret")
	defer client.close()
	require.Equal(t, 103, client.snapshot().messages(), "the other way there was room")
	grow()
	ok(t, home, "sync", file)
	require.Equal(t, client.snapshot(), readMaildir(t, near))
	require.Contains(t, ok(t, home, "sync", file).out, "nothing to do")
}

// A state whose disk fills up, at any moment: with room again the next run
// completes, and nothing is there twice.
func TestFullDiskOfTheState(t *testing.T) {
	for _, free := range []int{0, 16, 60} { // KiB that are left when the run begins
		t.Run(fmt.Sprint(free, " KiB"), func(t *testing.T) {
			t.Parallel()
			small, grow := smallDisk(t)
			srv, far := embedded(t, imaptest.Options{}, 5)
			home := t.TempDir()
			near := filepath.Join(home, "near")
			file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "user", "secret", ""), maildirStore(near),
				fmt.Sprintf("  state = %q,\n", filepath.Join(small, "state"))))
			ok(t, home, "sync", file)
			_, err := far.Append("INBOX", imaptest.SampleMessages(10, 500, 200)...)
			require.NoError(t, err)
			for i := range 100 {
				require.NoError(t, os.WriteFile(filepath.Join(near, fmt.Sprintf("INBOX/new/16%08d.near.host", i)),
					fmt.Appendf(nil, "Message-ID: <near%d@full>\n\nsmall\n", i), 0o600))
			}
			fillDisk(t, small, free)
			r := run(t, home, "sync", file)
			require.Equal(t, 1, r.code, r.out+r.err)
			require.Contains(t, r.err, "full")
			grow()
			ok(t, home, "sync", file)
			client := dialRaw(t, srv.Addr(), "user", "secret")
			defer client.close()
			far1 := client.snapshot()
			require.Equal(t, far1, readMaildir(t, near))
			require.Equal(t, 605, far1.messages())
			require.Contains(t, ok(t, home, "sync", file).out, "nothing to do")
		})
	}
}

// fillDisk leaves so many KiB free on a file system.
func fillDisk(t *testing.T, dir string, free int) {
	var st syscall.Statfs_t
	require.NoError(t, syscall.Statfs(dir, &st))
	left := int(st.Bavail)*int(st.Bsize) - free<<10
	require.Positive(t, left)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, left), 0o600))
}

// unprivileged is a home of a user for whom permissions count, also where root
// runs the tests.
type unprivileged struct {
	t      *testing.T
	home   string
	binary string
	uid    int
}

const nobody = 65534

// openDir is a folder that everybody may enter, unlike t.TempDir.
func openDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "imapfw-unprivileged-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = exec.Command("rm", "-rf", dir).Run() })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

// binaryForAll is this program where everybody may run it.
func binaryForAll(t *testing.T) string {
	if os.Getuid() != 0 {
		return os.Args[0]
	}
	path := filepath.Join(openDir(t), "imapfw")
	in, err := os.Open(os.Args[0])
	require.NoError(t, err)
	defer in.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
	return path
}

func newUnprivileged(t *testing.T, binary string) *unprivileged {
	u := &unprivileged{t: t, home: openDir(t), binary: binary, uid: os.Getuid()}
	if u.uid == 0 {
		u.uid = nobody
	}
	u.own()
	return u
}

// own gives everything in the home to the user.
func (u *unprivileged) own() {
	if os.Getuid() == 0 {
		require.NoError(u.t, exec.Command("chown", "-R", fmt.Sprint(u.uid), u.home).Run())
	}
}

func (u *unprivileged) run(args ...string) result {
	cmd := command(u.t, u.home, args...)
	cmd.Path = u.binary
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(u.uid), Gid: uint32(u.uid)}}
	}
	return finish(u.t, cmd)
}

func TestWhatMayNotBeReadOrWrittenIsTold(t *testing.T) {
	binary := binaryForAll(t)
	for name, c := range map[string]struct {
		forbid string // below the home
		mode   os.FileMode
		code   int
		rest   string // the folder that is done all the same
	}{
		"a message":                 {"near/INBOX/new/1600000999.near.host", 0, 3, "Other"},
		"the messages":              {"near/INBOX/cur", 0, 3, "Other"},
		"the new messages":          {"near/INBOX/new", 0, 3, "Other"},
		"a folder":                  {"near/INBOX", 0, 3, "Other"},
		"a folder above another":    {"near/Other", 0, 3, "INBOX"},
		"looking at a folder":       {"near/Other", 0o400, 3, "INBOX"},
		"writing messages":          {"near/INBOX/cur", 0o500, 3, "Other"},
		"writing what is delivered": {"near/INBOX/tmp", 0o500, 3, "Other"},
		"the Maildir":               {"near", 0, 1, ""},
		"the state":                 {"state", 0o500, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, far := embedded(t, imaptest.Options{}, 10)
			require.NoError(t, far.CreateFolder("Other"))
			require.NoError(t, far.CreateFolder("Other/Below"))
			u := newUnprivileged(t, binary)
			near := filepath.Join(u.home, "near")
			file := write(t, u.home, "me.lua", account1(imapStore(srv.Addr(), "user", "secret", ""), maildirStore(near),
				fmt.Sprintf("  state = %q,\n  remove = \"both\",\n", filepath.Join(u.home, "state"))))
			u.own()
			r := u.run("sync", file)
			require.Zero(t, r.code, r.err)
			for _, folder := range []string{"INBOX", "Other"} {
				_, err := far.Append(folder, imaptest.SampleMessages(len(folder)*100, 3, 300)...)
				require.NoError(t, err)
				for i := range 2 {
					require.NoError(t, os.WriteFile(filepath.Join(near, folder, fmt.Sprintf("new/160000099%d.near.host", 8+i)),
						fmt.Appendf(nil, "Message-ID: <%d@%s>\n\nnear\n", i, folder), 0o600))
				}
			}
			u.own()
			path := filepath.Join(u.home, c.forbid)
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.NoError(t, os.Chmod(path, c.mode))
			r = u.run("sync", file)
			require.NoError(t, os.Chmod(path, info.Mode().Perm()))
			require.Equal(t, c.code, r.code, r.out+r.err)
			require.Regexp(t, "permission denied|owner and the permissions", r.err)
			client := dialRaw(t, srv.Addr(), "user", "secret")
			defer client.close()
			now := client.snapshot()
			if c.rest != "" {
				require.Equal(t, now[c.rest], readMaildir(t, near)[c.rest])
			}
			require.Contains(t, now, "Other/Below", "what cannot be seen is not gone")
			require.GreaterOrEqual(t, now.messages(), 16, "nothing is removed because it cannot be seen")
			r = u.run("sync", file)
			require.Zero(t, r.code, r.err)
			now = client.snapshot()
			require.Equal(t, now, readMaildir(t, near))
			require.Equal(t, 20, now.messages())
		})
	}
}
