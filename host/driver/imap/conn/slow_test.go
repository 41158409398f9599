package conn_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
)

// The time in these tests is not real: hours pass at once.

func TestServerThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, "", func(p *peer) {
			for i := range 3 {
				if i > 0 {
					p.send("* 5 EXI") // a line that is not complete for an hour
					time.Sleep(time.Hour + 5*time.Second)
					p.command() // which has been waiting to be read
					p.send("STS\r\n")
				} else {
					p.command()
				}
				time.Sleep(9 * time.Second)
				p.send("TAG OK\r\n")
			}
			p.command()
			time.Sleep(11 * time.Second)
		})
		for range 3 {
			require.NoError(t, c.Run(t.Context(), "noop", noop))
			time.Sleep(time.Hour) // an idle connection does not time out
		}
		begin := time.Now()
		err := c.Run(t.Context(), "noop", noop)
		require.ErrorIs(t, err, fault.Network)
		require.True(t, fault.IsTemporary(err))
		require.ErrorContains(t, err, "no answer from the server for 10s")
		require.Equal(t, 10*time.Second, time.Since(begin))
	})
}

func TestSlowButMoving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, "", func(p *peer) {
			p.command()
			text := "* 1 FETCH (UID 1 BODY[] {20}\r\n01234567890123456789)\r\n" + p.tag + " OK\r\n"
			for _, b := range text {
				time.Sleep(9 * time.Second)
				p.send(string(b))
			}
		})
		err := c.Run(t.Context(), "fetch", func(cl *imapclient.Client) error {
			return fetchBodies(cl, func(_ imap.UID, r io.Reader, _ int64) error {
				b, err := io.ReadAll(r)
				require.Equal(t, "01234567890123456789", string(b))
				return err
			})
		})
		require.NoError(t, err)
	})
}

func TestSlowConsumerIsNotTheServersFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := strings.Repeat("x", 1<<20)
		c := start(t, "", answer("* 1 FETCH (UID 1 BODY[] "+literal(content)+")\r\n* 2 FETCH (UID 2 BODY[] "+literal(content)+")\r\nTAG OK\r\n"))
		total := 0
		require.NoError(t, c.Run(t.Context(), "fetch", func(cl *imapclient.Client) error {
			return fetchBodies(cl, func(_ imap.UID, r io.Reader, _ int64) error {
				time.Sleep(time.Hour)
				b, err := io.ReadAll(r)
				total += len(b)
				return err
			})
		}))
		require.Equal(t, 2<<20, total)
		usable(t, c)
	})
}

func TestSlowUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		message := strings.Repeat("x", 100_000)
		for _, stall := range []bool{false, true} {
			c := start(t, "LITERAL+", func(p *peer) {
				p.command()
				for left := len(message); left > 0; left -= 5000 {
					time.Sleep(5 * time.Second)
					if stall && left < len(message)/2 {
						time.Sleep(time.Minute)
					}
					p.octets(5000)
				}
				p.line()
				p.send("TAG OK [APPENDUID 1 2]\r\n")
			})
			_, err := appendMessage(c, t, "x", message)
			if stall {
				require.ErrorIs(t, err, fault.Network)
			} else {
				require.NoError(t, err)
			}
		}
	})
}

func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		news := make(chan string, 10)
		c := start(t, "IDLE", func(p *peer) {
			for range 2 {
				p.command()
				p.send("+ idling\r\n")
				time.Sleep(10 * time.Minute)
				p.send("* 4 EXISTS\r\n")
				if line := p.line(); line != "DONE" {
					t.Errorf("got %q", line)
				}
				p.send("TAG OK\r\n")
			}
			p.command()
			p.send("TAG NO not now\r\n")
			p.command()
			p.send("TAG OK\r\n")
			p.command()
			p.send("+ idling\r\n")
			p.line() // DONE, and no answer
			time.Sleep(time.Hour)
		}, func(cfg *conn.Config) { cfg.Untagged = func(r *conn.Response) { news <- r.Name } })
		idle := func(cl *imapclient.Client) error {
			cmd, err := cl.Idle()
			if err != nil {
				return err
			}
			require.Equal(t, "EXISTS", <-news)
			return errors.Join(cmd.Close(), cmd.Wait())
		}
		require.NoError(t, c.Run(t.Context(), "idle", idle))
		require.NoError(t, c.Run(t.Context(), "idle", idle))
		require.ErrorIs(t, c.Run(t.Context(), "idle", idle), fault.Refused)
		_, err := c.Do(t.Context(), conn.Cmd("NOOP"), nil)
		require.NoError(t, err)
		news <- "EXISTS"
		require.ErrorIs(t, c.Run(t.Context(), "idle", idle), fault.Network)
	})
}
