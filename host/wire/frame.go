package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"github.com/imapfw/imapfw/host/fault"
)

// Frame is one message between two processes. What its type and payload mean is
// up to who speaks; Stream tells calls in flight apart.
type Frame struct {
	Type    byte
	Stream  uint64
	Payload []byte
}

// MaxFrame is the largest payload in bytes: the largest Value and what says
// where it goes.
const MaxFrame = MaxSize + 1<<20

// A frame is: length of the payload (4 bytes), type (1), stream (8), payload.
// There is no checksum: a pipe between two processes does not lose bytes.
const frameHeader = 4 + 1 + 8

// FrameWriter writes frames. It is for one goroutine.
type FrameWriter struct{ w *bufio.Writer }

// NewFrameWriter returns a FrameWriter that gathers small frames into one write
// to w.
func NewFrameWriter(w io.Writer) *FrameWriter {
	return &FrameWriter{bufio.NewWriterSize(w, 64<<10)}
}

// Write writes a frame, or keeps it for Flush.
func (w *FrameWriter) Write(f Frame) error {
	if len(f.Payload) > MaxFrame {
		return fault.New(fault.Internal, "write a frame", "%d bytes are too many", len(f.Payload))
	}
	var head [frameHeader]byte
	binary.BigEndian.PutUint32(head[0:], uint32(len(f.Payload)))
	head[4] = f.Type
	binary.BigEndian.PutUint64(head[5:], f.Stream)
	if _, err := w.w.Write(head[:]); err != nil {
		return err
	}
	_, err := w.w.Write(f.Payload)
	return err
}

// Flush writes what was kept.
func (w *FrameWriter) Flush() error { return w.w.Flush() }

// FrameReader reads frames. It is for one goroutine.
type FrameReader struct{ r *bufio.Reader }

// NewFrameReader returns a FrameReader that reads ahead from r.
func NewFrameReader(r io.Reader) *FrameReader {
	return &FrameReader{bufio.NewReaderSize(r, 64<<10)}
}

// Read returns the next frame, whose payload is the caller's. It returns io.EOF
// where the other end stopped between two frames, io.ErrUnexpectedEOF where it
// stopped within one, and a fault.Protocol for one that is too large.
func (r *FrameReader) Read() (Frame, error) {
	var head [frameHeader]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return Frame{}, err
	}
	length := int(binary.BigEndian.Uint32(head[0:]))
	if length > MaxFrame {
		return Frame{}, fault.New(fault.Protocol, "read a frame", "%d bytes are too many", length)
	}
	payload, err := r.payload(length)
	if err != nil {
		return Frame{}, err
	}
	return Frame{Type: head[4], Stream: binary.BigEndian.Uint64(head[5:]), Payload: payload}, nil
}

// payload allocates as the bytes arrive, so that a length alone costs nothing.
func (r *FrameReader) payload(length int) ([]byte, error) {
	const step = 128 << 10
	b := make([]byte, 0, min(length, step))
	for len(b) < length {
		n := min(length-len(b), max(step, len(b)))
		b = append(b, make([]byte, n)...)
		if _, err := io.ReadFull(r.r, b[len(b)-n:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return b, nil
}
