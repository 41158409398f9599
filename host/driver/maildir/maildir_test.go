package maildir_test

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/drivertest"
	"github.com/imapfw/imapfw/host/driver/maildir"
	"github.com/imapfw/imapfw/host/mail"
)

// grain is longer than a tick of the clock of the test's file system.
const grain = 40 * time.Millisecond

func TestConformance(t *testing.T) {
	for name, one := range map[string]struct {
		opts     maildir.Options
		features drivertest.Features
	}{
		"Verbatim":       {maildir.Options{}, drivertest.Features{}},
		"Names not kept": {maildir.Options{NoFsync: true}, drivertest.Features{}},
		"Maildir++": {maildir.Options{Subfolders: maildir.MaildirPP, InfoSeparator: "!", NoFsync: true},
			drivertest.Features{}},
		"Legacy UTF-7": {maildir.Options{Subfolders: maildir.Legacy, Encoding: maildir.UTF7, NoKeywords: true, NoFsync: true},
			drivertest.Features{NoKeywords: true}},
		"Separator": {maildir.Options{Separator: "_", Encoding: maildir.UTF7, NoFsync: true},
			drivertest.Features{}},
	} {
		one.features.LineEnds = mail.LF
		one.features.ChosenKeys, one.features.FolderIDs = true, true
		one.features.MaxKeywords = 26
		if one.features.NoKeywords {
			one.features.MaxKeywords = 0
		}
		one.features.BadNames = append(one.features.BadNames, "", "/", "a/", "/a", "a//b",
			"nul\x00", "line\n", "bad\xff", strings.Repeat("x", 256), strings.Repeat("y/", 2100)+"y")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drivertest.Run(t, drivertest.Harness{Features: one.features, New: func(t *testing.T) drivertest.Place {
				opts := one.opts
				opts.Path = filepath.Join(t.TempDir(), "Mail")
				return drivertest.Place{
					Store: func(*testing.T) driver.Store {
						if name == "Names not kept" {
							return maildir.New(opts).KeepNames(0)
						}
						return maildir.New(opts)
					},
					Add: func(t *testing.T, folder string, m drivertest.Message) {
						drop(t, dirOf(opts, folder), m)
					},
					SetFlags: func(t *testing.T, folder string, key mail.Key, flags mail.Flags) {
						setFlags(t, dirOf(opts, folder), opts.InfoSeparator, key, flags)
					},
					Remove: func(t *testing.T, folder string, key mail.Key) {
						require.NoError(t, os.Remove(fileOf(t, dirOf(opts, folder), key)))
					},
					Recreate: func(t *testing.T, folder string) {
						dir := dirOf(opts, folder)
						require.NoError(t, os.RemoveAll(dir))
						makeDirs(t, dir)
					},
					Settle: func(*testing.T) { time.Sleep(grain) },
				}
			}})
		})
	}
}

// dirOf is the directory of a folder of one level.
func dirOf(opts maildir.Options, folder string) string {
	if opts.Subfolders == maildir.MaildirPP {
		return filepath.Join(opts.Path, "."+folder)
	}
	return filepath.Join(opts.Path, folder)
}

func makeDirs(t testing.TB, dir string) {
	t.Helper()
	for _, sub := range []string{"cur", "new", "tmp"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, sub), 0o700))
	}
}

// drop delivers a message as a mail server does.
func drop(t testing.TB, dir string, m drivertest.Message) mail.Key {
	t.Helper()
	key := strconv.FormatInt(time.Now().UnixNano(), 10) + ".other.host,S=" + strconv.Itoa(len(m.Body))
	path := filepath.Join(dir, "new", key)
	require.NoError(t, os.WriteFile(path, m.Body, 0o600))
	require.NoError(t, os.Chtimes(path, m.Date, m.Date))
	return mail.Key(key)
}

// fileOf finds the file of a message.
func fileOf(t testing.TB, dir string, key mail.Key) string {
	t.Helper()
	var found []string
	for _, sub := range []string{"new", "cur"} {
		list, err := os.ReadDir(filepath.Join(dir, sub))
		require.NoError(t, err)
		for _, e := range list {
			rest, ok := strings.CutPrefix(e.Name(), string(key))
			if ok && (rest == "" || rest[0] == ':' || rest[0] == '!') {
				found = append(found, filepath.Join(dir, sub, e.Name()))
			}
		}
	}
	require.Len(t, found, 1)
	return found[0]
}

// setFlags renames a message as a mail reader does. Keywords are looked up in
// the folder's table, and added to it, as Dovecot does.
func setFlags(t testing.TB, dir, separator string, key mail.Key, flags mail.Flags) {
	t.Helper()
	if separator == "" {
		separator = ":"
	}
	letters := ""
	for _, one := range []struct {
		flag   mail.System
		letter string
	}{{mail.Draft, "D"}, {mail.Flagged, "F"}, {mail.Answered, "R"}, {mail.Seen, "S"}, {mail.Deleted, "T"}} {
		if flags.Has(one.flag) {
			letters += one.letter
		}
	}
	for _, word := range flags.Keywords() {
		letters += letterOf(t, dir, word)
	}
	from := fileOf(t, dir, key)
	require.NoError(t, os.Rename(from, filepath.Join(dir, "cur", string(key)+separator+"2,"+letters)))
}

func letterOf(t testing.TB, dir, word string) string {
	t.Helper()
	path := filepath.Join(dir, "dovecot-keywords")
	text, err := os.ReadFile(path)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	next := 0
	for line := range strings.Lines(string(text)) {
		number, known, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(number)
		require.NoError(t, err)
		if strings.EqualFold(known, word) {
			return string(rune('a' + n))
		}
		next = max(next, n+1)
	}
	text = append(text, strconv.Itoa(next)+" "+word+"\n"...)
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return string(rune('a' + next))
}

// A message is linked that was opened, whatever happened to its name since.
func TestBodyIsLinked(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("by its name, another file might be linked")
	}
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	was, is := filepath.Join(root, "F/cur/1.x:2,"), filepath.Join(root, "F/cur/1.x:2,S")
	require.NoError(t, os.WriteFile(was, []byte("text\n"), 0o600))
	var keys mail.KeySet
	keys.Add("1.x")
	other := filepath.Join(root, "other")
	err := s.Bodies(t.Context(), mail.Ref{Name: "F"}, keys, func(_ mail.Meta, body mail.Body) error {
		linker, ok := body.Reader.(mail.Linker)
		require.True(t, ok)
		require.NoError(t, os.Rename(was, is))
		require.NoError(t, os.WriteFile(was, []byte("another message\n"), 0o600))
		require.NoError(t, linker.Link(other))
		require.Equal(t, "text\n", readFile(t, other))
		require.Error(t, linker.Link(other), "nothing is replaced")

		require.NoError(t, os.Remove(is))
		require.NoError(t, os.Remove(other))
		require.Error(t, linker.Link(other), "it is gone")
		rest, err := io.ReadAll(body)
		require.NoError(t, err)
		require.Equal(t, "text\n", string(rest))
		return nil
	})
	require.NoError(t, err)
}
