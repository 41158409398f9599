package state

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/gofrs/flock"
)

// lockSuffix is added to the database's name. The lock cannot be on the database
// itself: SQLite has locks of its own there, and closing a second descriptor of
// a file drops them (fcntl(2)). The file is never removed, since whoever waits
// for a removed one would lock something that nobody else sees.
const lockSuffix = ".lock"

// takeLock locks the state for this process, at once or not at all.
func takeLock(database string) (*flock.Flock, error) {
	l := flock.New(database + lockSuffix)
	ok, err := l.TryLock()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, busy(database, lockHolder(l.Path()))
	}
	// Only for the message that a second instance prints: the lock holds
	// without it, so it does not matter if this fails.
	_ = os.WriteFile(l.Path(), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600)
	return l, nil
}

// releaseLock gives a lock of takeLock or shareLock back.
func releaseLock(l *flock.Flock) error {
	if l.Locked() {
		// A dry run may hold the lock next: it must not be taken for us.
		_ = os.Truncate(l.Path(), 0)
	}
	return l.Unlock()
}

// shareLock keeps writers away while the database is read, without making a
// file. It returns nil when one is at work, or when the state never had a lock.
func shareLock(database string) *flock.Flock {
	l := flock.New(database+lockSuffix, flock.SetFlag(os.O_RDONLY))
	if ok, err := l.TryRLock(); err != nil || !ok {
		return nil
	}
	return l
}

// lockHolder returns the process that has the lock, 0 when it did not say. A
// number that a killed run left behind is not believed.
func lockHolder(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 0 {
		return 0
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return 0
	}
	defer process.Release()
	if process.Signal(syscall.Signal(0)) != nil {
		return 0
	}
	return pid
}
