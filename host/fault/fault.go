// Package fault is the error that crosses every border of the host: between
// packages, workers, processes and Lua. A driver, which knows what went wrong,
// sets the code; everybody else adds where it happened and passes it on.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code is the kind of a failure. It is itself an error, so that
// errors.Is(err, fault.Auth) asks for the kind at any depth.
type Code string

// The codes. A script sees them as err.code.
const (
	Auth         Code = "auth"          // the server refused the sign-in
	Network      Code = "network"       // unreachable, dropped, timed out
	TLS          Code = "tls"           // certificate or handshake refused
	Protocol     Code = "protocol"      // the other end broke its protocol
	Refused      Code = "refused"       // the server answered NO
	NotFound     Code = "not_found"     // no such folder or message
	Exists       Code = "exists"        // it is there already
	Quota        Code = "quota"         // over quota
	DiskFull     Code = "disk_full"     // no space left
	Permission   Code = "permission"    // the file system said no
	ReadOnly     Code = "read_only"     // the folder or store is read only
	EpochChanged Code = "epoch_changed" // keys are of another UIDVALIDITY or stamp
	Busy         Code = "busy"          // another instance, or a busy server
	Unsupported  Code = "unsupported"   // the store cannot do this
	BadName      Code = "bad_name"      // a folder name the store cannot hold
	Partial      Code = "partial"       // some items failed, the rest is done
	Guard        Code = "guard"         // refused before anything was written
	Config       Code = "config"        // a mistake in what the user wrote
	Script       Code = "script"        // a script raised
	SelfCall     Code = "self_call"     // a worker called itself through others
	Stopped      Code = "stopped"       // the worker or the run is over
	Crashed      Code = "crashed"       // a panic, or a child process that died
	IO           Code = "io"            // any other input or output failure
	Internal     Code = "internal"      // a mistake of ours
)

func (c Code) Error() string { return strings.ReplaceAll(string(c), "_", " ") }

// Error says what was being done to what, what happened, and what the user can
// do. Empty fields are left out of the text. Secrets never enter it.
type Error struct {
	Code      Code
	Op        string // "select", "append", "open state": what was being done
	Account   string
	Worker    string
	Folder    string
	Key       string
	Message   string // what happened, where Err does not say it
	Hint      string // what the user can do
	At        string // file:line of the script, where one is to blame
	Temporary bool   // worth trying again later, unchanged
	// Final reports that the one message it is about was looked at and will
	// never be taken as it is: too large, or its content. Trying again is worth
	// it only when the message or the limit has changed.
	Final bool
	// After is how long the other end asks to be left alone; 0 where it does not.
	After time.Duration
	Trace string // stack of a panic or of a script
	Err   error
}

// New returns an error of a kind with a message.
func New(code Code, op, format string, args ...any) *Error {
	return &Error{Code: code, Op: op, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns err as an error of a kind, saying what was being done. A nil err
// gives nil.
func Wrap(code Code, op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Code: code, Op: op, Err: err}
}

// WithHint adds what the user can do, and returns e.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// AsTemporary marks the error worth trying again later, and returns e.
func (e *Error) AsTemporary() *Error {
	e.Temporary = true
	return e
}

// AsFinal marks the error as the last word about this one message, and returns e.
func (e *Error) AsFinal() *Error {
	e.Final = true
	return e
}

// InFolder notes the folder where none is noted, and returns e.
func (e *Error) InFolder(name string) *Error {
	if e.Folder == "" {
		e.Folder = name
	}
	return e
}

// WithFolder returns err naming the folder. err is left as it is: what ended a
// connection or a run is the same error for everybody who had to do with it. A
// nil err gives nil, and one that is no fault of ours is returned as it is.
func WithFolder(err error, name string) error {
	var e *Error
	if !errors.As(err, &e) || e.Folder == name {
		return err
	}
	named := *e
	if err != error(e) {
		named = Error{Code: e.Code, Temporary: e.Temporary, Final: e.Final, After: e.After, Err: err}
	}
	named.Folder = name
	return &named
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.At != "" {
		b.WriteString(e.At + ": ")
	}
	if e.Op != "" {
		b.WriteString(e.Op)
		if e.Folder != "" {
			fmt.Fprintf(&b, " %q", e.Folder)
		}
		if e.Key != "" {
			b.WriteString(" message " + e.Key)
		}
		b.WriteString(": ")
	} else if e.Folder != "" {
		fmt.Fprintf(&b, "folder %q: ", e.Folder)
	}
	switch {
	case e.Message != "" && e.Err != nil:
		b.WriteString(e.Message + ": " + e.Err.Error())
	case e.Message != "":
		b.WriteString(e.Message)
	case e.Err != nil:
		b.WriteString(e.Err.Error())
	default:
		b.WriteString(e.Code.Error())
	}
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is this error's code.
func (e *Error) Is(target error) bool {
	c, ok := target.(Code)
	return ok && c == e.Code
}

// CodeOf returns the code of the outermost Error in err's tree, or Internal.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	var c Code
	if errors.As(err, &c) {
		return c
	}
	return Internal
}

// IsTemporary reports whether trying again later, unchanged, may work.
func IsTemporary(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Temporary
}

// IsFinal reports whether the message that err is about will never be taken as
// it is.
func IsFinal(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Final
}

// AfterOf returns how long the other end asks to be left alone, 0 where err does
// not say.
func AfterOf(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.After
	}
	return 0
}
