package luaapi

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func TestSecrets(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(home, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	file("pw", "one\ntwo\n", 0o600)
	file("open", "one\n", 0o644)
	file("empty", "\n", 0o600)
	file(".netrc", "# mine\nmachine a.example login me password \"with space\"\nmachine a.example login you password p2 # yours\ndefault password p3\n", 0o600)
	t.Setenv("MAIL_PASSWORD", "from the environment")
	for _, c := range []struct {
		name        string
		which       secret
		want, wrong string
		code        fault.Code
	}{
		{"literal", secret{kind: secretLiteral, value: "x"}, "x", "", ""},
		{"command", secret{kind: secretCommand, value: "printf 'a b \\r\\nc'"}, "a b ", "", ""},
		{"a command with a pipe", secret{kind: secretCommand, value: "echo xay | tr a b"}, "xby", "", ""},
		{"a command that fails", secret{kind: secretCommand, value: "echo why >&2; echo leak; exit 3"}, "", "exit status 3: why", fault.Auth},
		{"a silent command", secret{kind: secretCommand, value: "true"}, "", "gave nothing", fault.Auth},
		{"file", secret{kind: secretFile, value: "~/pw"}, "one", "", ""},
		{"an open file", secret{kind: secretFile, value: "~/open"}, "", "others can read", fault.Permission},
		{"an empty file", secret{kind: secretFile, value: "~/empty"}, "", "empty", fault.Auth},
		{"no file", secret{kind: secretFile, value: "~/none"}, "", "no such file", fault.Auth},
		{"environment", secret{kind: secretEnv, value: "MAIL_PASSWORD"}, "from the environment", "", ""},
		{"no variable", secret{kind: secretEnv, value: "NO_SUCH"}, "", "NO_SUCH is not set", fault.Auth},
		{"netrc", secret{kind: secretNetrc, value: "a.example"}, "with space", "", ""},
		{"netrc by default", secret{kind: secretNetrc, value: "b.example"}, "p3", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := newSecrets().resolve(context.Background(), c.which, "me")
			require.Equal(t, c.want, got)
			if c.wrong == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.wrong)
			require.ErrorIs(t, err, c.code)
			require.NotContains(t, err.Error(), "leak")
		})
	}
}

// A command runs once, however many ask; a failure is not kept.
func TestSecretCommandRunsOnce(t *testing.T) {
	log := filepath.Join(t.TempDir(), "runs")
	s := newSecrets()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			got, err := s.resolve(context.Background(), secret{kind: secretCommand, value: "echo run >> " + log + "; sleep 0.05; echo pw"}, "me")
			if err != nil || got != "pw" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	group.Wait()
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Equal(t, "run\n", string(text))

	once := secret{kind: secretCommand, value: "test -e " + log + ".2 && echo pw || { touch " + log + ".2; false; }"}
	_, err = s.resolve(context.Background(), once, "me")
	require.Error(t, err)
	got, err := s.resolve(context.Background(), once, "me")
	require.NoError(t, err)
	require.Equal(t, "pw", got)
}

// TestOneQuestionAtATime: whoever may be asked for a password is asked for one after
// the other, whatever way asks.
func TestOneQuestionAtATime(t *testing.T) {
	var asked, at atomic.Int32
	s := newSecrets()
	s.prompt = func(context.Context, string) (string, error) {
		if at.Add(1) > 1 {
			t.Error("two questions at a time")
		}
		for range 100 {
			runtime.Gosched()
		}
		asked.Add(1)
		at.Add(-1)
		return "pw", nil
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			_, err := s.resolve(context.Background(), secret{kind: secretPrompt, value: strconv.Itoa(i)}, "me")
			require.NoError(t, err)
		})
	}
	group.Wait()
	require.EqualValues(t, 8, asked.Load())
	for kind, asks := range map[string]bool{secretPrompt: true, secretCommand: true, secretKeyring: true, secretFile: false, secretEnv: false, secretNetrc: false, secretLiteral: false} {
		require.Equal(t, asks, secret{kind: kind}.asks(), kind)
	}
}

func TestSecretCommandIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := newSecrets().resolve(ctx, secret{kind: secretCommand, value: "sleep 60"}, "me")
	require.ErrorIs(t, err, fault.Stopped)
}

func TestSecretIsNeverPrinted(t *testing.T) {
	s := &secret{kind: secretLiteral, value: "hunter2"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		require.NotContains(t, fmt.Sprintf(format, s)+fmt.Sprintf(format, *s), "hunter2")
	}
}

