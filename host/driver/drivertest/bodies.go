package drivertest

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
)

// contents are messages that careless code alters, given in no form at all: the
// suite delivers each of them as LF and as CRLF content.
func contents() map[string][]byte {
	return map[string][]byte{
		"plain":            []byte("Subject: x\n\nbody\n"),
		"no final newline": []byte("Subject: x\n\nbody"),
		"no header":        []byte("\nonly a body\n"),
		"no empty line":    []byte("Subject: only a header\n"),
		"no structure":     []byte("just words"),
		"8-bit header":     []byte("Subject: caf\xe9 \xff\xfe\n\nbody \x80\n"),
		"bare CR":          []byte("Subject: x\n\none\rtwo\r\rthree\n"),
		"CR at the end":    []byte("Subject: x\n\nbody\r"),
		"mixed ends":       []byte("Subject: x\r\n\nlf\ncrlf\r\nlf\n"),
		"NUL":              []byte("Subject: x\n\na\x00b\n"),
		"From line":        []byte("Subject: x\n\nFrom here on\n>From there\n.\n..\n"),
		"long line":        append([]byte("Subject: x\n\n"), bytes.Repeat([]byte("0123456789"), 2000)...),
		"many empty lines": append([]byte("Subject: x\n\n"), bytes.Repeat([]byte("\n"), 5000)...),
		"1 MiB":            append([]byte("Subject: x\n\n"), pattern(1<<20)...),
		"one byte":         []byte("x"),
		"empty":            {},
	}
}

func testBodiesExact(t *testing.T, e *env) {
	for name, content := range contents() {
		for form, ends := range map[string]mail.LineEnds{"LF": mail.LF, "CRLF": mail.CRLF} {
			t.Run(name+" as "+form, func(t *testing.T) {
				if len(content) == 0 && e.h.NoEmpty {
					t.Skip("the store takes no empty message")
				}
				ref := e.create(t, "F")
				sent := content
				if ends == mail.CRLF {
					sent = crlf(content)
				}
				// What must be there: converted only where the forms differ.
				want := sent
				switch {
				case ends == mail.LF && e.h.LineEnds == mail.CRLF:
					want = crlf(sent)
				case ends == mail.CRLF && e.h.LineEnds == mail.LF:
					want = lf(sent)
				}
				want = e.normalise(want)

				before := e.keys(t, ref)
				d, err := e.store.Deliver(e.ctx, ref, mail.Meta{Date: day(1)}, bodyOf(sent, ends))
				require.NoError(t, err)
				placed, err := e.store.Commit(e.ctx, ref, []driver.Delivery{d})
				require.NoError(t, err)
				require.NoError(t, placed[0].Err)

				var fresh mail.KeySet
				for key := range e.keys(t, ref).All() {
					if !before.Contains(key) {
						fresh.Add(key)
					}
				}
				require.Equal(t, 1, fresh.Len())
				for _, got := range e.bodies(t, ref, fresh) {
					require.Equal(t, len(want), len(got.body))
					require.True(t, bytes.Equal(want, got.body), "the content is what was delivered")
				}
			})
		}
	}
}

func testBodiesMissing(t *testing.T, e *env) {
	ref := e.create(t, "F")
	keys := e.add(t, ref, texts(0, 4)...)
	set := mail.NewKeySet(keys...)
	e.remove(t, ref, keys[1], keys[3])
	got := e.bodies(t, ref, set)
	require.Len(t, got, 2, "what is not there is left out")
	require.Equal(t, e.kept(text(0).Body), got[keys[0]].body)
	require.Equal(t, e.kept(text(2).Body), got[keys[2]].body)
	require.Empty(t, e.bodies(t, ref, mail.KeySet{}))
}

// testBodiesUnread takes bodies without reading them to their end.
func testBodiesUnread(t *testing.T, e *env) {
	ref := e.create(t, "F")
	big := text(0)
	big.Body = append(big.Body, pattern(300<<10)...)
	keys := e.add(t, ref, big, text(1), big, text(3))
	n := 0
	require.NoError(t, e.store.Bodies(e.ctx, ref, mail.NewKeySet(keys...), func(_ mail.Meta, b mail.Body) error {
		n++
		_, err := io.CopyN(io.Discard, b, min(b.Size, int64(n*10)))
		return err
	}))
	require.Equal(t, 4, n)
	require.Equal(t, e.kept(text(3).Body), e.read(t, ref)[keys[3]].body)
}

func testBodiesCallbackError(t *testing.T, e *env) {
	ref := e.create(t, "F")
	big := text(0)
	big.Body = append(big.Body, pattern(300<<10)...)
	keys := e.add(t, ref, text(1), big, text(2))
	mine := errors.New("enough")
	n := 0
	err := e.store.Bodies(e.ctx, ref, mail.NewKeySet(keys...), func(mail.Meta, mail.Body) error {
		n++
		if n == 2 {
			return mine
		}
		return nil
	})
	require.Equal(t, mine, err, "the callback's error comes back as it is")
	require.Equal(t, 2, n, "and ends it")
	require.Len(t, e.read(t, ref), 3, "the store goes on working")
}
