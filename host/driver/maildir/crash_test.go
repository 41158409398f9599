package maildir_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/maildir"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// childRoot makes the test binary deliver into a Maildir until it is killed.
const childRoot = "IMAPFW_TEST_MAILDIR_CHILD"

func TestMain(m *testing.M) {
	if root := os.Getenv(childRoot); root != "" {
		fmt.Println(deliverForEver(root))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// wholeBody is a message that shows whether something of it is missing.
func wholeBody(n int) string {
	return fmt.Sprintf("Subject: %d\n\n%s\nend of %d\n", n, strings.Repeat("x", 20_000+n), n)
}

func deliverForEver(root string) error {
	ctx := context.Background()
	s := maildir.New(maildir.Options{Path: root})
	if err := s.Open(ctx); err != nil {
		return err
	}
	ref := mail.Ref{Name: "F"}
	for n := 0; ; n += 5 {
		var ds []driver.Delivery
		for i := range 5 {
			d, err := s.Deliver(ctx, ref, mail.Meta{Flags: mail.NewFlags(`\Seen`, "work")}, bodyOf(wholeBody(n+i)))
			if err != nil {
				return err
			}
			ds = append(ds, d)
		}
		placed, err := s.Commit(ctx, ref, ds)
		if err != nil {
			return err
		}
		for i, p := range placed {
			fmt.Println("placed", p.Key, n+i) // not buffered: what is said was done
		}
	}
}

// TestKilledAtAnyPoint kills a delivering process, again and again: what it has
// said to be there is there, whatever is there is whole, and nothing is left in
// tmp/.
func TestKilledAtAnyPoint(t *testing.T) {
	root := t.TempDir()
	s := maildir.New(maildir.Options{Path: root})
	require.NoError(t, s.Open(t.Context()))
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	require.NoError(t, s.Close())
	theirs := filepath.Join(root, "F", "tmp", "1.somebody.else")
	require.NoError(t, os.WriteFile(theirs, nil, 0o600))

	promised := map[mail.Key]string{}
	leftovers := 0
	for run := range 12 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childRoot+"="+root)
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		lines := bufio.NewScanner(out)
		require.True(t, lines.Scan(), "the child is at work")
		if run == 0 {
			require.ErrorIs(t, maildir.New(maildir.Options{Path: root}).Open(t.Context()), fault.Busy)
		}
		kill := time.AfterFunc(time.Duration(run*2)*time.Millisecond, func() { _ = child.Process.Kill() })
		for more := true; more; more = lines.Scan() {
			var key string
			var n int
			_, err := fmt.Sscanf(lines.Text(), "placed %s %d", &key, &n)
			require.NoError(t, err, lines.Text())
			promised[mail.Key(key)] = wholeBody(n)
		}
		_ = child.Wait() // it was killed
		kill.Stop()
		names, err := os.ReadDir(filepath.Join(root, "F", "tmp"))
		require.NoError(t, err)
		leftovers += len(names) - 1

		require.NoError(t, s.Open(t.Context()))
		keys, _ := list(t, s, mail.Ref{Name: "F"})
		there := read(t, s, "F", keys...)
		require.Len(t, there, len(keys))
		for key, content := range there {
			var n int
			_, err := fmt.Sscanf(content, "Subject: %d", &n)
			require.NoError(t, err)
			require.True(t, content == wholeBody(n), "message %s is whole", key)
		}
		for key, content := range promised {
			require.True(t, there[key] == content, "message %s is there", key)
		}
		require.NoError(t, s.Close())
		names, err = os.ReadDir(filepath.Join(root, "F", "tmp"))
		require.NoError(t, err)
		require.Len(t, names, 1, "only what is not ours is left in tmp/")
	}
	require.FileExists(t, theirs)
	require.NotZero(t, leftovers, "the test has never hit an unfinished delivery")
	t.Logf("%d messages promised, %d unfinished files cleared", len(promised), leftovers)
}

func TestDeliveredUnderAStaleName(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	ref := mail.Ref{Name: "F"}
	r, err := s.Reserve(t.Context(), ref, 1)
	require.NoError(t, err)
	stale := filepath.Join(root, "F", "tmp", "imapfw-"+string(r.Keys[0]))
	require.NoError(t, os.WriteFile(stale, bytes.Repeat([]byte("old"), 100), 0o600))
	d, err := s.Deliver(t.Context(), ref, mail.Meta{Key: r.Keys[0]}, bodyOf("new"))
	require.NoError(t, err)
	_, err = s.Commit(t.Context(), ref, []driver.Delivery{d})
	require.NoError(t, err)
	require.Equal(t, "new", read(t, s, "F", r.Keys[0])[r.Keys[0]])

	for _, bad := range []mail.Key{"a/b", ".hidden", "a:2,S", "x\x00"} {
		_, err := s.Deliver(t.Context(), ref, mail.Meta{Key: bad}, bodyOf("x"))
		require.ErrorIs(t, err, fault.Internal, "%q", bad)
	}
}
