package wire

import (
	"context"
	"io"
	"io/fs"
	"math"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/imapfw/imapfw/host/fault"
)

// Fault returns any error as a Value: a *fault.Error as it is, anything else
// inside one that has its code and its text. A nil error gives nil.
func Fault(err error) *fault.Error {
	if err == nil {
		return nil
	}
	if f, ok := err.(*fault.Error); ok {
		return f
	}
	return &fault.Error{Code: fault.CodeOf(err), Temporary: fault.IsTemporary(err), Final: fault.IsFinal(err),
		After: fault.AfterOf(err), Err: err}
}

// CloneError returns err as it looks after crossing a border: its text, the
// codes and the well-known errors in its tree stay, its types do not.
func CloneError(err error) error {
	if err == nil {
		return nil
	}
	d := decoder{buf: AppendError(nil, err)}
	out := d.errorNode(0)
	if d.err != nil {
		return d.err
	}
	return out
}

// AppendError appends the encoded form of err, which may be nil.
func AppendError(dst []byte, err error) []byte {
	e := encoder{buf: dst, textLeft: maxErrorText}
	e.errorNode(err, 0)
	return e.buf
}

// DecodeError returns the error at the beginning of b, and what follows it.
func DecodeError(b []byte) (got error, rest []byte, err error) {
	d := decoder{buf: b}
	got = d.errorNode(0)
	if d.err != nil {
		return nil, nil, d.err
	}
	return got, d.buf, nil
}

// The kinds of node in the tree of an error.
const (
	nodeNil byte = iota
	nodeFault
	nodeCode
	nodeKnown
	nodeErrno
	nodeOther
)

// An error's tree is as large as whoever wrapped it made it; what is beyond
// these limits crosses as text, or is cut.
const (
	maxErrorDepth = 32
	maxErrorFan   = 64
	maxErrorText  = 256 << 10 // of all its texts together
	errorNodeCost = 16        // what a node takes from it beside its text
)

// known are the errors that others compare with errors.Is. Their order is the
// format.
var known = [...]error{
	io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, context.Canceled, context.DeadlineExceeded,
	fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed, net.ErrClosed, os.ErrDeadlineExceeded,
}

func (e *encoder) fault(f *fault.Error, depth int) {
	for _, s := range [...]string{string(f.Code), f.Op, f.Account, f.Worker, f.Folder, f.Key, f.Message, f.Hint, f.At, f.Trace} {
		e.errorText(s)
	}
	var nature byte
	if f.Temporary {
		nature |= natureTemporary
	}
	if f.Final {
		nature |= natureFinal
	}
	e.byte(nature)
	e.uvarint(uint64(max(f.After, 0)))
	e.errorNode(f.Err, depth+1)
}

// The bits of what a fault is like.
const (
	natureTemporary byte = 1 << iota
	natureFinal
)

// errorText writes as much of a text as the error may still take.
func (e *encoder) errorText(s string) {
	s = s[:min(len(s), max(e.textLeft, 0))]
	e.textLeft -= len(s)
	e.text(s)
}

func (d *decoder) fault(depth int) *fault.Error {
	var f fault.Error
	f.Code = fault.Code(d.text())
	for _, s := range [...]*string{&f.Op, &f.Account, &f.Worker, &f.Folder, &f.Key, &f.Message, &f.Hint, &f.At, &f.Trace} {
		*s = d.text()
	}
	nature := d.byte()
	f.Temporary, f.Final = nature&natureTemporary != 0, nature&natureFinal != 0
	f.After = time.Duration(min(d.uvarint(), math.MaxInt64))
	f.Err = d.errorNode(depth + 1)
	return &f
}

func (e *encoder) errorNode(err error, depth int) {
	e.textLeft -= errorNodeCost
	if err == nil {
		e.byte(nodeNil)
		return
	}
	for i, k := range known {
		if err == k {
			e.byte(nodeKnown)
			e.byte(byte(i))
			return
		}
	}
	switch err := err.(type) {
	case *fault.Error:
		if err == nil {
			e.byte(nodeNil)
		} else if depth < maxErrorDepth && e.textLeft > 0 {
			e.byte(nodeFault)
			e.fault(err, depth)
		} else {
			e.otherNode(err.Error(), nil, depth)
		}
		return
	case fault.Code:
		e.byte(nodeCode)
		e.errorText(string(err))
		return
	case syscall.Errno:
		e.byte(nodeErrno)
		e.uvarint(uint64(err))
		return
	}
	var below []error
	if depth < maxErrorDepth && e.textLeft > 0 {
		below = unwrap(err)
	}
	e.otherNode(err.Error(), below, depth)
}

func (e *encoder) otherNode(text string, below []error, depth int) {
	e.byte(nodeOther)
	e.errorText(text)
	below = below[:min(len(below), maxErrorFan)]
	e.uvarint(uint64(len(below)))
	for _, b := range below {
		e.errorNode(b, depth+1)
	}
}

func unwrap(err error) []error {
	switch err := err.(type) {
	case interface{ Unwrap() []error }:
		return err.Unwrap()
	case interface{ Unwrap() error }:
		if below := err.Unwrap(); below != nil {
			return []error{below}
		}
	}
	return nil
}

func (d *decoder) errorNode(depth int) error {
	if depth > maxErrorDepth+1 {
		d.fail("an error more than %d levels deep", maxErrorDepth)
		return nil
	}
	switch kind := d.byte(); kind {
	case nodeNil:
		return nil
	case nodeFault:
		return d.fault(depth)
	case nodeCode:
		return fault.Code(d.text())
	case nodeKnown:
		if i := int(d.byte()); i < len(known) {
			return known[i]
		}
		d.fail("an unknown error")
		return nil
	case nodeErrno:
		return syscall.Errno(d.uvarint())
	case nodeOther:
		other := &remoteError{text: d.text()}
		for range d.count(1) {
			other.below = append(other.below, d.errorNode(depth+1))
		}
		return other
	default:
		d.fail("unknown node %d in an error", kind)
		return nil
	}
}

// remoteError is an error of a type that stayed on the other side. It says the
// same and holds the same tree.
type remoteError struct {
	text  string
	below []error
}

func (e *remoteError) Error() string   { return e.text }
func (e *remoteError) Unwrap() []error { return e.below }
