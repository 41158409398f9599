//go:build unix

package scenario_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
	"github.com/imapfw/imapfw/host/mail"
)

// imapSide is a user of the real server, whose other mail program keeps one
// connection of its own.
type imapSide struct {
	server *dovecot.Server
	user   string
	client *imapclient.Client
	t      testing.TB

	validity int
}

func newImapSide(t testing.TB, server *dovecot.Server, user string) *imapSide {
	return &imapSide{t: t, server: server, user: user}
}

func (s *imapSide) lua(options string) string {
	host, port, _ := net.SplitHostPort(s.server.Addr())
	return fmt.Sprintf("api.imap { host = %q, port = %s, tls = \"none\", user = %q, password = %q, connections = 1, %s }",
		host, port, s.user, dovecot.Password, options)
}

// do runs fn with the connection, which is made at need.
func (s *imapSide) do(fn func(c *imapclient.Client) error) error {
	if s.client == nil {
		c, err := imapclient.DialInsecure(s.server.Addr(), nil)
		if err != nil {
			return err
		}
		s.client = c
		if err := c.Login(s.user, dovecot.Password).Wait(); err != nil {
			return err
		}
	}
	return fn(s.client)
}

// in runs fn with a folder selected.
func (s *imapSide) in(folder string, fn func(c *imapclient.Client) error) error {
	return s.do(func(c *imapclient.Client) error {
		if _, err := c.Select(folder, nil).Wait(); err != nil {
			return fmt.Errorf("select %q: %w", folder, err)
		}
		return errors.Join(fn(c), c.Unselect().Wait())
	})
}

func (s *imapSide) close() error {
	if s.client == nil {
		return nil
	}
	err := s.client.Close()
	s.client = nil
	return err
}

func (s *imapSide) list() (content, error) {
	out := content{}
	err := s.do(func(c *imapclient.Client) error {
		list, err := c.List("", "*", nil).Collect()
		if err != nil {
			return err
		}
		for _, data := range list {
			if slices.Contains(data.Attrs, imap.MailboxAttrNoSelect) || slices.Contains(data.Attrs, imap.MailboxAttrNonExistent) {
				continue
			}
			if out[data.Mailbox], err = fetch(c, data.Mailbox); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func fetch(c *imapclient.Client, folder string) ([]found, error) {
	selected, err := c.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return nil, fmt.Errorf("select %q: %w", folder, err)
	}
	var out []found
	if selected.NumMessages > 0 {
		section := &imap.FetchItemBodySection{Peek: true}
		list, err := c.Fetch(imap.SeqSet{{Start: 1}}, &imap.FetchOptions{
			UID: true, Flags: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{section},
		}).Collect()
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			var names []string
			for _, f := range m.Flags {
				names = append(names, string(f))
			}
			out = append(out, found{key: strconv.Itoa(int(m.UID)), flags: mail.NewFlags(names...), date: m.InternalDate, body: m.FindBodySection(section)})
		}
	}
	return out, c.Unselect().Wait()
}

func (s *imapSide) add(folder string, m *message, flags mail.Flags) error {
	return s.do(func(c *imapclient.Client) error {
		body := crlf(m.body)
		cmd := c.Append(folder, int64(len(body)), &imap.AppendOptions{Flags: imapFlags(flags), Time: m.date})
		if _, err := cmd.Write(body); err != nil {
			return err
		}
		if err := cmd.Close(); err != nil {
			return err
		}
		_, err := cmd.Wait()
		return err
	})
}

func imapFlags(flags mail.Flags) []imap.Flag {
	var out []imap.Flag
	for _, name := range flags.Strings() {
		out = append(out, imap.Flag(name))
	}
	return out
}

// crlf is content as it crosses the wire.
func crlf(b []byte) []byte {
	var out []byte
	for i, c := range b {
		if c == '\n' && (i == 0 || b[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}

func uids(list ...found) imap.UIDSet {
	var set imap.UIDSet
	for _, f := range list {
		n, _ := strconv.Atoi(f.key)
		set.AddNum(imap.UID(n))
	}
	return set
}

func (s *imapSide) flag(folder string, f found, add, remove mail.Flags) error {
	return s.in(folder, func(c *imapclient.Client) error {
		var errs []error
		if !add.Empty() {
			errs = append(errs, c.Store(uids(f), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: imapFlags(add)}, nil).Close())
		}
		if !remove.Empty() {
			errs = append(errs, c.Store(uids(f), &imap.StoreFlags{Op: imap.StoreFlagsDel, Silent: true, Flags: imapFlags(remove)}, nil).Close())
		}
		return errors.Join(errs...)
	})
}

func (s *imapSide) remove(folder string, list []found) error {
	return s.in(folder, func(c *imapclient.Client) error {
		set := uids(list...)
		store := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
		return errors.Join(c.Store(set, store, nil).Close(), c.UIDExpunge(set).Close())
	})
}

func (s *imapSide) move(folder string, f found, to string) error {
	return s.in(folder, func(c *imapclient.Client) error {
		_, err := c.Move(uids(f), to).Wait()
		return err
	})
}

func (s *imapSide) makeFolder(name string) error {
	return s.do(func(c *imapclient.Client) error {
		_ = c.Create(name, nil).Wait() // it may be there
		_, err := c.Status(name, &imap.StatusOptions{NumMessages: true}).Wait()
		return err
	})
}

func (s *imapSide) dropFolder(name string) error {
	return s.do(func(c *imapclient.Client) error { return c.Delete(name).Wait() })
}

func (s *imapSide) renameFolder(name, to string) error {
	return s.do(func(c *imapclient.Client) error { return c.Rename(name, to, nil).Wait() })
}

func (s *imapSide) subscribe(name string, on bool) error {
	return s.do(func(c *imapclient.Client) error {
		if on {
			return c.Subscribe(name).Wait()
		}
		return c.Unsubscribe(name).Wait()
	})
}

func (s *imapSide) subscribed() (names []string, err error) {
	err = s.do(func(c *imapclient.Client) error {
		list, err := c.List("", "*", &imap.ListOptions{SelectSubscribed: true}).Collect()
		for _, data := range list {
			names = append(names, data.Mailbox)
		}
		slices.Sort(names)
		return err
	})
	return names, err
}

// renumber gives a folder another UIDVALIDITY, as a server does that lost its
// index. The connection is closed: it has the folder in its memory.
func (s *imapSide) renumber(folder string) error {
	if err := s.close(); err != nil {
		return err
	}
	s.validity += 1000
	s.server.Doveadm(s.t, "mailbox", "update", "-u", s.user, "--uid-validity", strconv.Itoa(int(time.Now().Unix())+s.validity), folder)
	return nil
}

// home is where the server keeps the user's mail.
func (s *imapSide) home() string { return s.server.HomeDir(s.user) }

func (s *imapSide) backup() error {
	if err := s.close(); err != nil {
		return err
	}
	return copyTree(s.home(), s.home()+".backup")
}

func (s *imapSide) restore() error {
	err := errors.Join(s.close(), os.RemoveAll(s.home()), os.Rename(s.home()+".backup", s.home()))
	s.server.Own(s.t, s.home())
	return err
}
