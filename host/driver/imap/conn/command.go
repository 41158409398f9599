package conn

import "github.com/imapfw/imapfw/host/mail"

// Command is the text of a command, without its tag. Its methods put a space in
// front of what they add, except inside of parentheses. Text that comes from
// elsewhere goes through Text or Mailbox, which cannot be broken out of.
type Command struct {
	name string
}

// Cmd begins a command: "SELECT", "UID FETCH".
func Cmd(name string) *Command { return &Command{name: name} }

// Raw adds protocol text as it is. A control character in it makes Do fail
// before anything is sent.
func (m *Command) Raw(text string) *Command { return m }

// Text adds a string, quoted or as a literal as its bytes need.
func (m *Command) Text(s string) *Command { return m }

// Mailbox adds a folder name, given in UTF-8 with the server's own delimiter:
// in modified UTF-7, or in UTF-8 where the server speaks that.
func (m *Command) Mailbox(name string) *Command { return m }

// RawMailbox adds a folder name as the server itself writes it.
func (m *Command) RawMailbox(raw string) *Command { return m }

// UIDs adds a set of UIDs. An empty one makes Do fail before anything is sent.
func (m *Command) UIDs(set mail.KeySet) *Command { return m }

// Flags adds a parenthesised list of flags.
func (m *Command) Flags(f mail.Flags) *Command { return m }
