//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// account is the mail of one tool: a mailbox on the server and a Maildir, both of its
// own, so that all tools have the same work.
type account struct {
	tool    *tool
	server  *dovecot.Server
	fixture fixture
	corpus  string // where the corpus lies, as Maildirs
	name    string
	dir     string // of the Maildir, and of the tool's configuration and state
	user    string // of the server
	made    int    // how many users it has had

	known  map[string]map[imap.UID]digest // see remote
	want   mailbox                        // what both sides must hold after the next sync
	near   mailbox                        // what the Maildir held after the last one
	synced bool                           // there was one since the Maildir was empty
	times  map[string]int                 // how often each scenario has changed it
}

func newAccount(t *tool, s *dovecot.Server, f fixture, corpusDir, base, name string) *account {
	return &account{
		tool: t, server: s, fixture: f, corpus: corpusDir, name: name, dir: filepath.Join(base, name), times: map[string]int{},
	}
}

// newUser gives the account another user, without mail: what the server remembers of
// the last one does not count.
func (a *account) newUser() error {
	if err := a.removeUser(); err != nil {
		return err
	}
	a.made++
	a.user = fmt.Sprintf("%s-%s-%d", a.name, a.fixture.corpus, a.made)
	a.known, a.want, a.near = map[string]map[imap.UID]digest{}, nil, nil
	return a.server.MakeUser(a.user)
}

func (a *account) removeUser() error {
	if a.user == "" {
		return nil
	}
	return os.RemoveAll(a.server.HomeDir(a.user))
}

func (a *account) mail() string { return filepath.Join(a.dir, "mail") }

// clear empties the Maildir and forgets the tool's state.
func (a *account) clear() error {
	if err := os.RemoveAll(a.dir); err != nil {
		return err
	}
	a.synced, a.near = false, nil
	return os.MkdirAll(a.mail(), 0o755)
}

// remove takes everything of the account away.
func (a *account) remove() error { return errors.Join(a.removeUser(), os.RemoveAll(a.dir)) }

// fill puts the corpus into the user's mailbox and lets the server index and cache
// all of it, so that the first tool does not pay for it.
func (a *account) fill(ctx context.Context) error {
	home := a.server.HomeDir(a.user)
	root := filepath.Join(home, "mail")
	if a.fixture.storage != "maildir" {
		root = filepath.Join(home, "import")
	}
	// Files of the corpus are linked, under names that tell Dovecot their sizes.
	var names []string
	for _, f := range a.fixture.corpus.folders() {
		names = append(names, f.Name)
		dir := root
		if f.Name != "INBOX" {
			dir = filepath.Join(root, "."+strings.ReplaceAll(f.Name, "/", "."))
		}
		if err := linkMaildir(ctx, filepath.Join(a.corpus, f.Name), dir); err != nil {
			return fmt.Errorf("fill the account %s: %w", a.user, err)
		}
	}
	if err := a.server.Give(home); err != nil {
		return err
	}
	if a.fixture.storage != "maildir" {
		if _, err := a.server.Admin("import", "-u", a.user, "maildir:"+root, "", "all"); err != nil {
			return err
		}
		if err := os.RemoveAll(root); err != nil {
			return err
		}
	}
	if len(names) > 1 {
		if _, err := a.server.Admin(append([]string{"mailbox", "subscribe", "-u", a.user}, names...)...); err != nil {
			return err
		}
	}
	return a.session(ctx, func(r *remote) (err error) {
		a.want, err = r.mailbox(false)
		if n := a.want.messages(); err == nil && n != a.fixture.corpus.messages() {
			err = fmt.Errorf("the server shows %d of %d messages", n, a.fixture.corpus.messages())
		}
		return err
	})
}

func linkMaildir(ctx context.Context, from, to string) error {
	if err := makeMaildir(to); err != nil {
		return err
	}
	files, err := os.ReadDir(filepath.Join(from, "cur"))
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := os.Link(filepath.Join(from, "cur", f.Name()), filepath.Join(to, "cur", f.Name())); err != nil {
			return err
		}
	}
	return nil
}

// copyCorpus fills the Maildir with copies, under the names of another mail program.
func (a *account) copyCorpus(ctx context.Context) error {
	return filepath.WalkDir(a.corpus, func(path string, entry fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		rel, err := filepath.Rel(a.corpus, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(a.mail(), rel), 0o755)
		}
		dir, name := filepath.Split(rel)
		unique, _, _ := strings.Cut(name, ",S=")
		_, info, _ := strings.Cut(name, ":2,")
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(a.mail(), dir, unique+":2,"+info), content, 0o600)
	})
}
