package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
)

// timingOf is what --timing --json tells about the stores.
func timingOf(t testing.TB, out string) map[string]map[string]any {
	var doc struct {
		Timing struct {
			Stores []map[string]any `json:"stores"`
		} `json:"timing"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &doc))
	stores := map[string]map[string]any{}
	for _, s := range doc.Timing.Stores {
		stores[s["store"].(string)] = s
	}
	return stores
}

// The connections of a run are counted where they are, and told by the command:
// what a run without news costs is a promise.
func TestTimingOfConnections(t *testing.T) {
	srv, _ := embedded(t, imaptest.Options{}, 20)
	home := t.TempDir()
	file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "user", "secret", ""), maildirStore(filepath.Join(home, "near")), ""))
	first := ok(t, home, "sync", "--timing", file)
	require.Regexp(t, `(?m)^me.far: \d+ connections?, \d+ round trips, \d+ commands, [\d.]+ \w+ sent, [\d.]+ \w+ received$`, first.err)
	require.Regexp(t, `(?m)^  connect and sign in +([\d.]+ m?s +){4}\d+$`, first.err)
	require.Regexp(t, `(?m)^me.near: \d+ directories read, 20 files written, \d+ syncs$`, first.err)

	far := timingOf(t, ok(t, home, "sync", "--timing", "--json", file).out)["me.far"]
	require.EqualValues(t, 1, far["connections"])
	require.LessOrEqual(t, far["round_trips"], 10.0)
	require.LessOrEqual(t, far["commands"], 10.0)
	require.NotZero(t, far["bytes_up"])
	require.NotZero(t, far["bytes_down"])
}

// A run that is interrupted leaves what it has recorded.
func TestInterruptLeavesAProfileAndFigures(t *testing.T) {
	srv, _ := embedded(t, imaptest.Options{}, 20)
	gate, reached := make(chan struct{}), make(chan struct{}, 100)
	srv.Hook(func(c imaptest.Command) error {
		if c.Bodies {
			reached <- struct{}{}
			<-gate
		}
		return nil
	})
	home := t.TempDir()
	file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "user", "secret", ""), maildirStore(filepath.Join(home, "near")), ""))
	cmd := command(t, home, "sync", "--timing", "--profile", "cpu", file)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	require.NoError(t, cmd.Start())
	<-reached
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	time.Sleep(100 * time.Millisecond) // nothing tells that it was heard
	close(gate)
	_ = cmd.Wait()
	require.Equal(t, 130, cmd.ProcessState.ExitCode(), errs.String())
	require.Contains(t, errs.String(), "the profile is in ")
	require.Contains(t, errs.String(), "copy: far to near")
	require.FileExists(t, filepath.Join(home, "imapfw-cpu.pprof"))
}
