//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Measurements of different days are about the same mail.
func TestCorpusIsWhatItWas(t *testing.T) {
	for profile, want := range map[string]string{"mixed": "631fb616c1efed0a", "tiny": "ed9be32aed8bac31"} {
		h := sha256.New()
		for i := range 300 {
			h.Write(message(profile, "first", i))
			h.Write([]byte(flags(i)))
		}
		require.Equal(t, want, hex.EncodeToString(h.Sum(nil))[:16], profile)
	}
}

func TestCorpusHasThePromisedSizes(t *testing.T) {
	for _, c := range []struct {
		profile                        string
		medianMin, medianMax, mean, to int
	}{
		{"mixed", 3500, 4000, 6100, 6900},
		{"tiny", 450, 570, 450, 570},
	} {
		var sizes []int
		sum, attached := 0, 0
		for i := range 20000 {
			m := message(c.profile, "first", i)
			sizes = append(sizes, len(m))
			sum += len(m)
			if bytes.Contains(m, []byte("multipart/mixed")) {
				attached++
			}
		}
		slices.Sort(sizes)
		median, mean := sizes[len(sizes)/2], sum/len(sizes)
		t.Logf("%s: median %d, mean %d, largest %d, %d with attachments", c.profile, median, mean, sizes[len(sizes)-1], attached)
		require.True(t, c.medianMin <= median && median <= c.medianMax, "%s: median %d", c.profile, median)
		require.True(t, c.mean <= mean && mean <= c.to, "%s: mean %d", c.profile, mean)
		require.Less(t, sizes[len(sizes)-1], 1<<20+100_000)
		if c.profile == "mixed" {
			require.InDelta(t, 140, attached, 40)
		}
	}
}

func TestCorpusIsWrittenAsMaildirs(t *testing.T) {
	dir := t.TempDir()
	c := corpus{"mixed", 2, 5}
	require.NoError(t, c.write(t.Context(), dir))
	for _, f := range c.folders() {
		files, err := os.ReadDir(filepath.Join(dir, f.Name, "cur"))
		require.NoError(t, err)
		require.Len(t, files, 5)
		for i, file := range files {
			content, err := os.ReadFile(filepath.Join(dir, f.Name, "cur", file.Name()))
			require.NoError(t, err)
			require.Equal(t, message("mixed", "first", f.First+i), content)
			require.True(t, strings.HasSuffix(file.Name(), ":2,"+flags(f.First+i)))
			info, err := file.Info()
			require.NoError(t, err)
			require.True(t, info.ModTime().Equal(date(f.First+i)))
		}
	}
}
