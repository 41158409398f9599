package maildir

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gofrs/flock"

	"github.com/imapfw/imapfw/host/fault"
)

const lockFile = ".imapfw.lock"

// rootLock keeps a second driver out of the root. Its file serves two more
// ends: its modification time tells what the file system takes for now, which
// on a network is not what this machine takes for it; and its text tells
// whether the driver before was closed in order.
type rootLock struct {
	lock *flock.Flock
	mu   sync.Mutex
	file *os.File
	text string
}

// The texts of the lock file, of the same length so that one overwrites the other.
const (
	textClean = "closed "
	textDirty = "at work"
)

// lockRoot takes the lock, at once or not at all. crashed reports that the
// driver before was not closed in order.
func lockRoot(root string) (l *rootLock, crashed bool, err error) {
	path := filepath.Join(root, lockFile)
	l = &rootLock{lock: flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600)), text: textClean}
	ok, err := l.lock.TryLock()
	if err != nil {
		return nil, false, ioFault("lock maildir", "", err)
	}
	if !ok {
		return nil, false, fault.New(fault.Busy, "lock maildir", "another instance is at work in %s", root).
			WithHint("wait for it to end, or stop it").AsTemporary()
	}
	// A second descriptor: the lock is flock(2)'s, which closing it leaves alone.
	l.file, err = os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		_ = l.lock.Close()
		return nil, false, ioFault("lock maildir", "", err)
	}
	before := make([]byte, len(textDirty))
	if n, _ := l.file.ReadAt(before, 0); strings.HasPrefix(string(before[:n]), textDirty) {
		crashed = true
		l.text = textDirty
	}
	return l, crashed, nil
}

// mark says in the lock's file whether there may be unfinished files.
func (l *rootLock) mark(text string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text == text {
		return nil
	}
	l.text = text
	return l.write()
}

func (l *rootLock) write() error {
	_, err := l.file.WriteAt(fmt.Appendf(nil, "%s, process %-10d\n", l.text, os.Getpid()), 0)
	return err
}

// now is the time on the file system's clock, in nanoseconds.
func (l *rootLock) now() (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.write(); err != nil {
		return 0, err
	}
	info, err := l.file.Stat()
	if err != nil {
		return 0, err
	}
	return info.ModTime().UnixNano(), nil
}

// release gives the lock back. The file stays: whoever waits for a removed one
// would lock something nobody else sees.
func (l *rootLock) release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.file.Close()
	if lerr := l.lock.Close(); err == nil {
		err = lerr
	}
	return err
}
