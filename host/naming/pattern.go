package naming

import (
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Match reports whether a name matches a pattern of LIST (RFC 9051 section
// 6.3.9): "*" stands for any characters, "%" for any but "/". INBOX is matched
// without case, also as the first level of a longer name.
func Match(pattern, name string) bool {
	return match(foldInbox(pattern), foldInbox(name))
}

// foldInbox writes the first level as "INBOX" when it is the inbox.
func foldInbox(name string) string {
	n := len(mail.Inbox)
	if len(name) >= n && strings.EqualFold(name[:n], mail.Inbox) && (len(name) == n || strings.IndexByte("/*%", name[n]) >= 0) {
		return mail.Inbox + name[n:]
	}
	return name
}

// match takes time in proportion to the product of both lengths at worst: on a
// mismatch it goes back to the last wildcard only, and to the last "*" when a
// "%" may not grow over a "/".
func match(pattern, name string) bool {
	const none = -1
	p, n := 0, 0
	star, starAt := none, 0   // the last "*" and where its text ends
	level, levelAt := none, 0 // the last "%" since that "*"
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, starAt, level = p, n, none
			p++
		case p < len(pattern) && pattern[p] == '%':
			level, levelAt = p, n
			p++
		case p < len(pattern) && pattern[p] == name[n]:
			p, n = p+1, n+1
		case level != none && name[levelAt] != '/':
			levelAt++
			p, n = level+1, levelAt
		case star != none:
			starAt++
			p, n, level = star+1, starAt, none
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*%") == ""
}

// Patterns is the option `folders`: a list of which the last match wins.
type Patterns struct{ list []pattern }

type pattern struct {
	text    string // a pattern of LIST, or an attribute with its backslash
	exclude bool
}

// ParsePatterns reads a list of patterns. "!" before a pattern excludes what it
// matches, a pattern that begins with a backslash matches the folders that have
// this attribute (RFC 6154). An empty list selects everything.
func ParsePatterns(list []string) (Patterns, error) {
	var p Patterns
	selects := len(list) == 0
	for _, text := range list {
		exclude := strings.HasPrefix(text, "!")
		text = strings.TrimPrefix(text, "!")
		if text == "" || strings.ContainsAny(text, "\x00\r\n") {
			return Patterns{}, fault.New(fault.Config, "", "%q is no folder pattern", text)
		}
		selects = selects || !exclude
		p.list = append(p.list, pattern{text: text, exclude: exclude})
	}
	if !selects {
		return Patterns{}, fault.New(fault.Config, "", "the folder patterns only exclude, so no folder is selected").
			WithHint(`put "*" first`)
	}
	return p, nil
}

// Selects reports whether a folder is in sight: whether the last pattern that
// matches it includes it.
func (p Patterns) Selects(f mail.Folder) bool {
	if len(p.list) == 0 {
		return true
	}
	for i := len(p.list) - 1; i >= 0; i-- {
		if one := p.list[i]; one.matches(f) {
			return !one.exclude
		}
	}
	return false
}

func (p pattern) matches(f mail.Folder) bool {
	if strings.HasPrefix(p.text, `\`) {
		return f.HasAttr(p.text)
	}
	return Match(p.text, f.Name)
}

// Strings returns the patterns as they were given.
func (p Patterns) Strings() []string {
	out := make([]string, len(p.list))
	for i, one := range p.list {
		out[i] = one.text
		if one.exclude {
			out[i] = "!" + one.text
		}
	}
	return out
}
