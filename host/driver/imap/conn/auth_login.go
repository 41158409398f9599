package conn

import "errors"

// login is LOGIN, which no RFC describes: the server asks for the user, then
// for the password, in words that differ.
type login struct {
	credentials
	asked int
}

func (l *login) start() []byte { return nil }

func (l *login) next([]byte) ([]byte, error) {
	l.asked++
	switch l.asked {
	case 1:
		return []byte(l.user), nil
	case 2:
		return []byte(l.password), nil
	}
	return nil, errors.New("LOGIN has no third step")
}
