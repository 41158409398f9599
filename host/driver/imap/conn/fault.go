package conn

import (
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"

	"github.com/imapfw/imapfw/host/fault"
)

// Fault turns an error of imapclient into a *fault.Error: a NO by its response
// code, a BAD, a dropped connection. See Run for which errors stay as they are.
func (c *Conn) Fault(op string, err error) error { return c.fault(op, "", err) }

// failed is the error of a use of the connection. What the server answered, and
// what fn itself found, is told even if ctx ended meanwhile.
func (c *Conn) failed(ctx context.Context, op, folder string, err error) error {
	var said *imap.Error
	if cause := context.Cause(ctx); cause != nil && !c.Alive() && !errors.As(err, &said) && !isFault(err) {
		return cause
	}
	return c.fault(op, folder, err)
}

// connError marks the faults of connections, which say nothing of what was
// being done when they happened.
const connOp = "imap"

// isFault reports whether an error is a fault already, and not one of the
// connection itself.
func isFault(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Op != connOp
}

func (c *Conn) fault(op, folder string, err error) error {
	var said *imap.Error
	switch {
	case err == nil:
		return nil
	case isFault(err):
		return err
	case errors.As(err, &said):
		return replyFault(op, folder, said)
	case c.Alive():
		return err
	}
	f := fault.Error{Code: fault.Network, Temporary: true, Err: c.Err()}
	var cause *fault.Error
	if errors.As(c.Err(), &cause) {
		f = *cause
		if f.Code == fault.Protocol && f.Err == nil && err != error(cause) {
			f.Err = err // imapclient knows what it could not read
		}
	}
	f.Op, f.Folder = op, folder
	return &f
}

// The ops that answers are judged by, as they are given to Run and made by Do.
const (
	opSignIn   = "sign in"
	opAppend   = "append"
	opStore    = "store"
	opUIDStore = "uid store"
)

// replyFault is what a NO or BAD means, by its response code (RFC 5530), and
// where that says little by its text; see judge.
func replyFault(op, folder string, said *imap.Error) *fault.Error {
	f := &fault.Error{Code: fault.Refused, Op: op, Folder: folder, Err: &serverError{said}}
	if said.Type == imap.StatusResponseTypeBad {
		f.Code = fault.Protocol
	}
	switch said.Code {
	case imap.ResponseCodeOverQuota:
		outOfRoom(f)
	case imap.ResponseCodeAuthenticationFailed, imap.ResponseCodeAuthorizationFailed, imap.ResponseCodeExpired:
		f.Code = fault.Auth
	case imap.ResponseCodePrivacyRequired:
		f.Code = fault.TLS
		f.Hint = `the server wants an encrypted connection: tls = "implicit" or "starttls"`
	case imap.ResponseCodeNonExistent, imap.ResponseCodeTryCreate:
		f.Code = fault.NotFound
	case imap.ResponseCodeAlreadyExists:
		f.Code = fault.Exists
	case imap.ResponseCodeNoPerm:
		f.Code = fault.Permission
	case "READ-ONLY":
		f.Code = fault.ReadOnly
	case imap.ResponseCodeLimit, imap.ResponseCodeInUse, imap.ResponseCodeUnavailable, imap.ResponseCodeServerBug,
		"SERVERBUSY", "THROTTLED", "EXPUNGEISSUED":
		f.Code, f.Temporary = fault.Busy, true
	}
	judge(f, said)
	return f
}

// signInFault is what a refused sign-in means.
func signInFault(user string, r Reply) error {
	said := &imap.Error{Type: imap.StatusResponseType(r.Type), Code: imap.ResponseCode(r.Code), Text: r.Text}
	f := replyFault(opSignIn, "", said)
	if f.Code == fault.Busy || f.Code == fault.TLS {
		return f
	}
	f.Code = fault.Auth
	f.Message = fmt.Sprintf("as %q", user)
	switch said.Code {
	case imap.ResponseCodeExpired:
		f.Hint = "the password has expired"
	case imap.ResponseCodeAuthorizationFailed:
		f.Hint = "the password is right, but this user may not act as authzid"
	default:
		f.Hint = "check user and password; many providers want a password made for applications, or OAuth"
	}
	return f
}
