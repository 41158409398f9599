package engine_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// A server that rewrites what it is given still has the message it was given.
func TestServerThatAltersWhatItIsGiven(t *testing.T) {
	for _, mute := range []bool{false, true} {
		t.Run(fmt.Sprintf("mute %v", mute), func(t *testing.T) {
			w := newWorld(t, "imap-maildir")
			far := &odd{Store: w.far, mute: mute, alter: func(b []byte) []byte {
				return append([]byte("X-Server: was here\n"), b...)
			}}
			for range 3 {
				w.far.Add("INBOX", w.message())
			}
			for range 2 {
				w.near.Add("INBOX", w.message())
			}
			w.well(w.between(far, w.near))
			for range 3 {
				w.far.Add("INBOX", w.message())
				w.near.Add("INBOX", w.message())
				w.well(w.between(far, w.near))
			}
			require.Equal(t, 11, count(w.far, "INBOX"))
			require.Equal(t, 11, count(w.near, "INBOX"))
			require.Zero(t, w.well(w.between(far, w.near)).Changes())
		})
	}
}

// A server that was killed for while it took messages which it alters.
func TestKilledWhileAServerAlters(t *testing.T) {
	for n := 0; ; n += stride() {
		w := newWorld(t, "eager-maildir")
		far := &odd{Store: w.far, alter: func(b []byte) []byte { return append([]byte("X-Server: was here\n"), b...) }}
		w.near.Add("INBOX", w.message())
		w.near.Add("INBOX", w.message())
		mend, breaker := w.killAt(n)
		_, _ = w.between(far, w.near)
		mend()
		if breaker.Seen() < n {
			break
		}
		w.well(w.between(far, w.near))
		require.Equal(t, 2, count(w.far, "INBOX"), "killed at moment %d", n)
		require.Equal(t, 2, count(w.near, "INBOX"), "killed at moment %d", n)
	}
}

// Servers that tell wrong sizes have the same mail all the same.
func TestWrongSizesDoubleNothing(t *testing.T) {
	w := newWorld(t, "imap-maildir")
	far := &odd{Store: w.far, sizes: 17}
	for range 5 {
		m := w.message()
		w.far.Add("INBOX", m)
		w.near.Add("INBOX", m)
	}
	require.Zero(t, w.well(w.between(far, w.near)).Changes())
	require.Equal(t, 5, count(w.far, "INBOX"))
}

// Two messages with one Message-ID, and a server that alters both: after a kill
// nobody can say which of them arrived. They are told, and not sent again.
func TestKilledWhileAServerAltersMessagesThatAreAlike(t *testing.T) {
	told := false
	for n := 0; ; n++ {
		w := newWorld(t, "eager-maildir")
		far := &odd{Store: w.far, alter: func(b []byte) []byte { return append([]byte("X-Server: was here\n"), b...) }}
		for i := range 2 {
			w.near.Add("INBOX", content(i, fmt.Sprintf("Message-ID: <twice@example>\nSubject: a\n\nbody %d\n", i)))
		}
		mend, breaker := w.killAt(n)
		_, _ = w.between(far, w.near)
		mend()
		if breaker.Seen() < n {
			break
		}
		r, err := w.between(far, w.near)
		require.NoError(t, err)
		if count(w.far, "INBOX") != 2 || r.Err() != nil {
			require.ErrorContains(t, r.Err(), "may or may not be each other's copies")
			told = true
		}
		require.LessOrEqual(t, count(w.far, "INBOX"), 2, "killed at moment %d", n)
		require.Equal(t, 2, count(w.near, "INBOX"), "killed at moment %d", n)
	}
	require.True(t, told)
}
