package conn

import (
	"bytes"
	"io"
	"strings"
)

// outbound is the writing side: what imapclient writes goes through it line by
// line and literal by literal. imapclient writes from one goroutine at a time.
type outbound struct {
	to      io.Writer
	life    *life
	traffic *traffic
	enc     encoding
	trace   *tracer

	// gate is held by whoever is in the middle of a command, also while it
	// waits for a "+", and throughout IDLE.
	gate chan struct{}

	line    []byte // of a command, as far as it has come
	literal int64  // octets of a literal still to come
	cmd     *clientCommand
}

func newOutbound(to io.Writer, l *life, t *traffic, enc encoding, trace *tracer) *outbound {
	return &outbound{to: to, life: l, traffic: t, enc: enc, trace: trace, gate: make(chan struct{}, 1)}
}

// enter waits for the gate.
func (o *outbound) enter() error {
	select {
	case o.gate <- struct{}{}:
		return nil
	case <-o.life.dead:
		return o.life.err()
	}
}

func (o *outbound) leave() { <-o.gate }

// send writes to the server. A failure is the end of the connection.
func (o *outbound) send(p []byte) error {
	if _, err := o.to.Write(p); err != nil {
		o.life.end(dropped(err, o.traffic.goodbye()))
		return o.life.err()
	}
	return nil
}

// Write takes what imapclient writes. Lines are held back until they are
// complete, literals are not.
func (o *outbound) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if o.literal > 0 {
			n := int(min(o.literal, int64(len(p))))
			if !o.traffic.isRefused(o.cmd) {
				if err := o.send(p[:n]); err != nil {
					return 0, err
				}
			}
			o.literal -= int64(n)
			p = p[n:]
			continue
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			o.line = append(o.line, p...)
			break
		}
		o.line = append(o.line, p[:end+1]...)
		p = p[end+1:]
		err := o.command(o.line)
		o.line = o.line[:0]
		if err != nil {
			return 0, err
		}
	}
	return total, nil
}

// command handles a line that is complete: the beginning of a command, or what
// follows on a literal in it, or DONE.
func (o *outbound) command(line []byte) error {
	cmd := o.cmd
	if cmd != nil && cmd.idle && o.traffic.isRefused(cmd) {
		cmd = nil // the reader left the gate when IDLE was refused
	}
	switch {
	case cmd == nil:
		if err := o.enter(); err != nil {
			return err
		}
		cmd = newClientCommand(line)
		o.cmd = cmd
		o.traffic.begin(cmd)
		if cmd.name == "APPEND" {
			line = o.enc.rawAppend(line)
		}
	case cmd.idle:
		if o.traffic.done(cmd) {
			if err := o.sendLine(line); err != nil {
				return err
			}
		}
		return o.finish()
	}

	size, isLiteral := literalSize(line)
	sync := isLiteral && !bytes.HasSuffix(trimEOL(line), []byte("+}"))
	o.literal = size
	switch {
	case o.traffic.isRefused(cmd):
		// The server has answered already and expects no more of it.
		if sync {
			o.traffic.fake()
		}
		if !isLiteral {
			return o.finish()
		}
		return nil
	case sync && o.enc.nonSync(size):
		// imapclient waits for a "+" that the server will not send.
		line = append(bytes.TrimSuffix(trimEOL(line), []byte("}")), "+}\r\n"...)
		o.traffic.fake()
	case sync || cmd.idle:
		o.traffic.await(cmd)
	}
	if err := o.sendLine(line); err != nil {
		return err
	}
	if !isLiteral && !cmd.idle {
		return o.finish()
	}
	return nil
}

func (o *outbound) sendLine(line []byte) error {
	o.trace.line(true, line)
	return o.send(line)
}

// finish ends the command that is being written.
func (o *outbound) finish() error {
	o.cmd = nil
	o.leave()
	return nil
}

// newClientCommand reads the beginning of a command of imapclient.
func newClientCommand(line []byte) *clientCommand {
	text := strings.ToUpper(string(trimEOL(line)))
	tag, rest, _ := strings.Cut(text, " ")
	cmd := &clientCommand{tag: tag}
	if after, ok := strings.CutPrefix(rest, "UID "); ok {
		cmd.uid, rest = true, after
	}
	name, args, _ := strings.Cut(rest, " ")
	cmd.name = name
	switch name {
	case "FETCH":
		cmd.fetch = true
		cmd.body = strings.Contains(args, "BODY[") || strings.Contains(args, "BODY.PEEK[") ||
			strings.Contains(args, "BINARY[") || strings.Contains(args, "BINARY.PEEK[")
	case "STORE":
		cmd.fetch = true
	case "IDLE":
		cmd.idle = true
	}
	return cmd
}
