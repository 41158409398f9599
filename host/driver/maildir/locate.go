package maildir

import (
	"context"
	"os"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// locator finds the files of messages during one call. It goes by the folder's
// index, and reads the folder again when that turns out to be wrong: not for
// each message, since one reading tells about all of them.
type locator struct {
	store *Store
	f     *folder
	op    string
	// owns reports that the caller holds f.renames.
	owns bool
	// sure: the index was read during this call, while the folder stood still.
	// A message that is not in it is gone.
	sure  bool
	reads int // that may still be done
}

// maxReads bounds the work on a folder that another program renames without end.
const maxReads = 50

func (s *Store) locator(op string, f *folder, owns bool) *locator {
	return &locator{store: s, f: f, op: op, owns: owns, reads: maxReads}
}

// do calls fn with the file of a message. When fn says that the file is not
// there, the message is looked for again. It returns false when the message is
// gone for sure.
func (l *locator) do(ctx context.Context, key mail.Key, fn func(entry) error) (bool, error) {
	var tried entry
	for {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		e, ok := l.f.lookup(key)
		if ok {
			err := fn(e)
			if !missing(err) {
				return true, err
			}
			if _, serr := os.Lstat(l.f.path(e)); serr == nil && e == tried {
				return true, err // a link to nowhere
			}
			tried = e
		} else if l.sure {
			return false, nil
		}
		if l.reads == 0 {
			return false, fault.New(fault.Busy, l.op, "another program keeps renaming the files").
				InFolder(l.f.name).AsTemporary()
		}
		l.reads--
		if err := l.readAgain(ctx); err != nil {
			return false, err
		}
	}
}

func (l *locator) readAgain(ctx context.Context) error {
	if !l.owns {
		l.f.renames.RLock()
		defer l.f.renames.RUnlock()
	}
	list, err := l.store.scan(ctx, l.f)
	l.sure = err == nil && !list.unsure
	return err
}
