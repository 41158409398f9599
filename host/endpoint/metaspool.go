package endpoint

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
	"slices"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
)

// metaBatch is how many metas are handed out at once.
const metaBatch = 1000

// spoolInMemory is how many metas a spool keeps before it takes a file.
const spoolInMemory = 10_000

// metaSpool keeps metas in order for a second look. Memory stays bounded, also
// for a folder of a million messages. It is for one goroutine.
type metaSpool struct {
	metas []mail.Meta
	file  *os.File // already unlinked
	out   *bufio.Writer
}

func (s *metaSpool) empty() bool { return len(s.metas) == 0 && s.file == nil }

func (s *metaSpool) add(metas []mail.Meta) error {
	s.metas = append(s.metas, metas...)
	if len(s.metas) < spoolInMemory {
		return nil
	}
	if s.file == nil {
		f, err := os.CreateTemp("", "imapfw-*")
		if err != nil {
			return fault.Wrap(fault.IO, "make a temporary file", err)
		}
		s.file, s.out = f, bufio.NewWriterSize(f, 256<<10)
		if err := os.Remove(f.Name()); err != nil {
			return fault.Wrap(fault.IO, "make a temporary file", err)
		}
	}
	for part := range slices.Chunk(s.metas, metaBatch) {
		b, err := wire.Encode(part)
		if err != nil {
			return err
		}
		if _, err = s.out.Write(binary.AppendUvarint(nil, uint64(len(b)))); err == nil {
			_, err = s.out.Write(b)
		}
		if err != nil {
			return fault.Wrap(fault.IO, "write a temporary file", err)
		}
	}
	s.metas = s.metas[:0]
	return nil
}

// each hands everything out again, in batches. Nothing can be added after it.
func (s *metaSpool) each(fn func([]mail.Meta) error) error {
	if s.file != nil {
		if err := s.eachInFile(fn); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(s.metas, metaBatch) {
		if err := fn(part); err != nil {
			return err
		}
	}
	return nil
}

func (s *metaSpool) eachInFile(fn func([]mail.Meta) error) error {
	bad := func(err error) error { return fault.Wrap(fault.IO, "read a temporary file", err) }
	if err := s.out.Flush(); err != nil {
		return bad(err)
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return bad(err)
	}
	r := bufio.NewReaderSize(s.file, 256<<10)
	for {
		n, err := binary.ReadUvarint(r)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return bad(err)
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			return bad(err)
		}
		v, err := wire.Decode(b)
		if err != nil {
			return bad(err)
		}
		metas, _ := v.([]mail.Meta)
		if err := fn(metas); err != nil {
			return err
		}
	}
}

// close frees what the spool took.
func (s *metaSpool) close() {
	if s.file != nil {
		_ = s.file.Close() // it is unlinked, and nobody will read it
	}
}
