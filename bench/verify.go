//go:build linux

package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// held is a message as one side has it.
type held struct {
	Digest digest
	Flags  string // Maildir letters, sorted
	Path   string // of the file, near
	UID    uint32 // far
}

// mailbox is what one side has, by folder.
type mailbox map[string][]held

func (m mailbox) messages() (n int) {
	for _, f := range m {
		n += len(f)
	}
	return n
}

// letters are the flags that all tools and both sides can have.
const letters = "DFRST"

// readNear reads all of a Maildir tree.
func readNear(root string, added []string) (mailbox, error) {
	out := mailbox{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if name := entry.Name(); name == "cur" || name == "new" || name == "tmp" {
			return filepath.SkipDir
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		list, err := readMaildir(path, added)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		out[filepath.ToSlash(name)] = list
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the Maildir: %w", err)
	}
	return out, nil
}

func readMaildir(path string, added []string) ([]held, error) {
	d, buf, out := newDigester(added), make([]byte, 64<<10), []held{}
	for _, sub := range []string{"cur", "new"} {
		files, err := os.ReadDir(filepath.Join(path, sub))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			m := held{Path: filepath.Join(path, sub, file.Name())}
			if _, info, ok := strings.Cut(file.Name(), ":2,"); ok {
				m.Flags = maildirFlags(info)
			}
			d.reset()
			if err := copyFile(d, m.Path, buf); err != nil {
				return nil, err
			}
			m.Digest = d.sum()
			out = append(out, m)
		}
	}
	return out, nil
}

// maildirFlags returns those of the letters that all tools know, sorted.
func maildirFlags(info string) string {
	var out []byte
	for _, c := range []byte(letters) {
		if strings.IndexByte(info, c) >= 0 {
			out = append(out, c)
		}
	}
	return string(out)
}

func copyFile(to io.Writer, path string, buf []byte) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = io.CopyBuffer(to, struct{ io.Reader }{f}, buf)
	return err
}

// compare tells how a mailbox differs from what it should be.
func compare(side string, want, got mailbox) (problems []string) {
	names := map[string]bool{}
	for name := range want {
		names[name] = true
	}
	for name := range got {
		names[name] = true
	}
	for name := range names {
		if _, ok := got[name]; !ok {
			problems = append(problems, fmt.Sprintf("%s has no folder %s", side, name))
			continue
		}
		if _, ok := want[name]; !ok {
			problems = append(problems, fmt.Sprintf("%s has a folder %s", side, name))
			continue
		}
		if d := differ(want[name], got[name]); d != "" {
			problems = append(problems, fmt.Sprintf("%s, %s: %s", side, name, d))
		}
	}
	slices.Sort(problems)
	return problems
}

// differ compares two folders as multisets of content and flags; "" when they are
// equal. Where they are in the folder does not count.
func differ(want, got []held) string {
	want, got = sorted(want), sorted(got)
	var missing, more, flags int
	for len(want) > 0 || len(got) > 0 {
		switch c := order(want, got); {
		case c < 0:
			missing, want = missing+1, want[1:]
		case c > 0:
			more, got = more+1, got[1:]
		default:
			if want[0].Flags != got[0].Flags {
				flags++
			}
			want, got = want[1:], got[1:]
		}
	}
	if missing+more+flags == 0 {
		return ""
	}
	return fmt.Sprintf("%d missing or changed, %d that should not be, %d with other flags", missing, more, flags)
}

func order(a, b []held) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	return bytes.Compare(a[0].Digest[:], b[0].Digest[:])
}

func sorted(list []held) []held {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b held) int {
		return cmp.Or(bytes.Compare(a.Digest[:], b.Digest[:]), strings.Compare(a.Flags, b.Flags))
	})
	return list
}
