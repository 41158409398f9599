package wire

import (
	"fmt"
	"regexp"

	"github.com/imapfw/imapfw/host/fault"
)

// badValue is what cannot cross and where it is. The path is put together from
// the inside out, so that a good value costs nothing.
type badValue struct {
	path string
	what string
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (b *badValue) inMap(key string) *badValue {
	if identifier.MatchString(key) {
		b.path = "." + key + b.path
	} else {
		b.path = fmt.Sprintf("[%q]", key) + b.path
	}
	return b
}

// inList counts from one: the reader is the author of a script.
func (b *badValue) inList(index int) *badValue {
	b.path = fmt.Sprintf("[%d]", index+1) + b.path
	return b
}

// named ends the path with the name of the whole value. A cycle makes a path as
// deep as the limit, of which only the outer part says anything.
func (b *badValue) named(name string) error {
	const enough = 120
	if len(b.path) > enough {
		b.path = b.path[:enough] + "..."
	}
	return fault.New(fault.Config, "", "%s%s: %s", name, b.path, b.what)
}
