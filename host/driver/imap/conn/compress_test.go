package conn_test

import (
	"bufio"
	"compress/flate"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
)

// deflate is the server's side of COMPRESS.
func deflate(p *peer) {
	p.br = bufio.NewReader(flate.NewReader(p.br))
	w, _ := flate.NewWriter(p.conn, flate.DefaultCompression)
	p.conn = flushing{Conn: p.conn, w: w}
}

type flushing struct {
	net.Conn
	w *flate.Writer
}

func (f flushing) Write(b []byte) (int, error) {
	n, err := f.w.Write(b)
	return n, errors.Join(err, f.w.Flush())
}

func TestCompress(t *testing.T) {
	large := strings.Repeat("the same again\r\n", 10_000)
	cfg := config(t, func(p *peer) {
		p.login("COMPRESS=DEFLATE LITERAL+")
		p.expect("COMPRESS DEFLATE", "TAG OK from now on\r\n")
		deflate(p)
		p.expect("APPEND", "")
		if got := p.octets(len(large)); got != large {
			t.Error("the message came otherwise")
		}
		p.line()
		p.send("TAG OK [APPENDUID 1 2]\r\n")
		p.expect("UID FETCH", "* 1 FETCH (UID 1 BODY[] "+literal(large)+")\r\nTAG OK\r\n")
		p.expect("UID FETCH", "* 1 FETCH (UID 1 BODY[] {100}\r\nhi")
	})
	cfg.Compress = conn.CompressAlways
	c, err := conn.Dial(t.Context(), cfg)
	require.NoError(t, err)
	defer c.Close()
	_, err = appendMessage(c, t, "x", large)
	require.NoError(t, err)
	for _, cut := range []bool{false, true} {
		err = c.Run(t.Context(), "fetch", func(cl *imapclient.Client) error {
			return fetchBodies(cl, func(_ imap.UID, r io.Reader, _ int64) error {
				b, err := io.ReadAll(r)
				if cut {
					require.Equal(t, "hi", string(b))
					require.Equal(t, io.ErrUnexpectedEOF, err)
					return err
				}
				require.True(t, large == string(b))
				return err
			})
		})
		if cut {
			require.ErrorIs(t, err, fault.Network)
		} else {
			require.NoError(t, err)
		}
	}
}

func TestCompressRefused(t *testing.T) {
	cfg := config(t, func(p *peer) {
		p.login("COMPRESS=DEFLATE")
		p.expect("COMPRESS DEFLATE", "TAG NO [COMPRESSIONACTIVE] TLS does\r\n")
		p.rest()
	})
	cfg.Compress = conn.CompressAlways
	c, err := conn.Dial(t.Context(), cfg)
	require.NoError(t, err)
	usable(t, c)
	require.NoError(t, c.Close())
}
