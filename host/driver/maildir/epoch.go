package maildir

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
)

// epochFile holds the epoch of a folder.
//
// An epoch must change when a folder is removed and made again, for otherwise
// all of its mail would look removed; and it must not change when the whole
// Maildir is restored from a backup, copied to another disk or renamed. An inode
// number fails the second, so the epoch is written into the folder, where it
// goes along with the mail. A folder that other programs have made has no such
// file, and only looking at it must not write one (a dry run writes nothing): it
// gets its epoch from the directory itself, and when the driver first changes
// something in the folder, that same epoch is written down and holds from then
// on. So an epoch is never exchanged while it is in use.
const epochFile = ".imapfw-folder"

// readEpoch returns the epoch of a folder, and whether it is written down.
func readEpoch(dir string) (epoch string, marked bool, err error) {
	text, err := os.ReadFile(filepath.Join(dir, epochFile))
	if err == nil {
		if epoch = firstLine(string(text)); epoch != "" {
			return epoch, true, nil
		}
	} else if !missing(err) {
		return "", false, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", false, err
	}
	// The time of birth tells apart directories that got the same inode number
	// one after the other. Where the file system does not keep it, the inode
	// number alone has to do.
	id, _ := idOf(info)
	return strconv.FormatUint(id.ino, 36) + "-" + strconv.FormatInt(birth(dir), 36), false, nil
}

// folderID returns what names a folder whatever it is called: the epoch, where
// it goes along when the directory is renamed. An inode number alone does not
// do: it is given again to the next directory.
func folderID(epoch string, marked bool) string {
	if !marked && strings.HasSuffix(epoch, "-0") { // no time of birth
		return ""
	}
	return epoch
}

// writeEpoch writes an epoch down.
func writeEpoch(dir, epoch string) error {
	text := "# imapfw knows this folder by the next line; leave it where it is\n" + epoch + "\n"
	return renameio.WriteFile(filepath.Join(dir, epochFile), []byte(text), 0o600, renameio.WithTempDir(dir))
}

// newEpoch returns an epoch that no folder ever had.
func newEpoch() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails: see its documentation
	return hex.EncodeToString(b[:])
}

// firstLine returns the first line that is no comment.
func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return line
		}
	}
	return ""
}
