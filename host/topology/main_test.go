package topology_test

import (
	"context"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// The test binary is also the child it starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "test-child" {
		in, out, err := worker.ChildPipes()
		if err == nil {
			err = worker.ServeChild(context.Background(), in, out, func(wire.Value) (worker.Registry, error) { return registry(), nil })
		}
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // for the children: each would take a second to end
	goleak.VerifyTestMain(m)
}
