package conn

import (
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
)

// What servers answer, and what it means for the message, the folder and the
// run. The texts are those of real servers.
func TestVerdicts(t *testing.T) {
	type want struct {
		code             fault.Code
		temporary, final bool
		after            time.Duration
	}
	busy, quota := want{code: fault.Busy, temporary: true}, want{code: fault.Quota}
	final, unclear := want{code: fault.Refused, final: true}, want{code: fault.Refused}
	for _, c := range []struct {
		op, typ, code, text string
		want                want
	}{
		// About this one message, for good.
		{"append", "NO", "TOOBIG", "Literals are limited to 2000 bytes for this command", final},
		{"append", "NO", "LIMIT", "Mail size is larger than the maximum size allowed by server configuration", final},
		{"append", "NO", "LIMIT", "no", final},
		{"append", "NO", "", "Message size exceeds fixed limit", final},
		{"append", "NO", "", "Message too large", final},
		{"append", "NO", "CANNOT", "Invalid Arguments: Unable to parse message", final},
		{"append", "NO", "", "Message contains NUL characters", final},
		{"append", "NO", "", "Message contains non-ASCII characters in headers", final},
		{"append", "NO", "", "Message contains bare newlines", final},
		{"append", "BAD", "", "8bit data in message header", final},
		{"append", "BAD", "PARSE", "no", final},
		{"append", "NO", "", "message rejected: virus found", final},

		// About this moment.
		{"append", "NO", "INUSE", "x", busy},
		{"append", "NO", "UNAVAILABLE", "x", busy},
		{"append", "NO", "SERVERBUG", "Internal error occurred. Refer to server log for more information.", busy},
		{"append", "NO", "LIMIT", "Rate limit hit", busy},
		{"append", "NO", "ALERT", "Account exceeded command or bandwidth limits. (Failure)", busy},
		{"append", "NO", "", "Message could not be stored, please try again later", busy},
		{"append", "BAD", "", "Request is throttled. Suggested Backoff Time: 29806 milliseconds",
			want{code: fault.Busy, temporary: true, after: 29806 * time.Millisecond}},
		{"select", "NO", "INUSE", "x", busy},
		{"select", "NO", "", "mailbox is locked by another session", busy},
		{"uid fetch", "NO", "SERVERBUG", "x", busy},
		{"uid fetch", "NO", "EXPUNGEISSUED", "Some of the messages were already expunged", busy},
		{"uid fetch", "NO", "", "Server Unavailable. 15", busy},
		{"uid store", "NO", "UNAVAILABLE", "x", busy},
		{"uid move", "NO", "INUSE", "x", busy},
		{"uid move", "NO", "LIMIT", "x", busy},
		{"list", "BAD", "", "Request is throttled. Suggested Backoff Time: 1.5 seconds",
			want{code: fault.Busy, temporary: true, after: 1500 * time.Millisecond}},

		// About the room there is: nothing that waiting a moment would help.
		{"append", "NO", "OVERQUOTA", "Quota exceeded (mailbox for user is full)", quota},
		{"append", "NO", "", "Over quota", quota},
		{"append", "NO", "LIMIT", "too many messages in the mailbox", quota},
		{"uid move", "NO", "OVERQUOTA", "x", quota},

		// Nobody knows.
		{"append", "NO", "", "not this one", unclear},
		{"append", "BAD", "", "Command Argument Error. 11", unclear},
		{"append", "NO", "CORRUPTION", "x", unclear},
		{"select", "NO", "", "Message too large", unclear}, // no message is at stake
		{"uid store", "NO", "LIMIT", "Too many keywords", unclear},
		{"uid store", "BAD", "", "x", want{code: fault.Protocol}},

		// About more than the folder.
		{"append", "NO", "AUTHORIZATIONFAILED", "x", want{code: fault.Auth}},
		{"select", "NO", "EXPIRED", "try again later", want{code: fault.Auth}},
		{"append", "NO", "TRYCREATE", "x", want{code: fault.NotFound}},
		{"append", "NO", "NOPERM", "x", want{code: fault.Permission}},
	} {
		said := &imap.Error{Type: imap.StatusResponseType(c.typ), Code: imap.ResponseCode(c.code), Text: c.text}
		f := replyFault(c.op, "INBOX", said)
		require.Equal(t, c.want, want{f.Code, f.Temporary, f.Final, f.After}, "%s: %s [%s] %s", c.op, c.typ, c.code, c.text)
	}
}

// A wrong password is one, however the server words it; one that is asked again
// and again gets the account locked.
func TestRefusedSignInIsNotTriedAgain(t *testing.T) {
	for text, busy := range map[string]bool{
		"Login failed, please try again":           false,
		"the account is locked":                    false,
		"Too many simultaneous connections":        true,
		"Temporary authentication failure":         true,
		"Suggested Backoff Time: 100 milliseconds": true,
	} {
		f := signInFault("joe", Reply{Type: "NO", Text: text})
		require.Equal(t, busy, fault.IsTemporary(f), text)
		require.Equal(t, !busy, fault.CodeOf(f) == fault.Auth, text)
	}
}

func TestBackoffTexts(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"Suggested Backoff Time: 29806 milliseconds":  29806 * time.Millisecond,
		"please try again in 30 seconds":              30 * time.Second,
		"Retry after 2 minutes.":                      2 * time.Minute,
		"try again in 5s":                             5 * time.Second,
		"try again in 250ms, thank you":               250 * time.Millisecond,
		"try again in 999999999999999999999999 hours": maxBackoff,
		"try again in -3 seconds":                     0,
		"try again in NaN seconds":                    0,
		"try again in a while":                        0,
		"Backoff Time:":                               0,
		"":                                            0,
	} {
		require.Equal(t, want, backoff(text), text)
	}
}
