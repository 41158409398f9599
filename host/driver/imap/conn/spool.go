package conn

import (
	"io"
	"os"
)

// spoolMemory is how much of a literal is kept in memory.
const spoolMemory = 1 << 20

// spool keeps a literal that has to wait for what comes behind it: in memory
// while it is small, else in a file that is gone when the spool is closed.
type spool struct {
	buf  []byte
	file *os.File
	left int64 // to be read
}

// newSpool reads size octets from r.
func newSpool(r io.Reader, size int64) (*spool, error) {
	s := &spool{left: size}
	if size <= spoolMemory {
		s.buf = make([]byte, size)
		_, err := io.ReadFull(r, s.buf)
		return s, err
	}
	file, err := os.CreateTemp("", "imapfw-spool-*")
	if err != nil {
		return nil, err
	}
	s.file = file
	if _, err = io.CopyN(file, r, size); err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *spool) Read(p []byte) (n int, err error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	if s.file != nil {
		n, err = s.file.Read(p[:min(int64(len(p)), s.left)])
	} else {
		n = copy(p, s.buf)
		s.buf = s.buf[n:]
	}
	s.left -= int64(n)
	return n, err
}

func (s *spool) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if rm := os.Remove(s.file.Name()); err == nil {
		err = rm
	}
	s.file = nil
	return err
}
