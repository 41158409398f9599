//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// askMode, as the first argument, makes this program the tool "server".
const askMode = "ask-the-server"

// serverAlone is no tool but a limit: what the server needs to tell what is new. It
// asks for the flags that changed and the messages that came since it asked last, as
// sparingly as IMAP allows (RFC 7162), and throws the answers away: what finds out what
// changed there cannot be faster. In a row whose goal is below it, the goal cannot be
// met. Only a first sync can, by sharing its bodies among connections.
func serverAlone() (*tool, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return &tool{
		Name: "server", Title: "server alone", Binary: self, version: []string{askMode}, Blind: true,
		configure: func(client, bool) error { return nil },
		sync: func(c client) []string {
			return []string{askMode, c.User, strconv.Itoa(c.Port), filepath.Join(c.Dir, "asked.json")}
		},
	}, nil
}

// asked is where a folder stood when it was asked about last.
type asked struct {
	UIDValidity uint32
	Next        imap.UID // the first UID that is new
	ModSeq      uint64
}

// ask runs the command of its arguments, USER PORT FILE; without any it says what it is.
func ask(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		_, err := fmt.Fprintln(out, "asks for what changed, and keeps nothing")
		return err
	}
	if len(args) != 3 {
		return fmt.Errorf("%s USER PORT FILE", askMode)
	}
	known := map[string]asked{}
	text, err := os.ReadFile(args[2])
	if err == nil {
		err = json.Unmarshal(text, &known)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("read what was asked before: %w", err)
	}
	flags, messages, err := askAll(ctx, args[0], args[1], known)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "flags of %d messages, %d new ones\n", flags, messages)
	if text, err = json.Marshal(known); err != nil {
		return err
	}
	return os.WriteFile(args[2], text, 0o600)
}

// askAll asks about the inbox, brings known up to date, and returns of how many
// messages the server told flags, and how many it gave.
func askAll(ctx context.Context, user, port string, known map[string]asked) (flags, messages int, err error) {
	conn, err := (&net.Dialer{Timeout: time.Minute}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return 0, 0, fmt.Errorf("reach the server: %w", err)
	}
	c := imapclient.New(conn, nil)
	defer func() { _ = c.Close() }()
	if err := c.Login(user, password).Wait(); err != nil {
		return 0, 0, fmt.Errorf("sign in as %s: %w", user, err)
	}
	const inbox = "INBOX"
	opened, err := c.Select(inbox, &imap.SelectOptions{ReadOnly: true, CondStore: true}).Wait()
	if err != nil {
		return 0, 0, fmt.Errorf("open %s: %w", inbox, err)
	}
	last := known[inbox]
	if last.UIDValidity != opened.UIDValidity {
		last = asked{Next: 1}
	}
	if last.Next > 1 && opened.HighestModSeq > last.ModSeq {
		old := imap.UIDSet{{Start: 1, Stop: last.Next - 1}}
		flags, err = drain(c.Fetch(old, &imap.FetchOptions{UID: true, Flags: true, ChangedSince: last.ModSeq}))
		if err != nil {
			return 0, 0, fmt.Errorf("ask for flags: %w", err)
		}
	}
	if opened.UIDNext > last.Next {
		came := imap.UIDSet{{Start: last.Next}}
		body := []*imap.FetchItemBodySection{{Peek: true}}
		messages, err = drain(c.Fetch(came, &imap.FetchOptions{UID: true, Flags: true, BodySection: body}))
		if err != nil {
			return 0, 0, fmt.Errorf("ask for messages: %w", err)
		}
	}
	known[inbox] = asked{opened.UIDValidity, opened.UIDNext, opened.HighestModSeq}
	return flags, messages, nil
}

// drain reads an answer to its end, and counts its messages.
func drain(cmd *imapclient.FetchCommand) (n int, err error) {
	for cmd.Next() != nil {
		n++
	}
	return n, cmd.Close()
}
