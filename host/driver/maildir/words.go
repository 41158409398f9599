package maildir

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/google/renameio/v2"

	"github.com/imapfw/imapfw/host/mail"
)

// Keywords are letters from a to z in file names; tables say which is which.
// Dovecot keeps one in each folder. Ours keep one for the whole account beside
// them, so that a letter means the same everywhere and a message that a mail
// reader moves to another folder keeps its keywords. Where the two differ, the
// folder's own wins: its files were named by it.

// table is what the letters a to z stand for; empty where one is free.
type table [26]string

// letter returns the index of the letter that stands for a keyword.
func (t *table) letter(word string) (int, bool) {
	for i, w := range t {
		if w != "" && strings.EqualFold(w, word) {
			return i, true
		}
	}
	return 0, false
}

// full reports whether there is no letter left.
func (t *table) full() bool { return t.bits() == 1<<len(t)-1 }

// bits returns the letters that stand for something.
func (t *table) bits() uint32 {
	var bits uint32
	for i, word := range t {
		if word != "" {
			bits |= 1 << i
		}
	}
	return bits
}

// under fills the gaps of t with what the letters mean in the account.
func (t table) under(account table) table {
	for i, word := range account {
		if _, known := t.letter(word); word != "" && t[i] == "" && !known {
			t[i] = word
		}
	}
	return t
}

// parseTable reads a table in the format of dovecot-keywords: lines with a
// number from 0 and a keyword. What it cannot use comes back as it was.
func parseTable(text string) (t table, rest []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		number, word, _ := strings.Cut(line, " ")
		i, err := strconv.Atoi(number)
		if err == nil && 0 <= i && i < len(t) && t[i] == "" && word != "" && !strings.ContainsAny(word, " \x00") {
			t[i] = word
		} else if line != "" {
			rest = append(rest, line)
		}
	}
	return t, rest
}

func (t table) format(rest []string) string {
	var out strings.Builder
	for i, word := range t {
		if word != "" {
			fmt.Fprintf(&out, "%d %s\n", i, word)
		}
	}
	for _, line := range rest {
		out.WriteString(line + "\n")
	}
	return out.String()
}

func readTable(path string) (table, []string, error) {
	text, err := os.ReadFile(path)
	if missing(err) {
		return table{}, nil, nil
	}
	if err != nil {
		return table{}, nil, err
	}
	t, rest := parseTable(string(text))
	return t, rest, nil
}

// accountWords is the account's table in the root.
const accountWords = ".imapfw-keywords"

// account is the table of the whole account.
type account struct {
	path string
	mu   sync.Mutex // held while letters are given out, in any folder

	// Letters that nobody explains, once they were looked for.
	odd    uint32
	looked bool
}

func (a *account) read() (table, error) {
	t, _, err := readTable(a.path)
	return t, err
}

func (a *account) write(t table) error {
	return renameio.WriteFile(a.path, []byte(t.format(nil)), 0o600, renameio.WithTempDir(filepath.Dir(a.path)))
}

// fixedTable is the table that the user wrote.
func fixedTable(letters map[string]string) table {
	var t table
	for letter, word := range letters {
		t[letter[0]-'a'] = word
	}
	return t
}

// flagsOf returns the flags that letters stand for.
func (t *table) flagsOf(letters string) mail.Flags {
	var names []string
	for _, c := range []byte(letters) {
		switch {
		case c == passed:
			names = append(names, passedKeyword)
		case 'a' <= c && c <= 'z' && t[c-'a'] != "":
			names = append(names, t[c-'a'])
		}
	}
	f := mail.NewFlags(names...)
	f.System = systemFlags(letters)
	return f
}

// lettersOf returns the letters of flags. Keywords without a letter have none.
func (t *table) lettersOf(flags mail.Flags) []byte {
	var out []byte
	for _, s := range systemLetters {
		if flags.Has(s.flag) {
			out = append(out, s.letter)
		}
	}
	for _, word := range flags.Keywords() {
		if strings.EqualFold(word, passedKeyword) {
			out = append(out, passed)
		}
		if i, ok := t.letter(word); ok {
			out = append(out, byte('a'+i))
		}
	}
	return out
}
