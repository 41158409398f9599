package conn

import (
	"bufio"
	"compress/flate"
	"net"
)

// compress switches on COMPRESS=DEFLATE (RFC 4978), where both sides want it.
func (s *session) compress() error {
	if !s.cfg.Compress || !s.caps.has("COMPRESS=DEFLATE") {
		return nil
	}
	reply, err := s.command(Cmd("COMPRESS DEFLATE"))
	if err != nil || reply.Type != "OK" {
		return err // a server that thinks better of it is none
	}
	w, err := flate.NewWriter(s.stream, flate.BestSpeed)
	if err != nil {
		return err
	}
	// What the server sent behind its answer is compressed already.
	s.br = bufio.NewReader(flate.NewReader(s.br))
	s.stream = &deflated{Conn: s.stream, w: w}
	return nil
}

// deflated writes compressed data. What is written goes out at once: the other
// end waits for it.
type deflated struct {
	net.Conn
	w *flate.Writer
}

func (d *deflated) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if err == nil {
		err = d.w.Flush()
	}
	return n, err
}
