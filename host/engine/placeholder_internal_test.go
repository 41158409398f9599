package engine

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlaceholder(t *testing.T) {
	of := Identity{Header: "0123abc", Size: 26_000_000}
	for name, c := range map[string]struct{ header, want string }{
		"usual": {"From: a\r\nSubject: hello\r\nContent-Type: multipart/mixed;\r\n boundary=x\r\nMime-Version: 1.0\r\nMessage-ID: <1@x>\r\n\r\n",
			"From: a\nSubject: [placeholder] hello\nMessage-ID: <1@x>\n"},
		"folded":                  {"subject:\n =?utf-8?q?h=C3=A9?=\n there\nTo: b\n\n", "Subject: [placeholder]\n =?utf-8?q?h=C3=A9?=\n there\nTo: b\n"},
		"no space":                {"Subject:x\nSubject: y\n\n", "Subject: [placeholder] x\nSubject: y\n"},
		"no subject":              {"From: a\n\n", "From: a\nSubject: [placeholder] (no subject)\n"},
		"nothing":                 {"\n", "Subject: [placeholder] (no subject)\n"},
		"no end":                  {"From: a", "From: a\nSubject: [placeholder] (no subject)\n"},
		"of a placeholder":        {"Subject: x\nX-Imapfw-Placeholder: other; size=1\n\n", "Subject: [placeholder] x\n"},
		"a carriage return stays": {"From: a\rb\r\nSubject: x\r\n\r\n", "From: a\rb\nSubject: [placeholder] x\n"},
	} {
		t.Run(name, func(t *testing.T) {
			text := string(makePlaceholder([]byte(c.header), of))
			head, body, _ := strings.Cut(text, "\n\n")
			require.Equal(t, c.want+"X-Imapfw-Placeholder: 0123abc; size=26000000\nMIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii", head)
			require.Contains(t, body, "24.8 MiB")
			for _, form := range []string{head + "\n\n", strings.ReplaceAll(head+"\n\n", "\n", "\r\n")} {
				got, ok := placeholderOf([]byte(form))
				require.True(t, ok)
				require.Equal(t, of.Header, got.Header)
				require.Equal(t, of.Size, got.Size)
			}
		})
	}
	for _, header := range []string{"Subject: x\n\n", "Subject: x\nX-Imapfw-Placeholder: a; size=1\n\n", "Subject: [placeholder] x\nX-Imapfw-Placeholder:\n\n"} {
		_, ok := placeholderOf([]byte(header))
		require.False(t, ok, header)
	}
}
