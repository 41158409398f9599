package maildir

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Bodies hands out the files as they are. Their bodies can be read twice.
func (s *Store) Bodies(ctx context.Context, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	const op = "read messages"
	var failed driver.Partial
	err := s.each(ctx, op, ref, keys, &failed, func(ctx context.Context, m mail.Meta, file *os.File) error {
		body := &fileBody{ctx: ctx, file: file, size: m.Size}
		return fn(m, mail.Body{Reader: body, Size: m.Size, LineEnds: mail.LF})
	})
	if err != nil {
		return err
	}
	return failed.OrNil()
}

// each opens messages in the order of their keys. Files that cannot be opened
// are noted in failed; an error of fn ends it, as it is.
func (s *Store) each(ctx context.Context, op string, ref mail.Ref, keys mail.KeySet, failed *driver.Partial,
	fn func(context.Context, mail.Meta, *os.File) error) error {
	ctx, done, err := s.begin(ctx, op, ref.Name)
	if err != nil {
		return err
	}
	defer done()
	f, err := s.folder(op, ref)
	if err != nil {
		return err
	}
	look, words := s.locator(op, f, keys, false), s.wordReader(f)
	for key := range keys.All() {
		file, meta, err := s.find(ctx, look, key, words)
		switch {
		case file != nil:
			if err := with(ctx, meta, file, fn); err != nil {
				return err
			}
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			failed.Fail(key, ioFault(op, ref.Name, err))
		}
	}
	return nil
}

// find opens the file of a message; nil when the message is gone.
func (s *Store) find(ctx context.Context, look *locator, key mail.Key, words *wordReader) (file *os.File, meta mail.Meta, err error) {
	_, err = look.do(ctx, key, func(e entry) (err error) {
		file, meta, err = s.open(look.f, e, words)
		return err
	})
	return file, meta, err
}

// with closes a file when fn is done with it, or panics.
func with(ctx context.Context, m mail.Meta, file *os.File, fn func(context.Context, mail.Meta, *os.File) error) error {
	defer file.Close() // it is only read
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fn(ctx, m, file)
}

// open opens a message and tells what is known of it.
func (s *Store) open(f *folder, e entry, words *wordReader) (*os.File, mail.Meta, error) {
	// Somebody may have put a pipe there; opening must not wait for its writer.
	file, err := os.OpenFile(f.path(e), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, mail.Meta{}, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fault.New(fault.IO, "read message", "%s is no file", f.path(e)).InFolder(f.name)
	}
	var flags mail.Flags
	if err == nil {
		flags, err = words.flags(parseName(e.name, s.opts.InfoSeparator[0]).letters)
	}
	if err != nil {
		_ = file.Close()
		return nil, mail.Meta{}, err
	}
	return file, mail.Meta{Key: mail.Key(e.key()), Flags: flags, Size: info.Size(), Date: wholeSecond(info.ModTime())}, nil
}

// fileBody reads a message's file: as much as it held when it was opened, no
// more and no less. It is a mail.Linker.
type fileBody struct {
	ctx  context.Context
	file *os.File
	at   int64
	size int64
}

func (b *fileBody) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	if b.at >= b.size {
		return 0, io.EOF
	}
	n, err := b.file.Read(p[:min(int64(len(p)), b.size-b.at)])
	b.at += int64(n)
	if err == io.EOF && b.at < b.size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

var errSeek = errors.New("seek: position out of range")

func (b *fileBody) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += b.at
	case io.SeekEnd:
		offset += b.size
	}
	if offset < 0 || offset > b.size {
		return 0, errSeek
	}
	at, err := b.file.Seek(offset, io.SeekStart)
	if err == nil {
		b.at = at
	}
	return at, err
}
