package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMoreThanIsReserved: keys are chosen beforehand for so many messages at a time
// only.
func TestMoreThanIsReserved(t *testing.T) {
	const many = 10_000
	w := newWorld(t, "imap-maildir")
	for range many {
		w.far.Add("INBOX", w.message())
	}
	require.Equal(t, many, w.sync().Pulled)
	w.same()
	w.still()
}
