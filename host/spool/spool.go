// Package spool keeps the messages that runs destroy, until they are wanted back
// or too old: plain files, one folder for each run, which any program can read.
package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/imapfw/imapfw/host/durable"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Spool is a folder of messages. Its methods may be called from several
// goroutines at once.
type Spool struct {
	dir string

	disk *durable.Disk

	syncing sync.Mutex // guards broken
	broken  error

	mu      sync.Mutex
	next    map[int64]int        // of each run, the number of its last file
	written map[string]*unsynced // since the last Sync, by their directory
	above   []string             // directories that got the spool, or one above it, since
}

// unsynced are full paths of files that are not durable yet.
type unsynced struct{ copied, linked []string }

// New returns the spool in a folder. It does no I/O; the folder is made, for its
// owner only, when the first message comes.
func New(dir string) *Spool {
	return &Spool{dir: dir, disk: durable.New(false, nil), next: map[int64]int{}, written: map[string]*unsynced{}}
}

// The ends of file names, which tell the line ends of the content.
const (
	endLF   = ".lf.eml"
	endCRLF = ".crlf.eml"
)

// Write keeps one message of a run and returns the name it is kept under. It is
// durable only after Sync. Of a body that is a mail.Linker nothing may be read.
func (s *Spool) Write(ctx context.Context, run int64, body mail.Body) (name string, err error) {
	name, path, err := s.place(run, body.LineEnds)
	if err != nil {
		return "", err
	}
	l, linked := body.Reader.(mail.Linker)
	if linked = linked && l.Link(path) == nil; !linked {
		if err := s.copy(ctx, path, body); err != nil {
			return "", err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	dir := filepath.Dir(path)
	if s.written[dir] == nil { // a Sync took it meanwhile
		s.written[dir] = &unsynced{}
	}
	if some := s.written[dir]; linked {
		some.linked = append(some.linked, path)
	} else {
		some.copied = append(some.copied, path)
	}
	return name, nil
}

// copy writes a message to a file that is not there yet, in full or not at all.
func (s *Spool) copy(ctx context.Context, path string, body mail.Body) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return s.fault("keep a message for undo", err)
	}
	n, err := io.Copy(f, reader{ctx, body})
	if closeErr := f.Close(); err == nil && closeErr != nil {
		err = s.fault("keep a message for undo", closeErr)
	}
	if err == nil && n != body.Size {
		err = fault.New(fault.IO, "keep a message for undo", "%d bytes came of %d", n, body.Size)
	}
	if err != nil {
		_ = os.Remove(path) // a part of a message is worth nothing
		if errors.As(err, new(*fs.PathError)) {
			err = s.fault("keep a message for undo", err)
		}
	}
	return err
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}

// place makes the folder of a run and finds a name that is free in it.
func (s *Spool) place(run int64, ends mail.LineEnds) (name, path string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir := filepath.Join(s.dir, fmt.Sprint(run))
	if _, begun := s.next[run]; !begun {
		for d := s.dir; !isThere(d) && d != filepath.Dir(d); d = filepath.Dir(d) {
			s.above = append(s.above, filepath.Dir(d))
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", "", s.fault("make the folder for undo", err)
		}
		// A state that was lost counts its runs from the start again.
		there, err := os.ReadDir(dir)
		if err != nil {
			return "", "", s.fault("make the folder for undo", err)
		}
		for _, e := range there {
			n, _ := strconv.Atoi(strings.SplitN(e.Name(), ".", 2)[0])
			s.next[run] = max(s.next[run], n)
		}
	}
	if s.written[dir] == nil {
		if err := s.disk.Watch(dir); err != nil {
			return "", "", s.fault("make the folder for undo", err)
		}
		s.written[dir] = &unsynced{}
	}
	s.next[run]++
	end := endLF
	if ends == mail.CRLF {
		end = endCRLF
	}
	name = fmt.Sprintf("%d/%06d%s", run, s.next[run], end)
	return name, filepath.Join(s.dir, filepath.FromSlash(name)), nil
}

func isThere(dir string) bool {
	_, err := os.Stat(dir)
	return err == nil
}

// Sync makes everything durable that was written, by whomever. Once it has failed
// it fails for ever: a second look at a file whose writing failed may find nothing
// wrong with it. So it is not cut short by a context either.
func (s *Spool) Sync(ctx context.Context) error {
	s.syncing.Lock() // who comes second may have had its files taken by the first
	defer s.syncing.Unlock()
	s.mu.Lock()
	written, above := s.written, s.above
	s.written, s.above = map[string]*unsynced{}, nil
	s.mu.Unlock()
	if s.broken != nil || len(written) == 0 {
		return s.broken
	}
	ctx = context.WithoutCancel(ctx)
	var err error
	everything := true
	for dir, some := range written {
		if err = s.syncDir(ctx, dir, some, &everything); err != nil {
			break
		}
	}
	if err == nil && !everything {
		err = s.disk.Dirs(append(above, s.dir)...)
	}
	s.broken = s.fault("keep a message for undo", err)
	return s.broken
}

// syncDir makes durable what is new in one directory. everything becomes false where
// that of the directory above is not.
func (s *Spool) syncDir(ctx context.Context, dir string, some *unsynced, everything *bool) error {
	if len(some.copied) > 0 {
		all, err := s.disk.Files(ctx, dir, some.copied)
		if err != nil || all {
			return err
		}
	}
	*everything = false
	if err := s.disk.Linked(ctx, some.linked); err != nil {
		return err
	}
	return s.disk.Dirs(dir)
}

// Close lets go of the disk. What is written afterwards is durable with the next
// Sync too.
func (s *Spool) Close() { s.disk.Close() }

// Open returns a message by the name it is kept under. The caller closes it.
func (s *Spool) Open(name string) (*os.File, mail.Body, error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, mail.Body{}, fault.New(fault.Internal, "read what is kept for undo", "%q is no name in it", name)
	}
	f, err := os.Open(filepath.Join(s.dir, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, mail.Body{}, fault.New(fault.NotFound, "read what is kept for undo", "%s is not kept any more", name)
	}
	if err != nil {
		return nil, mail.Body{}, s.fault("read what is kept for undo", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, mail.Body{}, errors.Join(s.fault("read what is kept for undo", err), f.Close())
	}
	ends := mail.LF
	if strings.HasSuffix(name, endCRLF) {
		ends = mail.CRLF
	}
	return f, mail.Body{Reader: f, Size: info.Size(), LineEnds: ends}, nil
}

func (s *Spool) fault(op string, err error) error {
	if err == nil {
		return nil
	}
	code := fault.IO
	switch {
	case isFull(err):
		code = fault.DiskFull
	case errors.Is(err, fs.ErrPermission):
		code = fault.Permission
	}
	e := &fault.Error{Code: code, Op: op, Err: err}
	return e.WithHint("nothing was removed; undo = { path = ... } says where messages are kept")
}
