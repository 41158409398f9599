package maildir

import (
	"bytes"
	"context"
	"io"
	"os"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
)

// maxDescribed is how many bytes of headers are held at a time.
const maxDescribed = 1 << 20

// Describe tells size and date, which cost the same, and the header.
func (s *Store) Describe(ctx context.Context, ref mail.Ref, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error {
	const op = "look at messages"
	var out []mail.Description
	held := 0
	flush := func() error {
		if len(out) == 0 {
			return nil
		}
		err := fn(out)
		out, held = out[:0], 0
		return err
	}
	var failed driver.Partial
	buf := make([]byte, 32<<10)
	err := s.each(ctx, op, ref, keys, &failed, func(ctx context.Context, m mail.Meta, file *os.File) error {
		d := mail.Description{Meta: m}
		var err error
		if want&mail.WantHeader != 0 {
			d.Header, err = readHeader(file, buf)
		}
		if err == nil && want&mail.WantCRLFSize != 0 {
			d.CRLFSize, err = crlfSize(&fileBody{ctx: ctx, file: file, size: m.Size}, buf)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			failed.Fail(m.Key, ioFault(op, ref.Name, err))
			return nil
		}
		out = append(out, d)
		if held += len(d.Header); held >= maxDescribed || len(out) == batch {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return err
	}
	return failed.OrNil()
}

// readHeader reads a message up to and including the empty line; all of it when
// there is none. It leaves the file at its beginning.
func readHeader(file *os.File, buf []byte) ([]byte, error) {
	var header []byte
	for {
		n, err := file.Read(buf)
		from := max(0, len(header)-3) // an end may have begun before
		header = append(header, buf[:n]...)
		if end := headerEnd(header, from); end > 0 {
			header = header[:end]
			break
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	_, err := file.Seek(0, io.SeekStart)
	return header, err
}

// headerEnd returns the length of the header, 0 when its end is not in b. What
// is before from was looked at already.
func headerEnd(b []byte, from int) int {
	for {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			return 0
		}
		i += from
		if line := bytes.TrimSuffix(b[:i], []byte{'\r'}); len(line) == 0 || line[len(line)-1] == '\n' {
			return i + 1
		}
		from = i + 1
	}
}

// crlfSize counts what a message takes in CRLF form.
func crlfSize(r io.Reader, buf []byte) (int64, error) {
	var size int64
	last := byte(0)
	for {
		n, err := r.Read(buf)
		size += int64(n) + int64(bytes.Count(buf[:n], []byte{'\n'}))
		size -= int64(bytes.Count(buf[:n], []byte("\r\n")))
		if n > 0 {
			if last == '\r' && buf[0] == '\n' {
				size--
			}
			last = buf[n-1]
		}
		if err == io.EOF {
			return size, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// wholeSecond is a file's date as the arrival date of a message.
func wholeSecond(t time.Time) time.Time { return t.Truncate(time.Second) }
