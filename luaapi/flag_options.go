package luaapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
)

// checkFlagRules checks the names in `flags`.
func checkFlagRules(v any) error {
	rules, _ := v.(wire.Map)
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		one := mail.NewFlags(name)
		switch {
		case one.Has(mail.Deleted):
			return fmt.Errorf("%s is a removal, not a flag: pull, push and expunge say what becomes of it", name)
		case one.Empty() && strings.HasPrefix(name, `\`):
			return fmt.Errorf("%s is no flag that is carried: one of \\Seen, \\Answered, \\Flagged, \\Draft, or a keyword", name)
		case one.Empty():
			return fmt.Errorf("%q cannot be a keyword", name)
		}
		if other, twice := seen[strings.ToLower(name)]; twice {
			return fmt.Errorf("%s and %s are the same flag", other, name)
		}
		seen[strings.ToLower(name)] = name
	}
	return nil
}

// isInfoSeparator refuses characters that file names hold before their flags.
func isInfoSeparator(v any) error {
	s, _ := v.(string)
	if len(s) != 1 || s[0] <= ' ' || s[0] >= 0x7f || strings.ContainsAny(s, "/.,=_-+%") || isAlnum(s[0]) {
		return fmt.Errorf("%q is not one character that file names do not use: \":\", or \"!\" or \";\" where colons cannot be", s)
	}
	return nil
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// checkLetters checks the table of `keywords`.
func checkLetters(v any) error {
	letters, _ := v.(wire.Map)
	seen := map[string]string{}
	for _, letter := range slices.Sorted(maps.Keys(letters)) {
		word, _ := letters[letter].(string)
		switch {
		case len(letter) != 1 || letter[0] < 'a' || letter[0] > 'z':
			return fmt.Errorf("%q is no letter from a to z", letter)
		case strings.HasPrefix(word, `\`):
			return fmt.Errorf("%s is a flag, not a keyword: it has its own letter in file names", word)
		case mail.NewFlags(word).Empty():
			return fmt.Errorf("%q cannot be a keyword", word)
		}
		if other, twice := seen[strings.ToLower(word)]; twice {
			return fmt.Errorf("%s has two letters, %s and %s", word, other, letter)
		}
		seen[strings.ToLower(word)] = letter
	}
	return nil
}
