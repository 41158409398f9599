package maildir

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/imapfw/imapfw/host/fault"
)

const lockFile = ".imapfw.lock"

// rootLock keeps a second driver out of the root. Its file serves two more
// ends: its modification time tells what the file system takes for now, which
// on a network is not what this machine takes for it; and its text tells
// whether the driver before was closed in order.
//
// The file is made with the first thing that is written: looking at a root that
// is missing or empty must not make it look like a Maildir of ours, since it may
// be the place where a disk is to be mounted.
type rootLock struct {
	path string
	mu   sync.Mutex
	lock *flock.Flock // nil until it is taken
	file *os.File
	text string
}

// The texts of the lock file, of the same length so that one overwrites the other.
const (
	textClean = "closed "
	textDirty = "at work"
)

func newRootLock(root string) *rootLock { return &rootLock{path: filepath.Join(root, lockFile)} }

// there reports whether somebody has ever locked the root.
func (l *rootLock) there() bool {
	_, err := os.Lstat(l.path)
	return err == nil
}

// take takes the lock, at once or not at all, and makes the root where it is
// missing. crashed reports that the driver before was not closed in order.
func (l *rootLock) take() (crashed bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lock != nil {
		return false, nil
	}
	root := filepath.Dir(l.path)
	if err := os.MkdirAll(root, 0o700); err != nil {
		return false, ioFault("open maildir", "", err)
	}
	lock := flock.New(l.path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return false, ioFault("lock maildir", "", err)
	}
	if !ok {
		return false, fault.New(fault.Busy, "lock maildir", "another instance is at work in %s", root).
			WithHint("wait for it to end, or stop it").AsTemporary()
	}
	// A second descriptor: the lock is flock(2)'s, which closing it leaves alone.
	file, err := os.OpenFile(l.path, os.O_RDWR, 0)
	if err != nil {
		_ = lock.Close()
		return false, ioFault("lock maildir", "", err)
	}
	l.lock, l.file, l.text = lock, file, textClean
	before := make([]byte, len(textDirty))
	if n, _ := file.ReadAt(before, 0); strings.HasPrefix(string(before[:n]), textDirty) {
		l.text = textDirty
		return true, nil
	}
	return false, nil
}

// mark says in the lock's file whether there may be unfinished files.
func (l *rootLock) mark(text string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text == text || l.lock == nil {
		return nil
	}
	l.text = text
	return l.write()
}

func (l *rootLock) write() error {
	_, err := l.file.WriteAt(fmt.Appendf(nil, "%s, process %-10d\n", l.text, os.Getpid()), 0)
	return err
}

// skew is by how much this machine's clock may be ahead of the file system's.
const skew = time.Minute

// now is the time on the file system's clock, in nanoseconds. Without the lock
// it is not asked, and taken to be behind.
func (l *rootLock) now() (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lock == nil {
		return time.Now().Add(-skew).UnixNano(), nil
	}
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
	if l.lock == nil {
		return nil
	}
	err := l.file.Close()
	if lerr := l.lock.Close(); err == nil {
		err = lerr
	}
	l.lock = nil
	return err
}
