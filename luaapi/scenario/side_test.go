package scenario_test

import (
	"fmt"
	"path"
	"strings"

	"github.com/imapfw/imapfw/host/mail"
)

// side is one of the two stores, as the programs of its user see and change it:
// another mail reader, not imapfw.
type side interface {
	// lua is the store as a script writes it, with more options.
	lua(options string) string
	list() (content, error)
	add(folder string, m *message, flags mail.Flags) error
	flag(folder string, f found, add, remove mail.Flags) error
	remove(folder string, list []found) error
	move(folder string, f found, to string) error
	makeFolder(name string) error
	dropFolder(name string) error
	renameFolder(name, to string) error
}

// The abilities that not every side has.
type (
	subscriber interface {
		subscribe(name string, on bool) error
		subscribed() ([]string, error)
	}
	renumberer interface{ renumber(folder string) error }
	rewinder   interface {
		backup() error
		restore() error
	}
	refuser interface {
		refuse(m *message, why string)
		accept()
		limit(octets int)
	}
	vanisher interface {
		vanish() error
		appear() error
	}
)

// pick finds the messages that words such as "INBOX/a" and "INBOX/*" name.
func (w *world) pick(s side, words []string) (map[string][]found, error) {
	have, err := s.list()
	if err != nil {
		return nil, err
	}
	out := map[string][]found{}
	for _, word := range words {
		folder, name := path.Split(word)
		folder = path.Clean(folder)
		list, ok := have[folder]
		if !ok {
			return nil, fmt.Errorf("there is no folder %q", folder)
		}
		hits := 0
		name, one := strings.CutSuffix(name, "#1")
		wanted := map[string]bool{}
		for _, n := range expand(name) {
			wanted[n] = true
		}
		for _, f := range list {
			if n, _ := w.messages.recognise(f); (name == "*" || wanted[n]) && !(one && hits > 0) {
				out[folder] = append(out[folder], f)
				hits++
			}
		}
		if hits == 0 {
			return nil, fmt.Errorf("there is no %q", word)
		}
	}
	return out, nil
}
