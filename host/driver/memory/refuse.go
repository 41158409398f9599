package memory

import (
	"github.com/imapfw/imapfw/host/fault"
)

// SetLimit makes the store take no message of more than so many octets, and say
// so in its list of folders; 0 is without limit.
func (s *Store) SetLimit(octets int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = octets
}

// Refuse makes the store ask about each message it is given, by its content as
// it would keep it. An error refuses that message; nil asks nobody any more.
func (s *Store) Refuse(fn func(content []byte) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = fn
}

// acceptable returns why a message is not taken.
func (s *Store) acceptable(content []byte) error {
	s.mu.Lock()
	limit, refuse := s.limit, s.refuse
	s.mu.Unlock()
	if limit > 0 && int64(len(content)) > limit {
		return fault.New(fault.Refused, string(OpDeliver), "its size is %d octets, the store takes %d", len(content), limit).AsFinal()
	}
	if refuse != nil {
		return refuse(content)
	}
	return nil
}
