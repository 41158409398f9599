//go:build unix

package worker_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

var process = mode{"process", worker.Process, false}

func TestAKilledChildIsACrash(t *testing.T) {
	b := newBench(t, process)
	c := b.probe()
	pid := b.pid(c)
	var calls worker.Group
	for range 3 {
		calls.Go("hold", func() error {
			_, err := b.call(c, "hold", nil)
			if !errors.Is(err, fault.Crashed) || errors.Is(err, context.Canceled) {
				return errors.Join(errors.New("not a crash"), err)
			}
			return nil
		})
	}
	b.await("held")
	s := b.open(c, "copy", nil)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.NoError(t, calls.Wait())
	_, err := s.Recv(b.ctx)
	require.ErrorIs(t, err, fault.Crashed)
	_, err = s.Wait()
	require.ErrorIs(t, err, fault.Crashed)

	e := b.exit()
	require.Equal(t, "probe", e.Worker)
	require.ErrorIs(t, e.Err, fault.Crashed)
	require.ErrorContains(t, e.Err, "signal: killed")
	require.True(t, fault.IsTemporary(e.Err), "a signal from outside may not come again")
	_, err = b.call(c, "echo", nil)
	require.ErrorIs(t, err, fault.Stopped)
	require.True(t, fault.IsTemporary(err))

	b.probe()
	require.NotEqual(t, pid, b.pid(c))
	require.Equal(t, []worker.Exit{{Worker: "probe"}}, b.finish())
	requireDead(t, pid)
}

func TestAChildThatExitsIsACrash(t *testing.T) {
	b := newBench(t, process)
	_, err := b.call(b.probe(), "exit", nil)
	require.ErrorIs(t, err, fault.Crashed)
	e := b.exit()
	require.ErrorContains(t, e.Err, "exit status 9")
	require.False(t, fault.IsTemporary(e.Err), "it would do it again")
	var f *fault.Error
	require.ErrorAs(t, e.Err, &f)
	require.Equal(t, "last words\n", f.Trace)
	require.Contains(t, b.logged(), "last words")
}

func TestAChildThatDoesNotStart(t *testing.T) {
	b := newBench(t, process)
	err := b.Start(b.ctx, b.spec("probe", "probe", wire.Map{"start": "die"}, nil))
	require.ErrorIs(t, err, fault.Crashed)
	require.ErrorContains(t, err, "exit status 7")

	b = newBench(t, process, func(o *worker.Options) { o.Setup = "broken" })
	require.ErrorContains(t, b.Start(b.ctx, b.spec("probe", "probe", nil, nil)), "the setup is broken")

	b = newBench(t, process, func(o *worker.Options) { o.Command = []string{"/nonexistent/imapfw"} })
	require.ErrorIs(t, b.Start(b.ctx, b.spec("probe", "probe", nil, nil)), fault.IO)

	b = newBench(t, process, func(o *worker.Options) { o.Command = nil })
	require.ErrorIs(t, b.Start(b.ctx, b.spec("probe", "probe", nil, nil)), fault.Unsupported)

	b = newBench(t, process, func(o *worker.Options) { o.Command = command("test-mute") })
	ctx, cancel := context.WithTimeout(b.ctx, 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, b.Start(ctx, b.spec("probe", "probe", nil, nil)), context.DeadlineExceeded)
	require.Empty(t, b.finish())
}

func TestCloseLeavesNoChild(t *testing.T) {
	b := newBench(t, process)
	var pids []int
	for _, name := range []string{"a", "b", "c"} {
		pids = append(pids, b.pid(b.start(name, "probe", nil, nil)))
	}
	b.Kill("b")
	require.Len(t, b.finish(), 3)
	for _, pid := range pids {
		require.False(t, alive(pid), "it was reaped")
	}
}

