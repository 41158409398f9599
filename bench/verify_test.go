//go:build linux

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// spoiled returns what compare says of a Maildir after something happened to it.
func spoiled(t *testing.T, spoil func(cur string, names []string)) []string {
	t.Helper()
	dir := t.TempDir()
	c := corpus{"mixed", 2, 10}
	require.NoError(t, c.write(t.Context(), dir))
	want, err := readNear(dir, nil)
	require.NoError(t, err)
	require.Equal(t, 20, want.messages())
	cur := filepath.Join(dir, c.folders()[1].Name, "cur")
	files, err := os.ReadDir(cur)
	require.NoError(t, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	spoil(cur, names)
	got, err := readNear(dir, []string{"X-TUID"})
	require.NoError(t, err)
	return compare("it", want, got)
}

// rewrite changes the content of a file.
func rewrite(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, change(content), 0o600))
}

func TestVerifyFindsWhatIsWrong(t *testing.T) {
	const at = "it, Area00/topic001: "
	for name, c := range map[string]struct {
		spoil func(cur string, names []string)
		want  []string
	}{
		"nothing": {func(string, []string) {}, nil},
		"a changed byte": {func(cur string, names []string) {
			rewrite(t, filepath.Join(cur, names[3]), func(b []byte) []byte { b[len(b)-5] ^= 1; return b })
		}, []string{at + "1 missing or changed, 1 that should not be, 0 with other flags"}},
		"a changed byte in the header": {func(cur string, names []string) {
			rewrite(t, filepath.Join(cur, names[3]), func(b []byte) []byte { b[20] ^= 1; return b })
		}, []string{at + "1 missing or changed, 1 that should not be, 0 with other flags"}},
		"a lost message": {func(cur string, names []string) {
			require.NoError(t, os.Remove(filepath.Join(cur, names[0])))
		}, []string{at + "1 missing or changed, 0 that should not be, 0 with other flags"}},
		"a doubled message": {func(cur string, names []string) {
			content, err := os.ReadFile(filepath.Join(cur, names[9]))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(cur, "again:2,"+flags(19)), content, 0o600))
		}, []string{at + "0 missing or changed, 1 that should not be, 0 with other flags"}},
		"a changed flag": {func(cur string, names []string) {
			require.NoError(t, os.Rename(filepath.Join(cur, names[5]), filepath.Join(cur, names[5]+"T")))
		}, []string{at + "0 missing or changed, 0 that should not be, 1 with other flags"}},
		"a lost folder": {func(cur string, _ []string) {
			require.NoError(t, os.RemoveAll(filepath.Dir(cur)))
		}, []string{"it has no folder Area00/topic001"}},
		"a folder more": {func(cur string, _ []string) {
			require.NoError(t, makeMaildir(filepath.Join(cur, "../../more")))
		}, []string{"it has a folder Area00/more"}},
		"what tools may do": {func(cur string, names []string) {
			rewrite(t, filepath.Join(cur, names[3]), func(b []byte) []byte { return append([]byte("X-TUID: abc\n"), b...) })
			rewrite(t, filepath.Join(cur, names[4]), func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) })
			require.NoError(t, os.Rename(filepath.Join(cur, names[5]), filepath.Join(cur, "other:2,a"+flags(15))))
		}, nil},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, spoiled(t, c.spoil)) })
	}
}

// The content comes in pieces of any size.
func TestDigestDoesNotDependOnThePieces(t *testing.T) {
	const text = "A: 1\r\nX-TUID: abc\r\n\tand more\r\nB: 2\r\n\r\nX-TUID: in the body\r\nlone \r here\r\nend\r"
	d := newDigester([]string{"X-TUID"})
	_, err := d.Write([]byte("A: 1\nB: 2\n\nX-TUID: in the body\nlone \r here\nend\r"))
	require.NoError(t, err)
	want := d.sum()
	for size := 1; size <= len(text); size++ {
		d.reset()
		for rest := text; rest != ""; rest = rest[min(size, len(rest)):] {
			_, err := d.Write([]byte(rest[:min(size, len(rest))]))
			require.NoError(t, err)
		}
		require.Equal(t, want, d.sum(), "pieces of %d", size)
	}
	d.reset()
	_, err = d.Write([]byte(strings.Replace(text, "end", "enD", 1)))
	require.NoError(t, err)
	require.NotEqual(t, want, d.sum())
}
