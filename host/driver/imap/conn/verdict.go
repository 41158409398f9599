package conn

import (
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/imapfw/imapfw/host/fault"
)

// What a NO or BAD says about trying again is in its response code (RFC 5530)
// where there is one. Many servers give none, or give one too general for what
// they mean; then the text decides. A word that is not recognised decides
// nothing: such an answer is neither temporary nor final.

// passing are words of answers that are about this moment. They come before the
// others: "exceeded bandwidth limits" is not about the size of a message.
var passing = []string{
	"throttl", "backoff", "back-off", "back off", "rate limit", "rate-limit", "bandwidth", "temporar", "busy",
	"unavailable", "not available", "internal error", "internal server error", "server error", "shutting down",
	"too many simultaneous", "too many concurrent", "too many connections", "too many requests", "too many commands",
}

// retry are more of them. To a sign-in they mean something else: "wrong password,
// try again", "the account is locked".
var retry = []string{"try again", "try later", "retry", "timed out", "timeout", "in use", "locked"}

// room are words of answers that are about the space in the mailbox.
var room = []string{
	"quota", "mailbox is full", "mailbox full", "no space", "disk full", "disk is full", "insufficient storage",
	"storage limit", "storage space", "too many messages", "number of messages",
}

// size are words of answers to a message that is too large.
var size = []string{
	"too large", "too big", "too long", "size limit", "exceed", "maximum", "larger than", "message size", "mail size",
}

// content are words of answers to a message whose content is not wanted.
var content = []string{
	"8bit", "8-bit", "8 bit", "non-ascii", "nul ", "nuls", "null", "bare newline", "bare lf", "bare cr", "bare line feed",
	"line length", "header", "mime", "charset", "parse", "malformed", "badly formed", "invalid message", "invalid content",
	"rfc822", "rfc 822", "rfc2822", "rfc 2822", "rfc5322", "rfc 5322", "virus", "malware", "spam", "not acceptable",
}

func says(text string, words []string) bool {
	text = strings.ToLower(text)
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// judge notes in f what an answer says about trying again. f.Code is that of the
// response code already.
func judge(f *fault.Error, said *imap.Error) {
	if f.Code == fault.Auth || f.Code == fault.TLS {
		return
	}
	f.After = backoff(said.Text)
	delivering, storing := f.Op == opAppend, f.Op == opStore || f.Op == opUIDStore
	if delivering && f.Code == fault.Protocol {
		f.Code = fault.Refused // it is an answer, if a rude one: nothing was taken
	}
	switch {
	case f.After > 0, vague(f, said) && (says(said.Text, passing) || f.Op != opSignIn && says(said.Text, retry)):
		f.Code, f.Temporary = fault.Busy, true
	case storing && said.Code == imap.ResponseCodeLimit:
		f.Code, f.Temporary = fault.Refused, false // as many keywords as it keeps
	case !delivering:
	case vague(f, said) && says(said.Text, room):
		outOfRoom(f)
	case said.Code == imap.ResponseCodeTooBig, said.Code == imap.ResponseCodeLimit, vague(f, said) && says(said.Text, size):
		f.Code, f.Temporary, f.Final = fault.Refused, false, true
		f.Hint = "the message is too large for the server; see max_append"
	case said.Code == "CANNOT", said.Code == imap.ResponseCodeParse, said.Code == imap.ResponseCodeUnknownCTE,
		said.Code == "BADCHARSET", f.Code == fault.Refused && says(said.Text, content):
		f.Final = true
	}
}

// vague reports whether the response code, if any, leaves open what is meant.
func vague(f *fault.Error, said *imap.Error) bool {
	return f.Code == fault.Refused || f.Code == fault.Protocol || said.Code == imap.ResponseCodeLimit
}

func outOfRoom(f *fault.Error) {
	f.Code, f.Temporary = fault.Quota, false
	f.Hint = "make room on the server"
}

// maxBackoff is the longest time that is believed: beyond it a server has a
// number wrong.
const maxBackoff = 24 * time.Hour

// backoff reads how long a server asks to be left alone, as Exchange does
// ("Suggested Backoff Time: 29806 milliseconds") and others in other words ("try
// again in 30 seconds"); 0 when the text does not say.
func backoff(text string) time.Duration {
	text = strings.ToLower(text)
	for _, before := range []string{"backoff time:", "backoff time", "try again in", "retry in", "retry after", "try again after"} {
		_, rest, found := strings.Cut(text, before)
		if !found {
			continue
		}
		number, unit, _ := strings.Cut(strings.TrimLeft(rest, " :="), " ")
		digits := strings.TrimRight(number, "abcdefghijklmnopqrstuvwxyz.,;)")
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil || n <= 0 {
			continue
		}
		if glued := number[len(digits):]; glued != "" {
			unit = glued
		}
		per := time.Second
		switch {
		case strings.HasPrefix(unit, "ms"), strings.HasPrefix(unit, "milli"):
			per = time.Millisecond
		case strings.HasPrefix(unit, "m"):
			per = time.Minute
		case strings.HasPrefix(unit, "h"):
			per = time.Hour
		}
		if n < float64(maxBackoff/per) {
			return time.Duration(n * float64(per))
		}
		return maxBackoff
	}
	return 0
}