// However the parent dies, its children do not outlive it; on Linux not even
// one that does not notice.
func TestChildrenDieWithTheirParent(t *testing.T) {
	for mode, children := range map[string]int{"test-parent": 2, "test-mute-parent": 1} {
		t.Run(mode, func(t *testing.T) {
			if mode == "test-mute-parent" && runtime.GOOS != "linux" {
				t.Skip("only Linux kills a process with its parent")
			}
			argv := command(mode)
			parent := exec.Command(argv[0], argv[1:]...)
			parent.Stderr = os.Stderr
			out, err := parent.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, parent.Start())
			var pids []int
			lines := bufio.NewScanner(out)
			for len(pids) < children && lines.Scan() {
				pid, err := strconv.Atoi(lines.Text())
				require.NoError(t, err)
				require.True(t, alive(pid))
				pids = append(pids, pid)
			}
			require.Len(t, pids, children)
			require.NoError(t, parent.Process.Kill())
			_ = parent.Wait()
			for _, pid := range pids {
				requireDead(t, pid)
			}
		})
	}
}

func TestAChildHasAProcessGroupOfItsOwn(t *testing.T) {
	b := newBench(t, process)
	pid := b.pid(b.probe())
	group, err := syscall.Getpgid(pid)
	require.NoError(t, err)
	require.Equal(t, pid, group, "Ctrl-C reaches the parent only")
}

func TestSecretsAreInFramesOnly(t *testing.T) {
	const secret = "correct horse battery staple"
	b := newBench(t, process, func(o *worker.Options) { o.Setup = wire.Map{"password": secret} })
	c := b.start("probe", "probe", wire.Map{"password": secret}, nil)
	for _, file := range []string{"cmdline", "environ"} {
		shown, err := os.ReadFile("/proc/" + itoa(b.pid(c)) + "/" + file)
		if err != nil {
			t.Skipf("no /proc here: %v", err)
		}
		require.NotContains(t, string(shown), secret)
	}
	require.NotContains(t, b.logged(), secret)
}

func TestChildrenLogThroughTheParent(t *testing.T) {
	b := newBench(t, process)
	b.must(b.probe(), "log", nil)
	require.NoError(t, b.Host.Stop(b.ctx, "probe"))
	require.Contains(t, b.logged(), `level=INFO msg="from the worker" worker=probe n=1 g.key=value`)
	require.Contains(t, b.logged(), `level=WARN msg="a line on stderr" worker=probe`)
	require.NotContains(t, b.logged(), "not wanted")
}

func TestStdoutOfAChildIsItsOwn(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	b := newBench(t, process, func(o *worker.Options) { o.Stdout = w })
	b.must(b.probe(), "print", nil)
	require.NoError(t, b.Close(b.ctx))
	require.NoError(t, w.Close())
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "to stdout\n", string(got))
}

// A child that is stopped holds nobody up who gives up waiting.
func TestAStoppedChildHoldsNobodyUp(t *testing.T) {
	b := newBench(t, process)
	c := b.probe()
	pid := b.pid(c)
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	ctx, cancel := context.WithTimeout(b.ctx, 300*time.Millisecond)
	defer cancel()
	var calls worker.Group
	for range 20 { // far more than the pipe takes
		calls.Go("call", func() error {
			_, err := c.Call(ctx, &worker.Call{Op: "echo", Args: make([]byte, 1<<20)})
			if !errors.Is(err, context.DeadlineExceeded) {
				return errors.Join(errors.New("not the deadline"), err)
			}
			return nil
		})
	}
	require.NoError(t, calls.Wait())
	ctx, cancel = context.WithTimeout(b.ctx, 50*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, b.Host.Stop(ctx, "probe"), "did not stop in time")
	requireDead(t, pid)
}

// served runs ServeChild in this process over pipes that the test holds.
func served(t *testing.T, toChild, fromChild *os.File, in, out *os.File) <-chan error {
	t.Cleanup(func() { _, _, _, _ = toChild.Close(), fromChild.Close(), in.Close(), out.Close() })
	done := make(chan error, 1)
	go func() {
		done <- worker.ServeChild(context.Background(), in, out, func(wire.Value) (worker.Registry, error) { return registry(nil), nil })
	}()
	return done
}

