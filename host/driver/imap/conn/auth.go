package conn

import "strings"

// credentials are what a mechanism may need.
type credentials struct {
	user, authzid, password string
}

// mechanism is one exchange of SASL (RFC 4422). It is used once.
type mechanism interface {
	// start returns the initial response, nil when the server speaks first.
	start() []byte
	// next answers a challenge of the server. An error cancels the exchange.
	next(challenge []byte) ([]byte, error)
}

// loginCommand is the name, among those of the mechanisms, of the LOGIN command
// (RFC 9051 section 6.2.3).
const loginCommand = "LOGIN-COMMAND"

// allAuth are all the ways to sign in, the best first.
func allAuth() []string { return []string{"PLAIN", "LOGIN", loginCommand} }

// newMechanism returns the mechanism of a name, nil when there is none.
func newMechanism(name string, c credentials) mechanism {
	switch strings.ToUpper(name) {
	case "PLAIN":
		return plain{c}
	case "LOGIN":
		return &login{credentials: c}
	}
	return nil
}