func FuzzNetrc(f *testing.F) {
	f.Add("machine a login b password c\nmacdef x\nmachine z\n\ndefault password d", "a", "b")
	f.Add("machine \"a\" password \"c", "a", "")
	f.Fuzz(func(t *testing.T, text, host, user string) {
		if password, ok := findNetrc(strings.NewReader(text), host, user); ok && password == "" {
			t.Fatal("found nothing")
		}
	})
}

func TestHeaderEdits(t *testing.T) {
	for _, c := range []struct{ name, before, after string }{
		{"in the middle", "A: 1\r\nX: 2\r\n folded\r\nB: 3\r\n\r\n", "A: 1\r\nB: 3\r\nNew: n\r\n\r\n"},
		{"several, any case", "x: 1\nA: 1\nX : 2\n\n", "A: 1\nNew: n\n\n"},
		{"none", "A: 1\n\n", "A: 1\nNew: n\n\n"},
		{"no empty line", "A: 1", "A: 1\nNew: n\n"},
		{"nothing", "", "New: n\n"},
		{"odd lines stay", "From me\nA: 1\n\n", "From me\nA: 1\nNew: n\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e headerEdits
			require.NoError(t, e.add("X", "gone"))
			require.NoError(t, e.remove("X"))
			require.NoError(t, e.add("New", "n"))
			require.Equal(t, c.after, string(e.apply([]byte(c.before))))
			require.Equal(t, crlfLen([]byte(c.after)), crlfLen([]byte(c.before))+e.altered([]byte(c.before)).Grown)
		})
	}
	var e headerEdits
	require.Error(t, e.add("A B", "x"))
	require.Error(t, e.add("A", "x\r\nBcc: everybody"))
	require.Error(t, e.remove(""))
}

// Whatever a message looks like: what is not its header is not touched, and the
// size that was announced is what comes.
func TestEditsKeepTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOf(rapid.SampledFrom([]string{"X: 1\n", "X: 1\r\n", "A: b\r\n", " more\n", "\n", "\r\n", "text\n", "\r", "\x00é", strings.Repeat("x", 5000)})).Draw(t, "lines")
		content := strings.Join(lines, "")
		body := mail.Body{Reader: strings.NewReader(content), Size: int64(len(content)), LineEnds: mail.LF}
		header, rest, err := splitHeader(body)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(content, string(header)) {
			t.Fatal("the header is no part of the message")
		}
		var e headerEdits
		_ = e.remove("X")
		_ = e.add("Y", "z")
		changed := withHeader(body, len(header), e.apply(header), rest)
		var out strings.Builder
		buffer := make([]byte, 7)
		for {
			n, err := changed.Read(buffer)
			out.Write(buffer[:n])
			if err != nil {
				break
			}
		}
		if int64(out.Len()) != changed.Size {
			t.Fatalf("%d octets were announced, %d came", changed.Size, out.Len())
		}
		if !strings.HasSuffix(out.String(), content[len(header):]) {
			t.Fatal("the body was touched")
		}
	})
}

func TestExitCodes(t *testing.T) {
	temporary := fault.New(fault.Refused, "", "busy").AsTemporary()
	for code, err := range map[int]error{
		ExitDone: nil, ExitFailed: fault.New(fault.DiskFull, "", "x"), ExitUsage: fault.New(fault.Script, "", "x"),
		ExitPartial: fault.New(fault.Partial, "", "x").AsTemporary(), ExitAuth: fault.New(fault.Auth, "", "x"),
		ExitGuard: fault.Wrap(fault.Guard, "", temporary), ExitTemporary: temporary, ExitInterrupted: fault.New(fault.Stopped, "", "x"),
	} {
		require.Equal(t, code, ExitCode(err), "%v", err)
	}
	for _, c := range []struct {
		codes []int
		want  int
	}{
		{nil, 0}, {[]int{0, 75, 3, 1, 4, 5, 2}, 2}, {[]int{75, 3, 1, 4, 5}, 5}, {[]int{75, 3, 1, 4}, 4}, {[]int{75, 3, 1}, 1},
		{[]int{75, 3}, 3}, {[]int{0, 75}, 75}, {[]int{3, 120}, 120}, {[]int{9}, 1}, {[]int{0, 0}, 0},
	} {
		require.Equal(t, c.want, JoinExitCodes(c.codes...), "%v", c.codes)
	}
}
