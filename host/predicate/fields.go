package predicate

import (
	"net/mail"
	"time"
)

// Fields returns the values of a header field as readable text, in order; none
// where the header was not fetched.
func (v *View) Fields(name string) []string {
	h := v.parsed()
	if h == nil {
		return nil
	}
	return h.values(name)
}

// Sent returns the moment in the Date field, and false where there is none that
// can be read.
func (v *View) Sent() (time.Time, bool) {
	h := v.parsed()
	if h == nil {
		return time.Time{}, false
	}
	t, err := mail.ParseDate(h.raw("Date"))
	return t, err == nil
}

// Readable returns the readable text of the message: its text parts, decoded,
// as the leaves Body and Text see it. It is empty where Body is nil.
func (v *View) Readable() (string, error) {
	c, err := v.read()
	if c == nil || err != nil {
		return "", err
	}
	return c.text, nil
}
