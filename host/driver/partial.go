package driver

import (
	"errors"
	"fmt"

	"github.com/imapfw/imapfw/host/mail"
)

// Partial is returned when some messages of a call failed and everything else
// was done.
type Partial struct {
	Failed map[mail.Key]error
}

// Fail notes that one message failed.
func (p *Partial) Fail(k mail.Key, err error) {
	if p.Failed == nil {
		p.Failed = map[mail.Key]error{}
	}
	p.Failed[k] = err
}

// OrNil returns p as an error if anything failed, else nil.
func (p *Partial) OrNil() error {
	if len(p.Failed) == 0 {
		return nil
	}
	return p
}

func (p *Partial) Error() string {
	for k, err := range p.Failed {
		if len(p.Failed) == 1 {
			return fmt.Sprintf("message %s: %v", k, err)
		}
		return fmt.Sprintf("%d messages failed, one of them %s: %v", len(p.Failed), k, err)
	}
	return "no message failed"
}

// AsPartial returns the *Partial in err's tree.
func AsPartial(err error) (*Partial, bool) {
	var p *Partial
	ok := errors.As(err, &p)
	return p, ok
}
