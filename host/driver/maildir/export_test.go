package maildir

// KeepNames has the names of larger folders not kept.
func (s *Store) KeepNames(most int) *Store {
	s.mostNames = most
	return s
}
