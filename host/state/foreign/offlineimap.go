package foreign

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// OfflineIMAP keeps below its metadata folder, with every separator in the names
// of folders written as ".":
//
//	Account-NAME/LocalStatus-sqlite/Archive.2024   UIDs and flags, a database
//	Repository-NAME/FolderValidity/Archive.2024    UIDVALIDITY, a line of text
//
// UIDs are those of the server on both sides: the names of local files hold them.
type offlineimap struct {
	status   map[string]string // canonical folder name -> database
	validity map[string]string // canonical folder name -> UIDVALIDITY
}

// localValidity is what every Maildir of OfflineIMAP has for UIDVALIDITY.
const localValidity = "42"

// OfflineIMAP is the memory of OfflineIMAP: dir is its metadata folder, account
// and repository are the names that its configuration gives the account and the
// remote repository. Either may be empty where there is only one.
func OfflineIMAP(dir, account, repository string) (Source, error) {
	accountDir, err := choose(dir, "Account-", account, "account", func(path string) bool { return true })
	if err != nil {
		return nil, err
	}
	repositoryDir, err := choose(dir, "Repository-", repository, "remote repository", isRemote)
	if err != nil {
		return nil, err
	}
	if maps, err := os.ReadDir(filepath.Join(repositoryDir, "UIDMapping")); err == nil && len(maps) > 0 {
		return nil, asked(broken(repositoryDir, "this repository has UIDs of its own (UIDMapping), which imapfw does not read")).
			WithHint("only accounts between a server and a Maildir can be imported")
	}
	o := &offlineimap{status: map[string]string{}}
	statusDir := filepath.Join(accountDir, "LocalStatus-sqlite")
	entries, err := os.ReadDir(statusDir)
	if err != nil {
		return nil, asked(broken(statusDir, "there is no status of folders here")).
			WithHint("it is written by OfflineIMAP 7 and later; run it once more, then import")
	}
	for _, e := range entries {
		name, path := canonical(e.Name()), filepath.Join(statusDir, e.Name())
		if _, twice := o.status[name]; twice {
			path = "" // nobody can say whose it is
		}
		o.status[name] = path
	}
	o.validity, err = readValidities(repositoryDir)
	return o, err
}

// choose finds the folder of an account or a repository.
func choose(dir, prefix, name, what string, is func(path string) bool) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fault.Wrap(fault.Config, op, err)
	}
	var found, names []string
	for _, e := range entries {
		its, ok := strings.CutPrefix(e.Name(), prefix)
		path := filepath.Join(dir, e.Name())
		if !ok || !e.IsDir() || name != "" && its != name || name == "" && !is(path) {
			continue
		}
		found, names = append(found, path), append(names, its)
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0 && name != "":
		return "", asked(broken(dir, "OfflineIMAP has no %s %q here", what, name))
	case len(found) == 0:
		return "", asked(broken(dir, "OfflineIMAP has no %s here", what)).WithHint("name its metadata folder")
	}
	return "", asked(broken(dir, "OfflineIMAP has more than one %s here: %s", what, strings.Join(names, ", "))).
		WithHint("say which one")
}

// isRemote reports whether a repository is not a Maildir.
func isRemote(dir string) bool {
	all, err := readValidities(dir)
	if err != nil {
		return false
	}
	for _, number := range all {
		if number != localValidity {
			return true
		}
	}
	return false
}

func readValidities(repositoryDir string) (map[string]string, error) {
	dir := filepath.Join(repositoryDir, "FolderValidity")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Permission, op, err)
	}
	out := make(map[string]string, len(entries))
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, fault.Wrap(fault.Permission, op, err)
		}
		line, _, _ := strings.Cut(string(text), "\n")
		number := strings.TrimSpace(line)
		if _, err := strconv.ParseUint(number, 10, 32); err != nil {
			continue // half written, or not OfflineIMAP's
		}
		name := canonical(e.Name())
		if _, twice := out[name]; twice {
			number = "" // two folders share the name: neither is believed
		}
		out[name] = number
	}
	return out, nil
}

// Find returns the state of a pair of folders.
func (o *offlineimap) Find(far, near mail.Folder) (*State, error) {
	var file, epoch string
	for _, name := range names(near, far) {
		if file == "" {
			file = o.status[name]
		}
	}
	for _, name := range names(far, near) {
		if epoch == "" {
			epoch = o.validity[name]
		}
	}
	if file == "" || epoch == "" {
		return nil, nil
	}
	pairs, err := readStatus(file)
	if err != nil {
		return nil, err
	}
	return &State{File: file, FarEpoch: epoch, Pairs: pairs, marks: marks(far, near)}, nil
}

// marks returns what FMD5= may be in the files of a folder: the digest of the
// name that OfflineIMAP calls it by.
func marks(far, near mail.Folder) []string {
	var out []string
	for _, f := range []mail.Folder{near, far} {
		parts := strings.Split(f.Raw, "/")
		for n := 1; n <= min(len(parts), strings.Count(f.Name, "/")+1); n++ {
			out = append(out, mark(strings.Join(parts[len(parts)-n:], "/")))
		}
		for _, sep := range []string{"/", "."} {
			out = append(out, mark(strings.ReplaceAll(f.Name, "/", sep)), mark(strings.ReplaceAll(f.Raw, "/", sep)))
		}
	}
	return out
}

func mark(name string) string {
	sum := md5.Sum([]byte(name))
	return hex.EncodeToString(sum[:])
}

// readStatus reads one database.
func readStatus(file string) ([]Pair, error) {
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadOnly)
	if err != nil {
		return nil, notStatus(file, err)
	}
	defer func() { _ = conn.Close() }()
	var pairs []Pair
	stmt, err := conn.Prepare("SELECT id, flags FROM status ORDER BY id")
	if err != nil {
		return nil, notStatus(file, err)
	}
	for {
		more, err := stmt.Step()
		if err != nil {
			return nil, notStatus(file, err)
		}
		if !more {
			return pairs, nil
		}
		id := stmt.ColumnInt64(0)
		if id <= 0 || id > 1<<32-1 {
			return nil, broken(file, "%d is no UID", id)
		}
		// Letters that are not Maildir's own stand for keywords (customflag_x),
		// by a table that is not here. They are no base for a merge.
		flags, _ := letterFlags(stmt.ColumnText(1))
		pairs = append(pairs, Pair{Far: uint32(id), Near: uint32(id), Flags: flags})
	}
}

func notStatus(file string, err error) error {
	e := broken(file, "it cannot be read as a status of OfflineIMAP").
		WithHint("if OfflineIMAP was interrupted, run it once more, then import")
	e.Err = err
	return e
}
