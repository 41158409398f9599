//go:build unix

package dovecot_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDovecotServesMailOnBothPorts(t *testing.T) {
	for _, storage := range []string{"maildir", "sdbox", "mdbox"} {
		t.Run(storage, func(t *testing.T) {
			s := dovecot.Start(t, dovecot.Storage(storage))
			s.AddUser(t, "ann")

			c, err := imapclient.DialInsecure(s.Addr(), nil)
			require.NoError(t, err)
			defer c.Close()
			require.Error(t, c.Login("ann", "wrong").Wait())
			require.NoError(t, c.Login("ann", dovecot.Password).Wait())
			require.True(t, c.Caps().Has(imap.Cap("QRESYNC")))
			require.True(t, c.Caps().Has(imap.Cap("COMPRESS=DEFLATE")))
			cmd := c.Append("INBOX", 13, nil)
			_, err = cmd.Write([]byte("Subject: x\r\n\n"))
			require.NoError(t, err)
			require.NoError(t, cmd.Close())
			_, err = cmd.Wait()
			require.NoError(t, err)
			require.DirExists(t, s.HomeDir("ann")+"/mail")

			pem, err := os.ReadFile(s.CertFile())
			require.NoError(t, err)
			pool := x509.NewCertPool()
			require.True(t, pool.AppendCertsFromPEM(pem))
			c2, err := imapclient.DialTLS(s.TLSAddr(), &imapclient.Options{TLSConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}})
			require.NoError(t, err)
			defer c2.Close()
			require.NoError(t, c2.Login("ann", dovecot.Password).Wait())
		})
	}
}

func TestRestartKeepsPortsAndMail(t *testing.T) {
	s := dovecot.Start(t)
	s.AddUser(t, "ann")
	addr := s.Addr()
	s.Doveadm(t, "mailbox", "create", "-u", "ann", "Kept")
	c, err := imapclient.DialInsecure(addr, nil)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Login("ann", dovecot.Password).Wait())
	s.Restart(t)
	require.Error(t, c.Noop().Wait())
	require.Equal(t, addr, s.Addr())
	require.Contains(t, s.Doveadm(t, "mailbox", "list", "-u", "ann"), "Kept")
}

func TestRunKeepsEverythingInTheGivenFolder(t *testing.T) {
	if os.Getenv(dovecot.RequireEnv) != "1" {
		dovecot.Start(t) // skips without Dovecot
	}
	above, err := os.MkdirTemp("/tmp", "dovecot-run-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(above)) })
	require.NoError(t, os.Chmod(above, 0o711))
	dir := filepath.Join(above, "server")
	s, err := dovecot.Run(dovecot.Dir(dir))
	require.NoError(t, err)
	require.NoError(t, s.MakeUser("ann"))
	require.NotZero(t, s.PID())
	_, err = s.Admin("mailbox", "create", "-u", "ann", "Kept")
	require.NoError(t, err)
	require.DirExists(t, filepath.Join(dir, "home", "ann", "mail", ".Kept"))
	_, err = s.Admin("mailbox", "create", "-u", "ann", "Kept")
	require.ErrorContains(t, err, "Kept")

	_, err = dovecot.Run(dovecot.Dir(dir))
	require.Error(t, err, "the folder of a server that runs")
	require.DirExists(t, filepath.Join(dir, "home", "ann"))
	require.NoError(t, s.Close())
	require.Zero(t, s.PID())
	require.NoDirExists(t, dir)
}
