package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/luaapi"
)

func (g *global) demoCommand() *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show a sync between an embedded server and a temporary Maildir",
		Long: "Start an IMAP server in memory with a small mailbox, sync it to a temporary Maildir, change both sides, sync\n" +
			"again, and show what happened. Nothing is left behind.",
		Example: "  imapfw demo\n  imapfw demo --keep",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp("", "imapfw-demo-")
			if err != nil {
				return fault.Wrap(fault.IO, "demo", err)
			}
			d := &demo{global: g, cmd: cmd, dir: dir}
			err = d.run(context.Background())
			if keep {
				fmt.Fprintf(g.stdout, "\nkept in %s\n", dir)
				return err
			}
			if removeErr := os.RemoveAll(dir); err == nil {
				err = removeErr
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "keep the Maildir, the state and the file")
	return cmd
}

// demo is one demonstration.
type demo struct {
	*global
	cmd    *cobra.Command
	dir    string
	server *imaptest.Server
	far    *imaptest.Account
}

func (d *demo) run(ctx context.Context) error {
	d.server = imaptest.New(imaptest.Options{})
	if err := d.server.Start(ctx); err != nil {
		return err
	}
	defer d.server.Close()
	d.far = d.server.Account("")
	if err := d.far.Fill(); err != nil {
		return err
	}
	file, err := d.writeFile()
	if err != nil {
		return err
	}
	for _, step := range []struct {
		title string
		do    func() error
	}{
		{"The first sync copies everything:", func() error { return d.sync(file) }},
		{"Then the server gets new mail, one message is read and one removed there:", d.changeServer},
		{"Meanwhile a mail reader flags a message, removes one and saves another in the Maildir:", d.changeMaildir},
		{"The second sync brings both in step:", func() error { return d.sync(file) }},
		{"Both sides hold the same:", d.compare},
		{"A third sync has nothing to do:", func() error { return d.sync(file) }},
	} {
		fmt.Fprintf(d.stdout, "\n%s\n", step.title)
		if err := step.do(); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) near() string { return filepath.Join(d.dir, "Maildir") }

// writeFile writes the five lines a user would write, and shows them.
func (d *demo) writeFile() (string, error) {
	host, port, _ := strings.Cut(d.server.Addr(), ":")
	text := fmt.Sprintf(`local api = require "imapfw.api"
return api.account {
  far  = api.imap { host = %q, port = %s, tls = "none", user = "user", password = "secret" },
  near = api.maildir { path = %q }, state = %q,
}
`, host, port, d.near(), filepath.Join(d.dir, "state"))
	fmt.Fprintf(d.stdout, "An IMAP server in memory, and this file:\n\n%s", indent(text))
	file := filepath.Join(d.dir, "demo.lua")
	return file, os.WriteFile(file, []byte(text), 0o600)
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}

func (d *demo) sync(file string) error {
	fmt.Fprint(d.stdout, "  ")
	show := newReporter(d.global, false, false, false)
	result, err := luaapi.Run(context.Background(), d.options(d.cmd, app{path: file}, show))
	if err != nil {
		return err
	}
	if err := show.finish(result); err != nil {
		return err
	}
	return result.Err
}

func (d *demo) changeServer() error {
	inbox, err := d.far.List(mail.Inbox)
	if err != nil {
		return err
	}
	if _, err := d.far.Append(mail.Inbox, imaptest.SampleMessages(1000, 3, 800)...); err != nil {
		return err
	}
	if err := d.far.SetFlags(mail.Inbox, mail.NewFlags(`\Seen`), inbox[0].UID); err != nil {
		return err
	}
	if err := d.far.Expunge(mail.Inbox, inbox[1].UID); err != nil {
		return err
	}
	fmt.Fprintf(d.stdout, "  3 messages arrive in INBOX; UID %d is read, UID %d is expunged\n", inbox[0].UID, inbox[1].UID)
	return nil
}

func (d *demo) changeMaildir() error {
	cur := filepath.Join(d.near(), "INBOX", "cur")
	files, err := os.ReadDir(cur)
	if err != nil {
		return err
	}
	flagged, removed := files[3].Name(), files[4].Name()
	base, _, _ := strings.Cut(flagged, ":2,")
	if err := os.Rename(filepath.Join(cur, flagged), filepath.Join(cur, base+":2,F")); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(cur, removed)); err != nil {
		return err
	}
	note := "Message-ID: <note@demo>\nSubject: A note to myself\n\nSaved in the Maildir.\n"
	name := fmt.Sprintf("%d.demo.localhost", time.Now().Unix())
	if err := os.WriteFile(filepath.Join(d.near(), "Drafts", "new", name), []byte(note), 0o600); err != nil {
		return err
	}
	fmt.Fprintf(d.stdout, "  flagged %s\n  removed %s\n  saved   Drafts/new/%s\n", flagged, removed, name)
	return nil
}

// compare counts the messages of both sides, by folder.
func (d *demo) compare() error {
	cursors, err := filepath.Glob(filepath.Join(d.near(), "*", "cur"))
	if err != nil {
		return err
	}
	nested, err := filepath.Glob(filepath.Join(d.near(), "*", "*", "cur"))
	if err != nil {
		return err
	}
	all := append(cursors, nested...)
	slices.Sort(all)
	for _, cur := range all {
		name, err := filepath.Rel(d.near(), filepath.Dir(cur))
		if err != nil {
			return err
		}
		far, err := d.far.List(filepath.ToSlash(name))
		if err != nil {
			return err
		}
		near := 0
		for _, sub := range []string{"cur", "new"} {
			files, err := os.ReadDir(filepath.Join(filepath.Dir(cur), sub))
			if err != nil {
				return err
			}
			near += len(slices.DeleteFunc(files, fs.DirEntry.IsDir))
		}
		fmt.Fprintf(d.stdout, "  %-14s server %2d   Maildir %2d\n", name, len(far), near)
		if len(far) != near {
			return fault.New(fault.Internal, "demo", "the two sides differ in %q", name)
		}
	}
	return nil
}
