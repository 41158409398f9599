//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// launched runs a shell script as the launcher does.
func launched(t *testing.T, timeout, script string) (usage, string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	var out bytes.Buffer
	require.NoError(t, launch([]string{log, timeout, "/bin/sh", "-c", script}, &out))
	var u usage
	require.NoError(t, json.Unmarshal(out.Bytes(), &u))
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	return u, string(text)
}

func TestLauncherTellsWhatACommandCost(t *testing.T) {
	u, text := launched(t, "1m", "echo said; (i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done); exit 3")
	require.Equal(t, "said\n", text)
	require.Equal(t, 3, u.Exit)
	require.False(t, u.TimedOut)
	require.Positive(t, u.User, "its children count")
	require.GreaterOrEqual(t, u.Wall, 0.0)
	require.Positive(t, u.PeakKiB)
}

func TestLauncherEndsWhatTakesTooLong(t *testing.T) {
	u, _ := launched(t, "20ms", "sleep 60 & wait")
	require.True(t, u.TimedOut)
	require.Equal(t, -1, u.Exit)
}
