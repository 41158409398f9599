package imap

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/imapfw/imapfw/host/fault"
)

// spoolMemory is how much of a spool is kept in memory.
const spoolMemory = 1 << 20

// spool keeps pieces of content for a while: in memory, and in a file what does
// not fit. It belongs to one goroutine at a time.
type spool struct {
	dir    string
	memory bytes.Buffer
	file   *os.File
	end    int64 // of what is in the file
	named  bool  // the system does not remove open files
}

// span is where a piece of content lies in a spool.
type span struct {
	file     bool
	at, size int64
}

func newSpool(dir string) *spool { return &spool{dir: dir} }

// add reads r to its end. What is added is in one place: in memory if all of it
// fits there.
func (sp *spool) add(r io.Reader) (span, error) {
	start := int64(sp.memory.Len())
	if sp.file == nil {
		n, err := io.CopyN(&sp.memory, r, spoolMemory-start)
		if errors.Is(err, io.EOF) {
			return span{at: start, size: n}, nil
		}
		if err != nil {
			sp.memory.Truncate(int(start))
			return span{}, err
		}
		if err := sp.open(); err != nil {
			return span{}, err
		}
		// What was read of this piece goes to the file too.
		head := bytes.Clone(sp.memory.Bytes()[start:])
		sp.memory.Truncate(int(start))
		r = io.MultiReader(bytes.NewReader(head), r)
	}
	out := &fileWriter{file: sp.file}
	n, err := io.Copy(out, r)
	at := span{file: true, at: sp.end, size: n}
	if err != nil {
		if out.err != nil {
			return span{}, fileError("write a temporary file", out.err)
		}
		_, seekErr := sp.file.Seek(sp.end, io.SeekStart)
		return span{}, errors.Join(err, seekErr)
	}
	sp.end += n
	return at, nil
}

// fileWriter tells errors of the file from those of the source.
type fileWriter struct {
	file *os.File
	err  error
}

func (w *fileWriter) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	w.err = err
	return n, err
}

func fileError(op string, err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fault.Wrap(fault.DiskFull, op, err)
	}
	return fault.Wrap(fault.IO, op, err)
}

func (sp *spool) open() error {
	f, err := os.CreateTemp(sp.dir, "imapfw-")
	if err != nil {
		return fileError("make a temporary file", err)
	}
	// Without a name nothing is left behind, however the process ends.
	sp.named = os.Remove(f.Name()) != nil
	sp.file = f
	return nil
}

// reader returns a piece. It may be read and sought as often as one likes,
// until close.
func (sp *spool) reader(at span) *io.SectionReader {
	if at.file {
		return io.NewSectionReader(sp.file, at.at, at.size)
	}
	return io.NewSectionReader(bytes.NewReader(sp.memory.Bytes()), at.at, at.size)
}

// close frees the spool. It may be called more than once.
func (sp *spool) close() {
	if sp.file != nil {
		_ = sp.file.Close()
		if sp.named {
			_ = os.Remove(sp.file.Name())
		}
		sp.file = nil
	}
	sp.memory = bytes.Buffer{}
}
