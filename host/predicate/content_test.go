package predicate_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/predicate"
)

const multipart = `From: a@b
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=y

--y
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe aus K=F6ln
--y
Content-Type: text/html; charset=utf-8

<p>Sch&ouml;n<br>hier</p>
--y--
--x
Content-Type: application/octet-stream; name="Rechnung.PDF"
Content-Transfer-Encoding: base64

aGlkZGVuIHNlY3JldA==
--x
Content-Type: message/rfc822

Subject: inside

inner text
--x--
`

func whole(message string) *predicate.View {
	head, _, _ := strings.Cut(message, "\n\n")
	return &predicate.View{Meta: mail.Meta{Size: int64(len(message))}, Header: []byte(head + "\n\n"),
		Body: func() (io.Reader, error) { return strings.NewReader(message), nil }}
}

func TestContent(t *testing.T) {
	for text, want := range map[string]predicate.Truth{
		"grüße aus köln": predicate.True, "schön": predicate.True, "<p>": predicate.False, "hidden secret": predicate.False,
	} {
		require.Equal(t, want, eval(t, sub(predicate.Body, text), whole(multipart)).Truth, text)
	}
	for ext, want := range map[string]predicate.Truth{
		"": predicate.True, "pdf": predicate.True, ".pdf": predicate.True, "octet-stream": predicate.True, "rfc822": predicate.True, "zip": predicate.False,
	} {
		require.Equal(t, want, eval(t, predicate.OnName(predicate.HasAttachment, ext), whole(multipart)).Truth, ext)
	}
	// The header alone tells that a message is an attachment.
	v := whole("Content-Type: application/pdf; name=a.pdf\n\nxx")
	v.Body = nil
	require.Equal(t, predicate.True, eval(t, predicate.OnName(predicate.HasAttachment, "pdf"), v).Truth)
	v = whole(multipart)
	v.Body = nil
	require.Equal(t, predicate.Verdict{Truth: predicate.Unknown, Missing: predicate.NeedBody}, eval(t, predicate.OnName(predicate.HasAttachment, "pdf"), v))
}

func TestOddContent(t *testing.T) {
	for name, message := range map[string]string{
		"no header":           "\n\nfind me",
		"no body":             "Subject: find me\n",
		"broken header":       "this is no header\n\nfind me",
		"unknown encoding":    "Content-Transfer-Encoding: rot13\n\nfind me",
		"unknown charset":     "Content-Type: text/plain; charset=klingon\n\nfind me",
		"no boundary":         "Content-Type: multipart/mixed\n\nfind me",
		"never ends":          "Content-Type: multipart/mixed; boundary=x\n\n--x\n\nfind me",
		"broken base64":       "Content-Transfer-Encoding: base64\n\n!!!",
		"broken content type": "Content-Type: ;;;\n\nfind me",
	} {
		got := eval(t, sub(predicate.Text, "find me"), whole(message))
		require.NotEqual(t, predicate.Unknown, got.Truth, name)
		eval(t, predicate.OnName(predicate.HasAttachment, "pdf"), whole(message))
	}
	deep := strings.Repeat("Content-Type: multipart/mixed; boundary=x\n\n--x\n", 1000)
	eval(t, sub(predicate.Body, "x"), whole(deep))
}

func TestBrokenConnection(t *testing.T) {
	boom := errors.New("connection reset")
	v := whole(multipart)
	v.Body = func() (io.Reader, error) {
		return io.MultiReader(strings.NewReader(multipart[:200]), iotest.ErrReader(boom)), nil
	}
	p, err := predicate.Compile(sub(predicate.Body, "x"))
	require.NoError(t, err)
	_, err = p.Eval(v)
	require.ErrorIs(t, err, boom)
	require.ErrorIs(t, err, fault.IO)
	v.Body = func() (io.Reader, error) { return nil, boom }
	_, err = p.Eval(v)
	require.ErrorIs(t, err, boom)
}
