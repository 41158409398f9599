package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
)

// selection is what a command is about: a file, accounts and groups in it, and
// folders of those.
type selection struct {
	file     string
	typed    string // the file as it was named; "" where it is the default one
	accounts []string
	folders  map[string][]string // by account or group as it was named
}

// selects reads FILE, ACCOUNT, GROUP and ACCOUNT:FOLDER,... arguments.
func (g *global) selects(args []string) (selection, error) {
	s := selection{folders: map[string][]string{}}
	whole := map[string]bool{}
	for _, arg := range args {
		name, folders, some := cutFolders(arg)
		switch {
		case some:
			list, err := splitFolders(folders)
			if err != nil {
				return s, fault.New(fault.Config, "", "%s: %v", arg, err)
			}
			s.accounts = append(s.accounts, name)
			s.folders[name] = append(s.folders[name], list...)
		case !isPath(arg):
			s.accounts = append(s.accounts, arg)
			whole[arg] = true
		case s.typed != "":
			return s, fault.New(fault.Config, "", "two files: %s and %s", s.typed, arg).WithHint("sync one at a time")
		default:
			s.file, s.typed = arg, arg
		}
	}
	for name := range whole {
		delete(s.folders, name)
	}
	var err error
	if s.typed == "" {
		s.file, err = g.defaultFile()
		return s, err
	}
	_, err = os.Stat(s.file)
	return s, fault.Wrap(fault.Config, "", err)
}

// cutFolders cuts ACCOUNT:FOLDER,... apart. What is a file is none, also where
// its name holds a colon.
func cutFolders(arg string) (account, folders string, ok bool) {
	account, folders, ok = strings.Cut(arg, ":")
	if !ok || account == "" || strings.ContainsRune(account, filepath.Separator) {
		return "", "", false
	}
	if _, err := os.Stat(arg); err == nil {
		return "", "", false
	}
	return account, folders, true
}

// splitFolders splits at commas; a comma or backslash in a name is written with
// a backslash before it.
func splitFolders(text string) ([]string, error) {
	var out []string
	var name strings.Builder
	end := func() error {
		if name.Len() == 0 {
			return fault.New(fault.Config, "", "a folder without a name")
		}
		out = append(out, name.String())
		name.Reset()
		return nil
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && (text[i+1] == ',' || text[i+1] == '\\'):
			i++
			name.WriteByte(text[i])
		case c == ',':
			if err := end(); err != nil {
				return nil, err
			}
		default:
			name.WriteByte(c)
		}
	}
	return out, end()
}
