package foreign

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// The files that mbsync keeps in a Maildir folder.
const (
	mbsyncState    = ".mbsyncstate"
	mbsyncValidity = ".uidvalidity"
	mbsyncAltMap   = ".isyncuidmap.db"
)

// mbsync finds state files in the near folders (SyncState *) and in folders of
// state files, where they are called after the mailboxes:
//
//	~/.mbsync/:far:Archive!2024_:near:Archive!2024
//	~/.mbsync/work-Archive!2024             (SyncState ~/.mbsync/work-)
type mbsync struct{ files []string }

// Mbsync is the memory of mbsync. Folders of state files that are not there are
// passed over; state files within Maildir folders are found without being told.
func Mbsync(dirs ...string) (Source, error) {
	var m mbsync
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fault.Wrap(fault.Permission, op, err)
		}
		for _, e := range entries {
			switch filepath.Ext(e.Name()) {
			case ".journal", ".new", ".lock":
			default:
				if e.Type().IsRegular() {
					m.files = append(m.files, filepath.Join(dir, e.Name()))
				}
			}
		}
	}
	return m, nil
}

// Find returns the state of a pair of folders. Several files may be called after
// a folder (one for each channel): the UIDVALIDITY of both sides tells them
// apart.
func (m mbsync) Find(far, near mail.Folder) (*State, error) {
	farNow, err := validity(far)
	if err != nil {
		return nil, err
	}
	nearNow, err := validity(near)
	if err != nil {
		return nil, err
	}
	var found, others []*State
	for _, file := range m.candidates(near) {
		s, err := readMbsync(file)
		if err != nil {
			return nil, err
		}
		s.FarNow, s.NearNow = farNow, nearNow
		if s.Check(cmp.Or(far.Epoch, s.FarEpoch), cmp.Or(near.Epoch, s.NearEpoch)) == "" {
			found = append(found, s)
		} else {
			others = append(others, s)
		}
	}
	switch {
	case len(found) > 1:
		return nil, broken(found[0].File, "another state file, %s, fits the same folders", found[1].File).
			WithHint("put the files of one channel into a folder of their own, and name it")
	case len(found) == 1:
		return found[0], nil
	case len(others) > 0:
		return others[0], nil
	}
	return nil, nil
}

// candidates returns the files that may be about a folder.
func (m mbsync) candidates(near mail.Folder) []string {
	var out []string
	if inside := filepath.Join(near.Raw, mbsyncState); isFile(inside) && isMaildir(near.Raw) {
		out = append(out, inside)
	}
	var loose []string
	for _, file := range m.files {
		name := filepath.Base(file)
		after := name[strings.LastIndexAny(name, ":;")+1:]
		for _, box := range names(near) {
			switch canon := canonical(after); {
			case canon == box:
				if !slices.Contains(out, file) {
					out = append(out, file)
				}
			case after == name && strings.HasSuffix(canon, box):
				loose = append(loose, file) // behind a prefix of the user's
			}
		}
	}
	if len(out) == 0 {
		return slices.Compact(loose)
	}
	return out
}

func readMbsync(file string) (*State, error) {
	// mbsync replays a journal only where both are there.
	if isFile(file+".journal") && isFile(file+".new") {
		return nil, busy(broken(file, "mbsync is at work, or was interrupted: its journal is not replayed yet")).
			WithHint("run mbsync once more, then import").AsTemporary()
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fault.Wrap(fault.Permission, op, err)
	}
	defer func() { _ = f.Close() }()
	return ParseMbsync(file, f)
}

func busy(e *fault.Error) *fault.Error {
	e.Code = fault.Busy
	return e
}

// validity returns the UIDVALIDITY that mbsync keeps in a Maildir folder, empty
// for a folder elsewhere.
func validity(f mail.Folder) (string, error) {
	if !isMaildir(f.Raw) {
		return "", nil
	}
	text, err := os.ReadFile(filepath.Join(f.Raw, mbsyncValidity))
	if errors.Is(err, fs.ErrNotExist) {
		if isFile(filepath.Join(f.Raw, mbsyncAltMap)) {
			return "", fault.New(fault.Unsupported, op, "mbsync keeps the UIDs of this folder in %s (AltMap), a Berkeley database that imapfw does not read", mbsyncAltMap).
				InFolder(f.Name).WithHint("mdconvert -n %s, which comes with mbsync, writes them into the names of the files", f.Raw)
		}
		return "none", nil
	}
	if err != nil {
		return "", fault.Wrap(fault.Permission, op, err)
	}
	number, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(number), nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// isMaildir reports whether a store's own name of a folder is a Maildir.
func isMaildir(raw string) bool {
	if !filepath.IsAbs(raw) {
		return false
	}
	info, err := os.Stat(filepath.Join(raw, "cur"))
	return err == nil && info.IsDir()
}
