package engine

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func taken(message string, pieces ...int) Identity {
	var tap headerTap
	for rest := []byte(message); len(rest) > 0; {
		n := len(rest)
		if len(pieces) > 0 {
			n, pieces = min(n, max(pieces[0], 1)), pieces[1:]
		}
		tap.Write(rest[:n])
		rest = rest[n:]
	}
	return tap.identity()
}

func TestIdentityIsTheSameInEveryForm(t *testing.T) {
	lf := "Received: a\n\tb\nMessage-Id: <x@y>\nSubject: caf\xe9 \x00 end\n\nbody\n\nmore\n"
	want := taken(lf)
	require.True(t, want.HasID)
	for name, other := range map[string]string{
		"crlf":         strings.ReplaceAll(lf, "\n", "\r\n"),
		"nul replaced": strings.ReplaceAll(lf, "\x00", "\x80"),
		"mbsync":       strings.Replace(lf, "Subject", "X-TUID: abcdefghijkl\nSubject", 1),
		"offlineimap":  strings.Replace(lf, "Subject", "X-OfflineIMAP: 1\n 2\nSubject", 1),
		"other body":   strings.Replace(lf, "more", "MORE", 1),
	} {
		got := taken(other)
		require.Equal(t, want.Header, got.Header, name)
	}
	for name, other := range map[string]string{
		"subject":       strings.Replace(lf, "end", "END", 1),
		"bare cr added": strings.Replace(lf, "Received", "X: a\rb\nReceived", 1),
		"folding":       strings.Replace(lf, "\n\tb", "\n b", 1),
		"no empty line": strings.Replace(lf, "\n\nbody", "\nbody", 1),
	} {
		require.NotEqual(t, want.Header, taken(other).Header, name)
	}
	require.Equal(t, taken("").Header, taken("").Header)
	require.False(t, taken("Subject: x\n\nMessage-ID: <in@body>\n").HasID)
}

// The identity and the size do not depend on how the message was cut into
// pieces, nor on its line ends.
func TestIdentityOfPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := []string{"Subject: a", "X-TUID: b", "\tfold", "", "x", "\r", "\x00", "Message-ID: <1>", strings.Repeat("long ", 20)}
		message := strings.Join(rapid.SliceOf(rapid.SampledFrom(words)).Draw(t, "lines"), "\n")
		pieces := rapid.SliceOf(rapid.IntRange(1, 40)).Draw(t, "pieces")
		whole := taken(message)
		require.Equal(t, whole, taken(message, pieces...))
		if !strings.Contains(message, "\r") {
			crlf := strings.ReplaceAll(message, "\n", "\r\n")
			require.Equal(t, whole, taken(crlf, pieces...))
			require.Equal(t, int64(len(crlf)), whole.Size)
		}
		header := message
		if i := strings.Index(message, "\n\n"); i >= 0 {
			header = message[:i+2]
		}
		require.Equal(t, whole.Header, HeaderIdentity([]byte(header), 0).Header)
	})
}

func FuzzIdentity(f *testing.F) {
	f.Add([]byte("A: b\r\n\r\nc"), 3)
	f.Fuzz(func(t *testing.T, message []byte, cut int) {
		var whole, parts headerTap
		whole.Write(message)
		cut = max(0, min(cut, len(message)))
		parts.Write(message[:cut])
		parts.Write(message[cut:])
		require.Equal(t, whole.identity(), parts.identity())
		a, b := newWholeDigest(), newWholeDigest()
		a.Write(message)
		b.Write(message[:cut])
		b.Write(message[cut:])
		require.Equal(t, a.String(), b.String())
		if !bytes.ContainsRune(message, '\r') {
			c := newWholeDigest()
			c.Write(bytes.ReplaceAll(message, []byte("\n"), []byte("\r\n")))
			require.Equal(t, a.String(), c.String())
		}
	})
}
