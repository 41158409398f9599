package conn

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/imapfw/imapfw/host/fault"
)

// open does everything up to the first command that imapclient may send.
func (s *session) open(ctx context.Context) error {
	signedIn, err := s.greet(ctx)
	if err != nil {
		return err
	}
	if !signedIn {
		if err := s.signIn(ctx); err != nil {
			return err
		}
	}
	if err := s.needCaps(); err != nil {
		return err
	}
	return s.introduce()
}

// greet encrypts the connection as the settings say and reads the greeting. It
// reports whether the server signed us in by itself (PREAUTH).
func (s *session) greet(ctx context.Context) (bool, error) {
	mode := s.cfg.TLS.Mode
	if mode == None && !s.cfg.Insecure && !isLoopback(s.cfg.Host, s.meter.RemoteAddr()) {
		return false, fault.New(fault.TLS, "sign in", "the connection to %s would not be encrypted", s.cfg.Host).
			WithHint(`use tls = "implicit" or "starttls"; insecure = true sends password and mail readable for all on the way`)
	}
	conf, err := tlsConfig(s.cfg.TLS)
	if err != nil {
		return false, err
	}
	if mode == Implicit {
		if err := s.handshake(ctx, conf); err != nil {
			return false, err
		}
	}
	signedIn, err := s.greeting()
	if err != nil || mode != StartTLS {
		return signedIn, err
	}
	if signedIn {
		// Who is in the middle can say so to keep us from encrypting
		// (RFC 9051 section 7.1.4).
		return false, fault.New(fault.TLS, "sign in", "the server signs us in before the connection is encrypted").
			WithHint(`somebody may be listening; with tls = "implicit" this cannot happen`)
	}
	if err := s.needCaps(); err != nil {
		return false, err
	}
	if !s.caps.has("STARTTLS") {
		return false, fault.New(fault.TLS, tlsOp, "the server does not offer STARTTLS").WithHint(`try tls = "implicit"`)
	}
	reply, err := s.command(Cmd("STARTTLS"))
	if err != nil {
		return false, err
	}
	if reply.Type != "OK" {
		return false, fault.Wrap(fault.TLS, tlsOp, reply.err())
	}
	if s.br.Buffered() > 0 {
		// Taken for the server's, they would be believed after the handshake.
		return false, fault.New(fault.TLS, tlsOp, "somebody put bytes between STARTTLS and the handshake").
			WithHint(`use tls = "implicit"`)
	}
	s.caps.set = nil // what was said in plain text does not count (RFC 9051 section 6.2.1)
	return false, s.handshake(ctx, conf)
}

// greeting reads the server's first line.
func (s *session) greeting() (signedIn bool, err error) {
	line, err := s.line()
	if err != nil {
		var f *fault.Error
		if errors.As(err, &f) && s.cfg.TLS.Mode != Implicit && f.Hint == "" {
			return false, f.WithHint(`the port may be one for tls = "implicit"`)
		}
		return false, err
	}
	rest, ok := strings.CutPrefix(line, "* ")
	typ, rest, _ := strings.Cut(rest, " ")
	r := parseReply(strings.ToUpper(typ), rest)
	if ok && r.Code == "CAPABILITY" {
		s.caps.read(r.Args)
	}
	switch {
	case ok && r.Type == "OK":
		return false, nil
	case ok && r.Type == "PREAUTH":
		return true, nil
	case ok && r.Type == "BYE":
		f := fault.New(fault.Busy, "sign in", "the server does not let us in").AsTemporary()
		f.Err = r.err()
		return false, f
	}
	return false, fault.New(fault.Protocol, "sign in", "%s does not answer as an IMAP server does: %s",
		s.cfg.Host, excerpt([]byte(line)))
}

// needCaps asks for the capabilities when they are not known.
func (s *session) needCaps() error {
	if s.caps.set != nil {
		return nil
	}
	reply, err := s.command(Cmd("CAPABILITY"))
	if err != nil {
		return err
	}
	if s.caps.set == nil {
		return fault.New(fault.Protocol, "sign in", "the server does not tell its capabilities: %s %s", reply.Type, reply.Text)
	}
	return nil
}

// signIn tries the ways to sign in that both sides know. A password that was
// refused is not tried another way: that would only lock the account sooner.
func (s *session) signIn(ctx context.Context) error {
	if err := s.needCaps(); err != nil {
		return err
	}
	ways := slices.DeleteFunc(slices.Clone(s.cfg.Auth), func(name string) bool { return !s.offers(name) })
	if len(ways) == 0 {
		return s.noWay()
	}
	password, err := s.cfg.Password(ctx)
	if err != nil {
		return err
	}
	if strings.IndexByte(password, 0) >= 0 {
		return fault.New(fault.Config, "sign in", "NUL in the password")
	}
	cred := credentials{user: s.cfg.User, authzid: s.cfg.Authzid, password: password}
	var reply Reply
	before := s.caps.set
	for _, name := range ways {
		s.caps.set = before
		s.private = true
		reply, err = s.try(name, cred)
		s.private, s.secrets = false, nil
		if err != nil {
			return err
		}
		switch reply.Type {
		case "OK":
			if !s.capsRead {
				s.caps.set = nil // they change with who we are
			}
			return nil
		case "NO":
			return signInFault(s.cfg.User, reply)
		}
	}
	return signInFault(s.cfg.User, reply)
}

