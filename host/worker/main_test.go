package worker_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// The test binary is also the child it starts, and a parent that gets killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "test-child":
			os.Exit(child())
		case "test-parent":
			parent()
		case "test-mute-parent": // of a child that never speaks
			h := worker.NewHost(worker.Options{Command: command("test-mute"), Stdout: os.Stdout})
			_ = h.Start(context.Background(), worker.Spec{Name: "mute", Backend: worker.Process})
		case "test-mute": // nor listens
			fmt.Println(os.Getpid())
			time.Sleep(time.Minute)
			os.Exit(1)
		}
	}
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // for the children: each would take a second to end
	goleak.VerifyTestMain(m)
}

func child() int {
	in, out, err := worker.ChildPipes()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	err = worker.ServeChild(context.Background(), in, out, func(setup wire.Value) (worker.Registry, error) {
		if setup == "broken" {
			return nil, fmt.Errorf("the setup is broken")
		}
		return registry(nil), nil
	})
	if err != nil {
		return 1
	}
	return 0
}

// parent starts two children, tells their process ids, and waits to be killed.
func parent() {
	h := worker.NewHost(worker.Options{Command: command("test-child")})
	for _, name := range []string{"a", "b"} {
		if err := h.Start(context.Background(), worker.Spec{Name: name, Kind: "probe", Backend: worker.Process}); err != nil {
			panic(err)
		}
		pid, err := h.Channel(name).Call(context.Background(), &worker.Call{Op: "pid"})
		if err != nil {
			panic(err)
		}
		fmt.Println(pid)
	}
	select {}
}

func command(mode string) []string {
	argv, err := worker.SelfCommand(mode)
	if err != nil {
		panic(err)
	}
	return argv
}
