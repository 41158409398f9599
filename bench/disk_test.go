//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWorkIsWhereDovecotCanGetTo(t *testing.T) {
	above, err := os.MkdirTemp("/tmp", "bench-test-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(above)) })
	work := filepath.Join(above, "work")
	if os.Getuid() == 0 {
		_, err = makeDir(work)
		require.ErrorContains(t, err, "chmod o+x "+above)
		require.NoError(t, os.Chmod(above, 0o711))
	}
	dir, err := makeDir(work)
	require.NoError(t, err)
	require.Equal(t, work, filepath.Dir(dir))
	again, err := makeDir(work)
	require.NoError(t, err)
	require.NotEqual(t, dir, again)
	_, err = makeDir(filepath.Join(work, strings.Repeat("long", 12)))
	require.ErrorContains(t, err, "at most 50 bytes")
}
