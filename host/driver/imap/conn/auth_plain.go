package conn

import "errors"

// plain is PLAIN (RFC 4616): everything in one message.
type plain struct{ credentials }

func (p plain) start() []byte {
	return []byte(p.authzid + "\x00" + p.user + "\x00" + p.password)
}

func (p plain) next([]byte) ([]byte, error) {
	return nil, errors.New("PLAIN has no second step")
}
