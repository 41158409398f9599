package conn

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
)

// tlsOp is what is being done when TLS fails.
const tlsOp = "encrypt the connection"

func tlsVersion(name string) (uint16, error) {
	switch name {
	case "", "1.2":
		return tls.VersionTLS12, nil
	case "1.3":
		return tls.VersionTLS13, nil
	case "1.1":
		return tls.VersionTLS11, nil
	case "1.0":
		return tls.VersionTLS10, nil
	}
	return 0, fault.New(fault.Config, "imap settings", `tls.min %q is none of "1.0", "1.1", "1.2" and "1.3"`, name)
}

// parseFingerprint reads a SHA-256 digest in hex, also as openssl prints it.
func parseFingerprint(text string) ([]byte, error) {
	s := strings.ToLower(text)
	s = strings.TrimPrefix(strings.TrimPrefix(s, "sha256 fingerprint="), "sha256:")
	sum, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(s))
	if err != nil || len(sum) != sha256.Size {
		return nil, fault.New(fault.Config, "imap settings", "tls.fingerprint %q is not a SHA-256 digest in hex", text)
	}
	return sum, nil
}

// fingerprint is the digest of a certificate as users write it.
func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return strings.ReplaceAll(strings.ToUpper(fmt.Sprintf("% x", sum[:])), " ", ":")
}

// tlsConfig reads the files that the settings name.
func tlsConfig(t TLS) (*tls.Config, error) {
	version, err := tlsVersion(t.MinVersion)
	if err != nil {
		return nil, err
	}
	conf := &tls.Config{ServerName: t.ServerName, MinVersion: version, NextProtos: []string{"imap"}}
	if t.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fault.Wrap(fault.Config, "read tls.cert and tls.key", err)
		}
		conf.Certificates = []tls.Certificate{cert}
	}
	if t.Fingerprint != "" {
		want, err := parseFingerprint(t.Fingerprint)
		if err != nil {
			return nil, err
		}
		// The certificate is compared instead of being verified.
		conf.InsecureSkipVerify = true
		conf.VerifyConnection = func(state tls.ConnectionState) error {
			return checkFingerprint(state.PeerCertificates[0], want)
		}
		return conf, nil
	}
	conf.RootCAs, err = roots(t)
	return conf, err
}

// roots returns the authorities to trust, nil for those of the system.
func roots(t TLS) (*x509.CertPool, error) {
	if t.CAFile == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !t.NoSystemCA {
		system, err := x509.SystemCertPool()
		if err != nil {
			return nil, fault.Wrap(fault.TLS, "read the authorities of the system", err)
		}
		pool = system
	}
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, fault.Wrap(fault.Config, "read tls.ca_file", err)
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.Config, "read tls.ca_file", "no certificate in PEM form in %s", t.CAFile)
	}
	return pool, nil
}

func checkFingerprint(cert *x509.Certificate, want []byte) error {
	sum := sha256.Sum256(cert.Raw)
	if subtle.ConstantTimeCompare(sum[:], want) == 1 {
		return nil
	}
	return fault.New(fault.TLS, tlsOp, "the server's certificate is not the one of tls.fingerprint").
		WithHint("it has %s; change the setting only if you know why the certificate changed", fingerprint(cert))
}

// handshake encrypts the connection.
func (s *session) handshake(ctx context.Context, conf *tls.Config) error {
	stream := tls.Client(s.meter, conf)
	if err := stream.HandshakeContext(ctx); err != nil {
		return tlsFault(err, s.cfg)
	}
	s.use(stream)
	s.encrypted = true
	return nil
}

// tlsFault is what a handshake that failed means.
func tlsFault(err error, cfg Config) error {
	var (
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
		alert  tls.AlertError
		own    *fault.Error
		netErr net.Error
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &cert) && len(cert.UnverifiedCertificates) > 0:
		return certFault(cert)
	case errors.As(err, &record):
		f := fault.New(fault.TLS, tlsOp, "%s does not speak TLS on port %d", cfg.Host, cfg.Port)
		if cfg.TLS.Mode == Implicit {
			return f.WithHint(`the port may be one for tls = "starttls"`)
		}
		return f
	case errors.As(err, &alert):
		return fault.Wrap(fault.TLS, tlsOp, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &netErr):
		f := fault.New(fault.Network, tlsOp, "").AsTemporary()
		f.Err = err
		return f
	}
	return fault.Wrap(fault.TLS, tlsOp, err)
}

// certFault says what to do about a certificate that nobody vouches for.
func certFault(cert *tls.CertificateVerificationError) error {
	leaf := cert.UnverifiedCertificates[0]
	f := &fault.Error{Code: fault.TLS, Op: tlsOp, Err: cert}
	trust := fmt.Sprintf("to trust this very certificate, set tls.fingerprint = %q", fingerprint(leaf))
	var name x509.HostnameError
	if errors.As(cert.Err, &name) {
		return f.WithHint("is host the name that the server goes by? tls.server_name names another; %s", trust)
	}
	return f.WithHint("if the server's authority is one of your own, name its file in tls.ca_file; %s", trust)
}
