package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// readMaildir reads a tree of Maildirs, whatever wrote it.
func readMaildir(t testing.TB, root string) mailbox {
	box := mailbox{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || d.Name() != "cur" {
			return err
		}
		name, err := filepath.Rel(root, filepath.Dir(path))
		require.NoError(t, err)
		box[filepath.ToSlash(name)] = readFolder(t, filepath.Dir(path))
		return fs.SkipDir
	})
	require.NoError(t, err)
	return box
}

func readFolder(t testing.TB, dir string) bag {
	content := bag{}
	keywords := folderKeywords(dir)
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		require.NoError(t, err)
		for _, e := range entries {
			body, err := os.ReadFile(filepath.Join(dir, sub, e.Name()))
			require.NoError(t, err)
			var flags []string
			if _, info, ok := strings.Cut(e.Name(), ":2,"); ok {
				for _, l := range info {
					if k, ok := keywords[l]; ok {
						flags = append(flags, "{"+k+"}")
					} else {
						flags = append(flags, string(l))
					}
				}
			}
			slices.Sort(flags)
			content[digest(body)+" "+strings.Join(flags, "")]++
		}
	}
	return content
}

func folderKeywords(dir string) map[rune]string {
	out := map[rune]string{}
	text, _ := os.ReadFile(filepath.Join(dir, "dovecot-keywords"))
	for line := range strings.Lines(string(text)) {
		var n int
		var name string
		if _, err := fmt.Sscanf(line, "%d %s", &n, &name); err == nil {
			out[rune('a'+n)] = strings.ToLower(name)
		}
	}
	return out
}

// files lists every message file of a tree with its times: what a run that
// changes nothing leaves as it is.
func files(t testing.TB, root string) []string {
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && slices.Contains([]string{"cur", "new"}, filepath.Base(filepath.Dir(path))) {
			info, err := d.Info()
			require.NoError(t, err)
			out = append(out, fmt.Sprint(path, info.ModTime(), info.Size()))
		}
		return err
	})
	require.NoError(t, err)
	return out
}

func makeMaildir(t testing.TB, dir string) {
	for _, sub := range []string{"cur", "new", "tmp"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, sub), 0o700))
	}
}

// oddCorpus makes messages of every awkward kind, the same for the same seed.
func oddCorpus(seed uint64, n int) [][]byte {
	rnd := rand.New(rand.NewPCG(seed, 1))
	words := strings.Fields("lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor")
	text := func(size int) []byte {
		var b bytes.Buffer
		for b.Len() < size {
			for range 8 {
				b.WriteString(words[rnd.IntN(len(words))] + " ")
			}
			b.WriteByte('\n')
		}
		return b.Bytes()
	}
	var out [][]byte
	for i := range n {
		id := fmt.Sprintf("Message-ID: <%d.%d@corpus.example>\n", seed, i)
		head := fmt.Sprintf("From: a@example.org\nTo: b@example.org\nSubject: number %d of %d\n", i, seed)
		body := text(200 + rnd.IntN(6000))
		switch i % 50 {
		case 0:
			out = append(out, nil)
			continue
		case 1:
			head = "Subject: caf\xe9 \xff\xfe\n" + head
		case 2:
			id = ""
		case 3:
			id = "Message-ID: <equal@corpus.example>\n"
		case 4:
			body = append([]byte("before\x00after\x00\x00"), body...)
		case 5:
			body = bytes.TrimRight(body, "\n")
		case 6:
			body = append(body, "a bare \r carriage return\n"...)
		case 7:
			head, id = "", ""
		case 8:
			body = text(300_000)
		}
		if i == 9 {
			body = text(20 << 20)
		}
		out = append(out, []byte(id+head+"\n"+string(body)))
	}
	return out
}

// sendable leaves out what no IMAP server takes: an empty message.
func sendable(bodies [][]byte) [][]byte {
	return slices.DeleteFunc(bodies, func(b []byte) bool { return len(b) == 0 })
}

// store puts a message file into a Maildir, as a delivery agent would.
func store(t testing.TB, dir, name, flags string, body []byte, date time.Time) {
	path := filepath.Join(dir, "cur", name+":2,"+flags)
	require.NoError(t, os.WriteFile(path, body, 0o600))
	require.NoError(t, os.Chtimes(path, date, date))
}

func cutInfo(name string) (base, info string, found bool) { return strings.Cut(name, ":2,") }
