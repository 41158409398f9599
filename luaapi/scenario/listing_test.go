package scenario_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/mail"
)

// found is a message as a side has it.
type found struct {
	key   string // what the side calls it
	flags mail.Flags
	date  time.Time
	body  []byte
}

// content is what a side holds, by folder.
type content map[string][]found

// entry is one message of a listing, as files have it.
type entry struct {
	name    string
	flags   mail.Flags
	special []string // where a message is named first: what it is like
}

// special reports whether a word in brackets is about the message itself, and
// is no flag.
func special(word string) bool {
	key, _, assigned := strings.Cut(word, "=")
	return assigned && key != "" || slices.Contains([]string{"noid", "odd", "placeholder", "?subject"}, word)
}

// parseListing reads lines such as "INBOX: a b[\Seen]".
func parseListing(lines []string) (map[string][]entry, error) {
	out := map[string][]entry{}
	for _, line := range lines {
		folder, list, err := folderLine(line)
		if err != nil {
			return nil, err
		}
		out[folder] = append(out[folder], list...)
	}
	return out, nil
}

func folderLine(line string) (string, []entry, error) {
	at := strings.LastIndex(line+" ", ": ")
	if at < 0 {
		return "", nil, fmt.Errorf("%q is no folder with its messages", line)
	}
	if open := strings.IndexByte(line, '['); open >= 0 && open < at {
		at = strings.LastIndex(line[:open], ": ")
	}
	var list []entry
	for rest := strings.TrimSpace(line[at+1:]); rest != ""; rest = strings.TrimSpace(rest) {
		end := strings.IndexAny(rest, " [")
		if end < 0 {
			end = len(rest)
		}
		name, inside := rest[:end], ""
		rest = rest[end:]
		if strings.HasPrefix(rest, "[") {
			closing := strings.IndexByte(rest, ']')
			if closing < 0 {
				return "", nil, fmt.Errorf("%q: a bracket is not closed", line)
			}
			inside, rest = rest[1:closing], rest[closing+1:]
		}
		e := entry{name: name}
		var flags []string
		for _, word := range strings.Fields(inside) {
			if special(word) {
				e.special = append(e.special, word)
			} else {
				flags = append(flags, word)
			}
		}
		e.flags = mail.NewFlags(flags...)
		for _, name := range expand(name) {
			one := e
			one.name = name
			list = append(list, one)
		}
	}
	return unquote(strings.TrimSpace(line[:at])), list, nil
}

func unquote(name string) string {
	if text, err := strconv.Unquote(name); err == nil {
		return text
	}
	return name
}

// expand makes m1..3 into m1, m2 and m3.
func expand(name string) []string {
	prefix, last, ok := strings.Cut(name, "..")
	digits := len(prefix) - len(strings.TrimRight(prefix, "0123456789"))
	first, err1 := strconv.Atoi(prefix[len(prefix)-digits:])
	to, err2 := strconv.Atoi(last)
	if !ok || err1 != nil || err2 != nil {
		return []string{name}
	}
	var out []string
	for n := first; n <= to; n++ {
		out = append(out, prefix[:len(prefix)-digits]+strconv.Itoa(n))
	}
	return out
}

// lines writes a listing. An empty inbox is not worth a line.
func lines(listing map[string][]entry) []string {
	var out []string
	for _, folder := range slices.Sorted(maps.Keys(listing)) {
		var tokens []string
		for _, e := range listing[folder] {
			attributes := append(e.flags.Strings(), slices.Sorted(slices.Values(e.special))...)
			token := e.name
			if len(attributes) > 0 {
				token += "[" + strings.Join(attributes, " ") + "]"
			}
			tokens = append(tokens, token)
		}
		if len(tokens) == 0 && folder == mail.Inbox {
			continue
		}
		name := folder
		if strings.ContainsAny(name, ":[\"\\") || strings.TrimSpace(name) != name || strconv.Quote(name) != `"`+name+`"` {
			name = strconv.QuoteToGraphic(name)
		}
		out = append(out, strings.TrimSpace(name+": "+strings.Join(runs(tokens), " ")))
	}
	return out
}

// runs sorts the messages of a folder, and writes m1 m2 m3 m4 as m1..4.
func runs(tokens []string) []string {
	type part struct {
		token, stem, rest string
		n                 int
	}
	parts := make([]part, len(tokens))
	for i, t := range tokens {
		name, rest := t, ""
		if at := strings.IndexByte(t, '['); at >= 0 {
			name, rest = t[:at], t[at:]
		}
		stem := strings.TrimRight(name, "0123456789")
		n, err := strconv.Atoi(name[len(stem):])
		if err != nil {
			stem, n = name, -1
		}
		parts[i] = part{t, stem, rest, n}
	}
	slices.SortFunc(parts, func(a, b part) int {
		if c := strings.Compare(a.stem, b.stem); c != 0 {
			return c
		}
		if a.n != b.n {
			return a.n - b.n
		}
		return strings.Compare(a.rest, b.rest)
	})
	var out []string
	for i := 0; i < len(parts); {
		j := i + 1
		for j < len(parts) && parts[i].n >= 0 && parts[j].stem == parts[i].stem && parts[j].rest == parts[i].rest && parts[j].n == parts[j-1].n+1 {
			j++
		}
		if j-i < 3 {
			j = i + 1
			out = append(out, parts[i].token)
		} else {
			out = append(out, fmt.Sprintf("%s%d..%d%s", parts[i].stem, parts[i].n, parts[j-1].n, parts[i].rest))
		}
		i = j
	}
	return out
}

// shown is what a side holds, as files write it.
func (ms *messages) shown(c content) []string {
	listing := map[string][]entry{}
	for folder, list := range c {
		listing[folder] = nil
		for _, f := range list {
			name, marks := ms.recognise(f)
			listing[folder] = append(listing[folder], entry{name: name, flags: f.flags, special: marks})
		}
	}
	return lines(listing)
}
