package conn

import "io"

const (
	bufferSize  = 64 << 10
	bufferCount = 2
)

// filler reads the socket on a goroutine of its own, so that the tokenizer can
// wait for bytes and for other things at the same time. It is at most two
// buffers ahead of whoever reads.
type filler struct {
	full chan []byte // closed at the end of the stream
	free chan []byte
	err  error // why it ended; valid once full is closed
}

func newFiller() *filler {
	f := &filler{full: make(chan []byte, bufferCount), free: make(chan []byte, bufferCount)}
	for range bufferCount {
		f.free <- make([]byte, bufferSize)
	}
	return f
}

// run reads r until it fails or stop is closed. Closing the socket ends a read
// in progress.
func (f *filler) run(r io.Reader, stop <-chan struct{}) {
	defer close(f.full)
	for {
		select {
		case buf := <-f.free:
			n, err := r.Read(buf)
			if n > 0 {
				f.full <- buf[:n] // there is room for every buffer
			} else {
				f.free <- buf
			}
			if err != nil {
				f.err = err
				return
			}
		case <-stop:
			f.err = io.ErrClosedPipe
			return
		}
	}
}

// recycle gives a buffer back.
func (f *filler) recycle(buf []byte) { f.free <- buf[:bufferSize] }
