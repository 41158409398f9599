package conn

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/imapfw/imapfw/host/fault"
)

// wait gets the next buffer from the filler. With boundary it also returns when
// there is something else to tell imapclient. It is the only place where the
// server's silence counts: while nobody waits for the server, nobody blames it.
func (in *inbound) wait(boundary bool) error {
	if in.chunk != nil {
		in.fill.recycle(in.chunk)
		in.chunk = nil
	}
	begin := time.Now()
	for {
		var expired <-chan time.Time
		if in.traffic.isBusy() {
			left := in.meter.timeout - min(time.Since(begin), in.meter.since())
			if left <= 0 {
				in.life.end(stalled(in.meter.timeout))
				return in.life.err()
			}
			in.timer.Reset(left)
			expired = in.timer.C
		}
		select {
		case buf, ok := <-in.fill.full:
			if !ok {
				in.life.end(dropped(in.fill.err, in.traffic.goodbye()))
				return in.life.err()
			}
			in.chunk, in.rest = buf, buf
			return nil
		case <-in.traffic.wake:
			if boundary {
				return errWoken
			}
		case <-expired:
		case <-in.life.dead:
			return in.life.err()
		}
	}
}

// stalled is the fault of a server that does not answer.
func stalled(d time.Duration) *fault.Error {
	return fault.New(fault.Network, connOp, "no answer from the server for %s", d).AsTemporary().
		WithHint("see the option timeout, if the server may take longer")
}

// dropped is the fault of a connection that ended by itself.
func dropped(err error, goodbye string) *fault.Error {
	f := fault.New(fault.Network, connOp, "").AsTemporary()
	switch {
	case goodbye != "":
		f.Message = fmt.Sprintf("the server closed the connection: %s", goodbye)
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		f.Message = "the server closed the connection"
	case errors.Is(err, os.ErrDeadlineExceeded):
		f.Message = "the connection does not move any more"
	case errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe):
		f.Message = "the connection is closed"
	default:
		f.Message, f.Err = "the connection broke", err
	}
	return f
}