func pipes(t *testing.T) (toChild, fromChild, in, out *os.File) {
	in, toChild, err := os.Pipe()
	require.NoError(t, err)
	fromChild, out, err = os.Pipe()
	require.NoError(t, err)
	return toChild, fromChild, in, out
}

// Where the kernel does not kill a child with its parent, the end of the link
// does it.
func TestTheEndOfTheLinkEndsTheChild(t *testing.T) {
	for name, begin := range map[string]func(io.Writer){
		"at once":  func(io.Writer) {},
		"half way": func(w io.Writer) { _, _ = w.Write([]byte{0, 0}) },
		"running":  func(w io.Writer) { greet(w) },
	} {
		t.Run(name, func(t *testing.T) {
			toChild, fromChild, in, out := pipes(t)
			done := served(t, toChild, fromChild, in, out)
			begin(toChild)
			if name == "running" {
				_, err := wire.NewFrameReader(fromChild).Read() // it is ready
				require.NoError(t, err)
			}
			require.NoError(t, toChild.Close())
			require.ErrorIs(t, <-done, fault.Stopped)
		})
	}
}

func TestAChildRefusesWhatIsNoFrame(t *testing.T) {
	toChild, fromChild, in, out := pipes(t)
	done := served(t, toChild, fromChild, in, out)
	_, err := toChild.Write(bytes.Repeat([]byte{0xff}, 64))
	require.NoError(t, err)
	require.ErrorIs(t, <-done, fault.Protocol)

	toChild, fromChild, in, out = pipes(t)
	done = served(t, toChild, fromChild, in, out)
	greet(toChild)
	w := wire.NewFrameWriter(toChild)
	require.NoError(t, w.Write(wire.Frame{Type: 99}))
	require.NoError(t, w.Flush())
	require.ErrorContains(t, <-done, "unknown type 99")
}

// A link whose files block, as os.NewFile makes them of inherited ones, does
// not keep the child from ending.
func TestABlockingLink(t *testing.T) {
	toChild, fromChild, in, out := pipes(t)
	in.Fd() // makes it a blocking file
	done := served(t, toChild, fromChild, in, out)
	greet(toChild)
	w := wire.NewFrameWriter(toChild)
	require.NoError(t, w.Write(wire.Frame{Type: 13})) // stop
	require.NoError(t, w.Flush())
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(waitFor):
		t.Fatal("it does not end")
	}
}

// What a child started neither hides its death nor outlives it.
func TestAGrandchildDiesWithTheChild(t *testing.T) {
	b := newBench(t, process)
	c := b.probe()
	grandchild := int(b.must(c, "grandchild", nil).(int64))
	require.True(t, alive(grandchild))
	require.NoError(t, syscall.Kill(b.pid(c), syscall.SIGKILL))
	require.ErrorIs(t, b.exit().Err, fault.Crashed)
	requireDead(t, grandchild)

	grandchild = int(b.must(b.probe(), "grandchild", nil).(int64))
	require.Equal(t, []worker.Exit{{Worker: "probe"}}, b.finish())
	requireDead(t, grandchild)
}

// greet sends the frame that starts a probe.
func greet(w io.Writer) {
	head := wire.Map{"name": "probe", "kind": "probe", "class": "", "channels": wire.Map{}, "strict": false, "level": int64(slog.LevelInfo)}
	b, _ := wire.AppendAs(nil, "spec", head)
	b, _ = wire.AppendAs(b, "params", nil)
	b, _ = wire.AppendAs(b, "setup", nil)
	fw := wire.NewFrameWriter(w)
	_ = fw.Write(wire.Frame{Type: 1, Payload: b})
	_ = fw.Flush()
}

func TestChildPipesOutsideOfAChild(t *testing.T) {
	argv := command("test-child")
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "this command is for imapfw itself")
	require.Equal(t, 1, strings.Count(string(out), "\n"))
}
