package scenario_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/imapfw/imapfw/host/mail"
)

// maildirSide is a tree of Maildirs on disk, changed as mail readers change it:
// flags are names, a move is a rename. Folders are called by their directories,
// which is what the layout "verbatim" calls them too.
type maildirSide struct {
	root   string
	serial int
	saved  string
}

func newMaildirSide(root string) *maildirSide { return &maildirSide{root: root} }

func (s *maildirSide) lua(options string) string {
	return fmt.Sprintf("api.maildir { path = %q, fsync = false, %s }", s.root, options)
}

func (s *maildirSide) dir(folder string) string { return filepath.Join(s.root, folder) }

// letters are those of the flags that have one everywhere.
var letters = map[string]byte{`\Draft`: 'D', `\Flagged`: 'F', `$Forwarded`: 'P', `\Answered`: 'R', `\Seen`: 'S', `\Deleted`: 'T'}

func (s *maildirSide) list() (content, error) {
	out := content{}
	err := filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || !d.IsDir():
			return err
		}
		if _, err := os.Stat(filepath.Join(path, "cur")); err != nil {
			return nil
		}
		folder, _ := filepath.Rel(s.root, path)
		out[folder], err = s.messages(path)
		return err
	})
	return out, err
}

// messages reads one folder.
func (s *maildirSide) messages(dir string) ([]found, error) {
	words, err := keywords(dir)
	if err != nil {
		return nil, err
	}
	var out []found
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			f := found{key: sub + "/" + e.Name()}
			info, err := e.Info()
			if err != nil {
				return nil, err
			}
			f.date = info.ModTime().Truncate(1e9)
			if f.body, err = os.ReadFile(filepath.Join(dir, f.key)); err != nil {
				return nil, err
			}
			f.flags = flagsOf(e.Name(), words)
			out = append(out, f)
		}
	}
	return out, nil
}

func flagsOf(name string, words map[byte]string) mail.Flags {
	_, info, _ := strings.Cut(name, ":2,")
	var names []string
	for _, c := range []byte(info) {
		for flag, letter := range letters {
			if letter == c {
				names = append(names, flag)
			}
		}
		if c >= 'a' && c <= 'z' {
			word := words[c]
			if word == "" {
				word = "?" + string(c)
			}
			names = append(names, word)
		}
	}
	return mail.NewFlags(names...)
}

// keywords reads the table that Dovecot keeps in a folder.
func keywords(dir string) (map[byte]string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "dovecot-keywords"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	out := map[byte]string{}
	for line := range strings.Lines(string(text)) {
		var n int
		var word string
		if _, err := fmt.Sscan(line, &n, &word); err == nil && n < 26 {
			out['a'+byte(n)] = word
		}
	}
	return out, nil
}

