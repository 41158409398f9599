package luaapi

import (
	"bufio"
	"io"

	"github.com/imapfw/imapfw/host/fault"
)

// netrcPassword returns the password of a host, and of a user where one is
// named there, in ~/.netrc.
func netrcPassword(host, user string) (string, error) {
	f, err := openPrivate("~/.netrc")
	if err != nil {
		return "", err
	}
	defer f.Close()
	password, found := findNetrc(f, host, user)
	if !found {
		return "", fault.New(fault.Auth, "find the password", "~/.netrc has no password for %s on %s", user, host)
	}
	return password, nil
}

// findNetrc reads machine and default entries; the first that fits wins. Macro
// definitions end at an empty line and are passed over.
func findNetrc(r io.Reader, host, user string) (string, bool) {
	words := netrcWords(r)
	fits, login, password := false, "", ""
	for i := 0; i < len(words); i++ {
		next := func() string {
			if i+1 < len(words) {
				i++
				return words[i]
			}
			return ""
		}
		switch words[i] {
		case "machine", "default":
			if fits && password != "" && (login == "" || login == user) {
				return password, true
			}
			fits, login, password = words[i] == "default", "", ""
			if !fits {
				fits = next() == host
			}
		case "login":
			login = next()
		case "password":
			password = next()
		case "account":
			next()
		}
	}
	return password, fits && password != "" && (login == "" || login == user)
}

// netrcWords splits the file into words, without comments and macros.
func netrcWords(r io.Reader) []string {
	var words []string
	lines := bufio.NewScanner(r)
	macro := false
	for lines.Scan() {
		if lines.Text() == "" {
			macro = false
		}
		if macro {
			continue
		}
		for _, w := range netrcLine(lines.Text()) {
			if w == "macdef" {
				macro = true
				break
			}
			words = append(words, w)
		}
	}
	return words
}

// netrcLine splits one line. A "#" begins a comment only where a word would
// begin after white space and the word before it asks for no value: passwords
// hold it.
func netrcLine(line string) []string {
	var out []string
	wantsValue := func() bool {
		if len(out) == 0 {
			return false
		}
		switch out[len(out)-1] {
		case "machine", "login", "password", "account":
			return true
		}
		return false
	}
	for i := 0; i < len(line); {
		switch c := line[i]; {
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '#' && !wantsValue():
			return out
		case c == '"':
			var word []byte
			for i++; i < len(line) && line[i] != '"'; i++ {
				if line[i] == '\\' && i+1 < len(line) {
					i++
				}
				word = append(word, line[i])
			}
			i++
			out = append(out, string(word))
		default:
			from := i
			for i < len(line) && line[i] != ' ' && line[i] != '\t' && line[i] != '\r' {
				i++
			}
			out = append(out, line[from:i])
		}
	}
	return out
}