// offers reports whether the server offers a way to sign in.
func (s *session) offers(name string) bool {
	if strings.EqualFold(name, loginCommand) {
		return !s.caps.has("LOGINDISABLED") && s.cfg.Authzid == ""
	}
	return s.caps.has(canonicalCap("AUTH=" + name))
}

// noWay is the fault of a server that offers nothing we may use.
func (s *session) noWay() error {
	if !s.encrypted && s.caps.has("LOGINDISABLED") {
		return fault.New(fault.TLS, "sign in", "the server takes no password over a connection that is not encrypted").
			WithHint(`use tls = "implicit" or "starttls"`)
	}
	offered := s.caps.set.AuthMechanisms()
	slices.Sort(offered)
	return fault.New(fault.Auth, "sign in", "no common way to sign in: the server offers %q, the settings allow %q",
		strings.Join(offered, " "), strings.Join(s.cfg.Auth, " "))
}

// try signs in one way.
func (s *session) try(name string, cred credentials) (Reply, error) {
	s.log.Debug("sign in", "host", s.cfg.Host, "user", cred.user, "auth", name)
	s.secrets = []string{cred.password, base64.StdEncoding.EncodeToString([]byte(cred.password))}
	saslIR := s.caps.has("SASL-IR")
	s.capsRead = false
	if strings.EqualFold(name, loginCommand) {
		return s.command(Cmd("LOGIN").Text(cred.user).Text(cred.password))
	}
	m := newMechanism(name, cred)
	first := m.start()
	cmd := Cmd("AUTHENTICATE").Raw(strings.ToUpper(name))
	if first != nil {
		text := base64.StdEncoding.EncodeToString(first)
		s.secrets = append(s.secrets, text)
		if saslIR {
			cmd.Raw(text)
			first = nil
		}
	}
	tag := s.nextTag()
	return s.exchange(tag, cmd.encode(tag, encoding{}), func(challenge string) []byte {
		return s.respond(m, &first, challenge)
	})
}

// respond answers one challenge; "*" cancels the exchange.
func (s *session) respond(m mechanism, first *[]byte, challenge string) []byte {
	answer := *first
	if *first = nil; answer == nil {
		data, err := base64.StdEncoding.DecodeString(challenge)
		if err == nil {
			answer, err = m.next(data)
		}
		if err != nil {
			s.log.Debug("sign in: exchange cancelled", "err", err)
			return []byte("*\r\n")
		}
	}
	text := base64.StdEncoding.EncodeToString(answer)
	s.secrets = append(s.secrets, text)
	return []byte(text + "\r\n")
}

// introduce tells the server who we are, where it wants to know, switches on
// what has to be, and asks for the namespaces, all in one round trip. Compression
// begins behind its answer, so it comes last.
func (s *session) introduce() error {
	var commands []*Command
	if s.caps.has("ID") {
		commands = append(commands, Cmd("ID").Raw(`("name" "imapfw")`))
	}
	if want := s.toEnable(); len(want) > 0 {
		commands = append(commands, Cmd("ENABLE").Raw(strings.Join(want, " ")))
	}
	if s.caps.has("NAMESPACE") {
		commands = append(commands, Cmd("NAMESPACE"))
	}
	compression := s.wantsCompression()
	if compression {
		commands = append(commands, Cmd("COMPRESS DEFLATE"))
	}
	replies, err := s.ask(commands...)
	if err != nil {
		return err
	}
	if !slices.Contains(s.enabled, "QRESYNC") {
		s.caps.notEnabled()
	}
	if s.goodbye != "" {
		return fault.New(fault.Busy, "sign in", "the server closes the connection: %s", s.goodbye).AsTemporary()
	}
	if compression && replies[len(replies)-1].Type == "OK" { // a server that thinks better of it is none
		return s.compress()
	}
	return nil
}

// toEnable lists what has to be switched on.
func (s *session) toEnable() (want []string) {
	if !s.caps.has("ENABLE") {
		return nil
	}
	switch {
	case s.caps.has("QRESYNC"):
		want = append(want, "QRESYNC") // CONDSTORE comes with it (RFC 7162 section 3.2.3)
	case s.caps.has("CONDSTORE"):
		want = append(want, "CONDSTORE")
	}
	if s.caps.names(imap.CapUTF8Accept) || s.caps.names("UTF8=ONLY") {
		// Folder names are UTF-8 then, and messages with 8-bit headers are
		// handed out as they are: before, a server may have changed them for
		// us (RFC 9755 section 3).
		want = append(want, string(imap.CapUTF8Accept))
	}
	return want
}
