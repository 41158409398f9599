package imaptest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/imapfw/imapfw/host/mail"
)

// Account is one user's mail on the server, seen and changed as another mail
// client would: each method is a short IMAP session of its own, so it needs a
// started server. Hooks and FailFetch do not reach these sessions.
type Account struct {
	User     string
	Password string

	server *Server
	memory *imapmemserver.User

	mu     sync.Mutex
	broken map[string][]imap.UID
	names  map[string]bool // of folders that were created
}

func (a *Account) made(folder string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.names == nil {
		a.names = map[string]bool{}
	}
	a.names[folder] = true
}

func (a *Account) gone(folder string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.names, folder)
}

// rename notes that a folder was renamed, and returns the names of those below.
func (a *Account) rename(folder, to string) (below []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name := range maps.Clone(a.names) {
		if rest, ok := strings.CutPrefix(name, folder); ok && (rest == "" || rest[0] == '/') {
			delete(a.names, name)
			a.names[to+rest] = true
			if rest != "" {
				below = append(below, name)
			}
		}
	}
	return below
}

// Message is a message in a folder of the server.
type Message struct {
	UID     uint32
	Flags   mail.Flags
	Date    time.Time // INTERNALDATE
	Content []byte    // as the server keeps it
}

// dial opens a session, runs fn and ends it.
func (a *Account) dial(fn func(*imapclient.Client) error) error {
	client, err := imapclient.DialInsecure(a.server.Addr(), nil)
	if err != nil {
		return fmt.Errorf("reach the IMAP server: %w", err)
	}
	defer func() { _ = client.Close() }()
	if err := client.Login(a.User, a.server.master).Wait(); err != nil {
		return fmt.Errorf("sign in as %s: %w", a.User, err)
	}
	if err := fn(client); err != nil {
		return err
	}
	return client.Logout().Wait()
}

func (a *Account) in(folder string, fn func(*imapclient.Client) error) error {
	return a.dial(func(c *imapclient.Client) error {
		if _, err := c.Select(folder, nil).Wait(); err != nil {
			return fmt.Errorf("select %q: %w", folder, err)
		}
		return fn(c)
	})
}

// CreateFolder creates a folder and subscribes it.
func (a *Account) CreateFolder(name string) error {
	return a.dial(func(c *imapclient.Client) error {
		if err := c.Create(name, nil).Wait(); err != nil {
			return fmt.Errorf("create %q: %w", name, err)
		}
		return c.Subscribe(name).Wait()
	})
}

// RemoveFolder removes a folder and all its mail. Created again, it has another
// UIDVALIDITY.
func (a *Account) RemoveFolder(name string) error {
	return a.dial(func(c *imapclient.Client) error { return c.Delete(name).Wait() })
}

// Unsubscribe takes a folder out of the subscriptions.
func (a *Account) Unsubscribe(name string) error {
	return a.dial(func(c *imapclient.Client) error { return c.Unsubscribe(name).Wait() })
}

// RenameFolder renames a folder and those below it.
func (a *Account) RenameFolder(name, to string) error {
	return a.dial(func(c *imapclient.Client) error { return c.Rename(name, to, nil).Wait() })
}

// Append puts messages into a folder, and returns their UIDs. Message.UID is
// not looked at; a zero Date is now.
func (a *Account) Append(folder string, messages ...Message) ([]uint32, error) {
	var uids []uint32
	for _, m := range messages {
		options := &imap.AppendOptions{Flags: imapFlags(m.Flags), Time: m.Date}
		data, err := a.memory.Append(folder, literal{bytes.NewReader(m.Content)}, options)
		if err != nil {
			return uids, fmt.Errorf("append to %q: %w", folder, err)
		}
		uids = append(uids, uint32(data.UID))
	}
	return uids, nil
}

type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// List returns the messages of a folder in the order of their UIDs, with their
// content.
func (a *Account) List(folder string) ([]Message, error) {
	var list []Message
	err := a.in(folder, func(c *imapclient.Client) error {
		var all imap.UIDSet
		all.AddRange(1, 0)
		section := &imap.FetchItemBodySection{Peek: true}
		found, err := c.Fetch(all, &imap.FetchOptions{
			UID: true, Flags: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{section},
		}).Collect()
		for _, m := range found {
			list = append(list, Message{
				UID: uint32(m.UID), Flags: mailFlags(m.Flags), Date: m.InternalDate, Content: m.FindBodySection(section),
			})
		}
		return err
	})
	slices.SortFunc(list, func(x, y Message) int { return int(x.UID) - int(y.UID) })
	return list, err
}

// SetFlags gives messages exactly these flags.
func (a *Account) SetFlags(folder string, flags mail.Flags, uids ...uint32) error {
	return a.in(folder, func(c *imapclient.Client) error {
		return c.Store(uidSet(uids), &imap.StoreFlags{Op: imap.StoreFlagsSet, Silent: true, Flags: imapFlags(flags)}, nil).Close()
	})
}

// Expunge removes messages for good, whatever their flags.
func (a *Account) Expunge(folder string, uids ...uint32) error {
	return a.in(folder, func(c *imapclient.Client) error {
		set := uidSet(uids)
		store := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
		if err := c.Store(set, store, nil).Close(); err != nil {
			return err
		}
		return c.UIDExpunge(set).Close()
	})
}

// Move moves messages to another folder, as a user would.
func (a *Account) Move(folder, to string, uids ...uint32) error {
	return a.in(folder, func(c *imapclient.Client) error {
		_, err := c.Move(uidSet(uids), to).Wait()
		return err
	})
}

// FailFetch makes the content of messages unreadable: a FETCH of it gives the
// other messages, then NO.
func (a *Account) FailFetch(folder string, uids ...uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.broken[folder] = nil
	for _, uid := range uids {
		a.broken[folder] = append(a.broken[folder], imap.UID(uid))
	}
}

func (a *Account) brokenIn(folder string) []imap.UID {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.broken[folder]
}

func uidSet(uids []uint32) imap.UIDSet {
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	return set
}

func imapFlags(flags mail.Flags) []imap.Flag {
	var out []imap.Flag
	for _, name := range flags.Strings() {
		out = append(out, imap.Flag(name))
	}
	return out
}

func mailFlags(flags []imap.Flag) mail.Flags {
	names := make([]string, len(flags))
	for i, f := range flags {
		names[i] = string(f)
	}
	return mail.NewFlags(names...)
}
