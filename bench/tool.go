//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// tool is a mail-sync program with the settings it is measured with.
type tool struct {
	Name   string // as in -tools and in rows
	Title  string // as in the tables
	Binary string
	// Added are the header fields that it adds to its copies.
	Added []string
	// Slow tools run -offlineimap-runs times only.
	Slow bool
	// Blind ones keep no mail, so that there is nothing to verify.
	Blind bool

	version []string
	// configure writes the configuration into c.Dir. In a hurry it may trade
	// durability for time: for what is not measured.
	configure func(c client, hurry bool) error
	sync      func(c client) []string // the arguments of one sync, both ways
}

// client is what a tool is told: where its Maildir is, and how to reach the server.
type client struct {
	Dir  string // for its configuration and its state
	Mail string // folder F is at Mail/F
	User string
	Port int
	TLS  bool
	Cert string // of the server, a PEM file
}

// find looks for a program of a tool, and notes its version.
func (t *tool) find(ctx context.Context) (string, error) {
	path, err := exec.LookPath(t.Binary)
	if err != nil {
		return "", err
	}
	t.Binary = path
	out, err := exec.CommandContext(ctx, path, t.version...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", path, strings.Join(t.version, " "), err)
	}
	version, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return version, nil
}

// environ is the environment of a tool: nothing of the user's own configuration.
func (c client) environ() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.Dir, "LANG=C.UTF-8", "TMPDIR=" + c.Dir}
}

// writeConfig fills in a configuration file. more are pairs of what is replaced and
// by what.
func writeConfig(c client, name, text string, more ...string) error {
	pairs := append(more, "{dir}", c.Dir, "{mail}", c.Mail, "{port}", strconv.Itoa(c.Port),
		"{user}", c.User, "{password}", password)
	text = strings.NewReplacer(pairs...).Replace(text)
	if err := os.WriteFile(filepath.Join(c.Dir, name), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}