// letter returns the letter of a flag in a folder, making one for a keyword that
// has none.
func (s *maildirSide) letter(dir, flag string) (byte, error) {
	if l, ok := letters[flag]; ok {
		return l, nil
	}
	words, err := keywords(dir)
	if err != nil {
		return 0, err
	}
	for l, word := range words {
		if strings.EqualFold(word, flag) {
			return l, nil
		}
	}
	f, err := os.OpenFile(filepath.Join(dir, "dovecot-keywords"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	_, err = fmt.Fprintf(f, "%d %s\n", len(words), flag)
	return 'a' + byte(len(words)), errors.Join(err, f.Close())
}

// info writes flags as the end of a file's name.
func (s *maildirSide) info(dir string, flags mail.Flags) (string, error) {
	var list []byte
	for _, flag := range flags.Strings() {
		l, err := s.letter(dir, flag)
		if err != nil {
			return "", err
		}
		list = append(list, l)
	}
	return ":2," + sortLetters(list), nil
}

func sortLetters(list []byte) string {
	var out strings.Builder
	for c := byte('A'); c <= 'z'; c++ {
		if strings.IndexByte(string(list), c) >= 0 {
			out.WriteByte(c)
		}
	}
	return out.String()
}

func (s *maildirSide) makeFolder(name string) error {
	for _, sub := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(s.dir(name), sub), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// add delivers as a mail server does: into new/ what has no flags.
func (s *maildirSide) add(folder string, m *message, flags mail.Flags) error {
	s.serial++
	name := fmt.Sprintf("%d.M%dP%d.scenario", m.date.Unix(), s.serial, s.serial)
	sub := "new/"
	if !flags.Empty() {
		info, err := s.info(s.dir(folder), flags)
		if err != nil {
			return err
		}
		name, sub = name+info, "cur/"
	}
	tmp := filepath.Join(s.dir(folder), "tmp", name)
	if err := os.WriteFile(tmp, m.body, 0o600); err != nil {
		return err
	}
	if err := os.Chtimes(tmp, m.date, m.date); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(s.dir(folder), sub+name))
}

func (s *maildirSide) flag(folder string, f found, add, remove mail.Flags) error {
	dir := s.dir(folder)
	info, err := s.info(dir, f.flags.Minus(remove).Union(add))
	if err != nil {
		return err
	}
	name, _, _ := strings.Cut(filepath.Base(f.key), ":2,")
	return os.Rename(filepath.Join(dir, f.key), filepath.Join(dir, "cur", name+info))
}

func (s *maildirSide) remove(folder string, list []found) error {
	for _, f := range list {
		if err := os.Remove(filepath.Join(s.dir(folder), f.key)); err != nil {
			return err
		}
	}
	return nil
}

// move renames a file, as mutt and mv do: its name stays the same.
func (s *maildirSide) move(folder string, f found, to string) error {
	name, _, _ := strings.Cut(filepath.Base(f.key), ":2,")
	if !f.flags.Empty() {
		info, err := s.info(s.dir(to), f.flags)
		if err != nil {
			return err
		}
		name += info
	}
	return os.Rename(filepath.Join(s.dir(folder), f.key), filepath.Join(s.dir(to), filepath.Dir(f.key), name))
}

func (s *maildirSide) dropFolder(name string) error { return os.RemoveAll(s.dir(name)) }

func (s *maildirSide) renameFolder(name, to string) error {
	if err := os.MkdirAll(filepath.Dir(s.dir(to)), 0o700); err != nil {
		return err
	}
	return os.Rename(s.dir(name), s.dir(to))
}

// renumber makes the folder anew and puts the files into it under other names.
func (s *maildirSide) renumber(folder string) error {
	old := s.dir(folder) + ".old"
	if err := os.Rename(s.dir(folder), old); err != nil {
		return err
	}
	if err := s.makeFolder(folder); err != nil {
		return err
	}
	list, err := s.messages(old)
	if err != nil {
		return err
	}
	words := "/dovecot-keywords"
	if err := os.Rename(old+words, s.dir(folder)+words); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, f := range list {
		s.serial++
		_, info, _ := strings.Cut(f.key, ":2,")
		if info != "" {
			info = ":2," + info
		}
		to := fmt.Sprintf("%s/9.M%dP%d.scenario%s", filepath.Dir(f.key), s.serial, s.serial, info)
		if err := os.Rename(filepath.Join(old, f.key), filepath.Join(s.dir(folder), to)); err != nil {
			return err
		}
	}
	return os.RemoveAll(old)
}

func (s *maildirSide) backup() error {
	s.saved = s.root + ".backup"
	return copyTree(s.root, s.saved)
}

// copyTree copies files with their times, which are the messages' dates.
func copyTree(from, to string) error { return exec.Command("cp", "-a", from, to).Run() }

func (s *maildirSide) restore() error {
	if err := os.RemoveAll(s.root); err != nil {
		return err
	}
	return os.Rename(s.saved, s.root)
}

// vanish is what a disk looks like that is not mounted.
func (s *maildirSide) vanish() error {
	if err := os.Rename(s.root, s.root+".away"); err != nil {
		return err
	}
	return os.Mkdir(s.root, 0o700)
}

func (s *maildirSide) appear() error {
	if err := os.RemoveAll(s.root); err != nil {
		return err
	}
	return os.Rename(s.root+".away", s.root)
}
