package durable

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/timing"
)

// files makes n files in a new folder, which d watches or not.
// wholesale skips a test where a sync of everything is not to be had.
func wholesale(t *testing.T) {
	t.Helper()
	dir, err := os.Open(t.TempDir())
	require.NoError(t, err)
	defer dir.Close()
	if !canSyncFS() || !answersForAll(dir) {
		t.Skip("needs syncfs(2) that tells of failures")
	}
}

func files(t *testing.T, d *Disk, n int, watched bool) (dir string, paths []string) {
	t.Helper()
	dir = t.TempDir()
	if watched {
		require.NoError(t, d.Watch(dir))
	}
	for i := range n {
		path := filepath.Join(dir, strconv.Itoa(i))
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
		paths = append(paths, path)
	}
	return dir, paths
}

// synced has files synced, and insists that everything else is so too, or is not.
func synced(t *testing.T, d *Disk, dir string, paths []string, everything bool) {
	t.Helper()
	all, err := d.Files(t.Context(), dir, paths)
	require.NoError(t, err)
	require.Equal(t, everything, all)
}

func TestManyFilesAreOneSync(t *testing.T) {
	wholesale(t)
	r := timing.New()
	d := New(false, r)
	defer d.Close()
	dir, paths := files(t, d, 100, true)
	synced(t, d, dir, paths, true)
	require.EqualValues(t, 1, r.Figures().Count(timing.Syncs))
}

// TestUnwatched: without a file system that was open while they were written, a
// syncfs would not tell of writes that failed.
func TestUnwatched(t *testing.T) {
	r := timing.New()
	d := New(false, r)
	defer d.Close()
	dir, paths := files(t, d, 100, false)
	synced(t, d, dir, paths, false)
	require.EqualValues(t, 100, r.Figures().Count(timing.Syncs))

	dir, paths = files(t, d, 100, true)
	d.Close()
	synced(t, d, dir, paths, false)
	require.EqualValues(t, 200, r.Figures().Count(timing.Syncs), "nothing is watched any more")
}

func TestWhatIsGoneIsNoError(t *testing.T) {
	d := New(false, nil)
	defer d.Close()
	dir, paths := files(t, d, 2, false)
	require.NoError(t, os.Remove(paths[0]))
	synced(t, d, dir, paths, false)
	require.NoError(t, d.Dirs(filepath.Join(dir, "none"), dir))
	require.Error(t, d.Watch(filepath.Join(dir, "none")))
}

func TestOff(t *testing.T) {
	r := timing.New()
	d := New(true, r)
	defer d.Close()
	dir, paths := files(t, d, 3, true)
	synced(t, d, dir, paths, true)
	require.NoError(t, d.Dirs(dir))
	require.Zero(t, r.Figures().Count(timing.Syncs))
	_, ok := r.Figures().Phase(timing.Sync)
	require.False(t, ok)
}

// TestSyncThatFailed: syncfs tells once of a write that failed, whosever it was. So
// each file is asked from then on.
func TestSyncThatFailed(t *testing.T) {
	wholesale(t)
	r := timing.New()
	d := New(false, r)
	dir, paths := files(t, d, 10, true)
	require.Len(t, d.systems, 1)
	for _, f := range d.systems {
		require.NoError(t, f.Close()) // so it fails
	}
	synced(t, d, dir, paths, false)
	require.EqualValues(t, 10, r.Figures().Count(timing.Syncs))
	d.Close()
	require.NoError(t, d.Watch(dir))
	defer d.Close()
	synced(t, d, dir, paths, false)
	require.EqualValues(t, 20, r.Figures().Count(timing.Syncs), "although it would not fail now")
}

// TestLinkedFilesAreAskedOneByOne: what others are writing is not waited for.
func TestLinkedFilesAreAskedOneByOne(t *testing.T) {
	r := timing.New()
	d := New(false, r)
	defer d.Close()
	dir, paths := files(t, d, 10, true)
	require.NoError(t, os.Remove(paths[0]))
	require.NoError(t, d.Linked(t.Context(), paths))
	require.EqualValues(t, 10, r.Figures().Count(timing.Syncs))
	require.NoError(t, d.Linked(t.Context(), nil))
	require.EqualValues(t, 10, r.Figures().Count(timing.Syncs))
	require.Error(t, d.Linked(t.Context(), []string{filepath.Join(dir, "1", "no folder")}))
}

func TestTheOtherWayIsTriedAgain(t *testing.T) {
	d := New(false, nil)
	d.learn(&d.whole, time.Minute) // somebody else was writing a lot
	require.Equal(t, time.Minute, d.whole)
	tries := 0
	for ; d.whole > 100*d.each; tries++ {
		d.learn(&d.whole, 0)
	}
	require.Less(t, tries, 300, "it is not given up for ever")
}
