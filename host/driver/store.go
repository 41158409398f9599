// Package driver holds the one interface that everything which keeps mail
// implements: a driver for a kind of store, a controller around a driver, an
// endpoint, a repository, and the proxy of any of them on another worker.
package driver

import (
	"context"

	"github.com/imapfw/imapfw/host/mail"
)

// Store is a place that keeps mail in folders. Constructors do no I/O; Open
// does, and the other methods may be called only between Open and Close.
//
// A Store may be called from several goroutines at once. Every method honours
// its context promptly, also in the middle of a transfer. Callbacks are called
// one at a time, in the order of keys, before the method returns; an error they
// return ends the method and is returned as it is.
//
// Failures of single messages do not fail a method: they are in its results, or
// in a *Partial error after everything else was done.
type Store interface {
	Open(ctx context.Context) error
	// Close ends transfers in flight and waits for the store's goroutines. It
	// may be called more than once.
	Close() error
	Reader
	Writer
}

// Reader is the reading half of a Store.
type Reader interface {
	// Folders lists every folder, ordered by name, with as much of its status
	// as one look at the store can tell.
	Folders(ctx context.Context) ([]mail.Folder, error)

	// Changes hands out, in batches ordered by key, the metas of the messages
	// that are new or whose flags changed since a cursor; with an empty cursor,
	// of all of them. The batch is the callee's again when fn returns. What changed
	// since Folders was called may be left for the next time.
	Changes(ctx context.Context, folder mail.Ref, since mail.Cursor, fn func([]mail.Meta) error) (mail.Result, error)

	// Describe finds out what Changes leaves out. Keys that are not there any
	// more are left out.
	Describe(ctx context.Context, folder mail.Ref, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error

	// Bodies hands out content, one message at a time, with flags, size and
	// date. Keys that are not there any more are left out. fn must not call
	// the same Store: its one connection may be in the middle of this body.
	Bodies(ctx context.Context, folder mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error
}

// Writer is the writing half of a Store.
type Writer interface {
	// Reserve is called before n messages are delivered to a folder. Nobody
	// but the caller delivers there until its Commit.
	Reserve(ctx context.Context, folder mail.Ref, n int) (mail.Reservation, error)

	// Deliver takes one message's content with its flags and date; m.Key is the
	// reserved key, or empty. It reads all of body, or fails. The message may
	// already be visible when it returns, and is durable only after Commit. An
	// error that concerns only this message is kept for Commit to tell.
	Deliver(ctx context.Context, folder mail.Ref, m mail.Meta, body mail.Body) (Delivery, error)

	// Commit makes deliveries of one folder visible and durable, as one batch.
	// The result has one entry for each, in order.
	Commit(ctx context.Context, folder mail.Ref, ds []Delivery) ([]mail.Placed, error)

	// Change changes, moves or removes messages. The result has one entry for
	// each, in order. When it returns, the changes are durable.
	Change(ctx context.Context, folder mail.Ref, cs []mail.Change) ([]mail.Outcome, error)
}

// Delivery is a message between Deliver and Commit. It belongs to the Store it
// came from, and is ended by exactly one of Commit and Abort.
type Delivery interface {
	// Abort drops the message where that is still possible. It does not fail:
	// what could not be dropped is found by the next run.
	Abort()
}

// FolderMaker is the optional ability to create folders and to subscribe them.
type FolderMaker interface {
	// CreateFolder creates a folder and, where the store has it, its parents. A
	// folder that exists already is no error.
	CreateFolder(ctx context.Context, name string) error
	// Subscribe adds a folder to the subscriptions. A store without them does
	// nothing.
	Subscribe(ctx context.Context, name string) error
}

// FolderRemover is the optional ability to remove folders.
type FolderRemover interface {
	// RemoveFolder removes a folder that holds no message, and refuses one that
	// does.
	RemoveFolder(ctx context.Context, name string) error
}

// FolderRenamer is the optional ability to rename folders.
type FolderRenamer interface {
	// RenameFolder gives a folder another name, as IMAP's RENAME does (RFC 9051
	// section 6.3.6): its messages keep their flags and dates, the folders below
	// it go along, and where the store has subscriptions they do too. The
	// parents of the new name are created as CreateFolder creates them. The
	// epoch and the keys may change.
	//
	// It is refused with fault.NotFound when there is no such folder,
	// fault.Exists when the new name is taken, fault.BadName when the store
	// cannot hold that name or it lies below the old one, fault.Refused for the
	// inbox, and fault.Unsupported where the store cannot do it in this one case;
	// then nothing was changed. After any other error the caller lists the
	// folders to see what was done.
	RenameFolder(ctx context.Context, from, to string) error
}

// Stamper is the optional ability to keep a mark of ours in the store, so that
// a store restored from a backup is recognised.
type Stamper interface {
	// Stamp returns the mark, empty when there is none.
	Stamp(ctx context.Context) (string, error)
	// SetStamp replaces the mark durably. Words "name:value" replace those of
	// the same name only: several who share the store each keep their own, and
	// may set them at once. See MergeStamp.
	SetStamp(ctx context.Context, stamp string) error
}

// Unwrapper is implemented by controllers: a Store around another one.
type Unwrapper interface{ Unwrap() Store }

// As finds an optional ability in a chain of controllers, outermost first. A
// plain type assertion on a wrapped Store would miss what is inside it.
func As[T any](s Store) (T, bool) {
	for s != nil {
		if t, ok := s.(T); ok {
			return t, true
		}
		u, ok := s.(Unwrapper)
		if !ok {
			break
		}
		s = u.Unwrap()
	}
	var none T
	return none, false
}
