package imap

import (
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// mailbox is a folder on its way into a command.
type mailbox struct {
	name   string // as mail.Folder.Name
	server string // UTF-8, with the server's prefix and separator
	raw    string // as the server listed it; "" where it did not
}

// add puts the folder's name into a command.
func (b mailbox) add(cmd *conn.Command) *conn.Command {
	if b.raw != "" {
		return cmd.RawMailbox(b.raw)
	}
	return cmd.Mailbox(b.server)
}

// names translates folder names: the server's have a prefix, a separator and an
// encoding of its own, ours are UTF-8 with "/" between the levels.
type names struct {
	path      string // with the server's separator and at its end, once known
	separator string // that overrides the server's

	mu     sync.Mutex
	prefix string             // of the personal namespace
	delim  string             // of new folders; "" for a flat server
	others []string           // prefixes of the other namespaces
	listed map[string]mailbox // by name, as of the latest LIST
}

func newNames(opts Options) *names {
	return &names{
		path: strings.Trim(opts.Path, "/"), separator: opts.Separator,
		prefix: opts.Namespace, delim: "/", listed: map[string]mailbox{},
	}
}

// learn takes what NAMESPACE or LIST "" "" told.
func (n *names) learn(prefix, delim string, others []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.prefix == "" {
		n.prefix = prefix
	}
	n.delim, n.others = delim, others
	if n.separator != "" {
		n.delim = n.separator
	}
	// A prefix without its separator ("INBOX") would also cut "INBOX2".
	if n.delim != "" && n.prefix != "" && !strings.HasSuffix(n.prefix, n.delim) {
		n.prefix += n.delim
	}
	if n.path != "" && n.delim != "" {
		n.path = strings.TrimSuffix(strings.ReplaceAll(n.path, "/", n.delim), n.delim) + n.delim
	}
}

// known replaces what the latest LIST told.
func (n *names) known(listed map[string]mailbox) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listed = listed
}

// forget drops what LIST told about folders.
func (n *names) forget(is func(folder string) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	kept := maps.Clone(n.listed) // the map that was given is the giver's too
	maps.DeleteFunc(kept, func(name string, _ mailbox) bool { return is(name) })
	n.listed = kept
}

// forServer returns the folder a name stands for.
func (n *names) forServer(name string) (mailbox, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if strings.EqualFold(name, mail.Inbox) {
		return mailbox{name: mail.Inbox, server: mail.Inbox}, nil
	}
	if box, ok := n.listed[name]; ok {
		return box, nil
	}
	bad := func(format string, args ...any) (mailbox, error) {
		return mailbox{}, fault.New(fault.BadName, "", format, args...).InFolder(name).
			WithHint("give it another name there, with rename")
	}
	switch {
	case name == "" || strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") || strings.Contains(name, "//"):
		return bad("a level of the name is empty")
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return bad("there is a control character in the name")
	case n.delim == "" && strings.Contains(name, "/"):
		return bad("the server has no folders within folders")
	case n.delim != "/" && n.delim != "" && strings.Contains(name, n.delim):
		return bad("the server separates the levels of a name with %q", n.delim)
	}
	server := name
	if n.delim != "" {
		server = strings.ReplaceAll(name, "/", n.delim)
	}
	for _, other := range n.others {
		if strings.HasPrefix(server, other) {
			return mailbox{name: name, server: server}, nil
		}
	}
	return mailbox{name: name, server: n.prefix + n.path + server}, nil
}

// fromServer returns the name of a folder the server listed. It reports false
// for what lies outside of the path, and a complaint for a name that cannot be
// kept in step.
//
// utf8 is for servers that write names in UTF-8, not in modified UTF-7.
func (n *names) fromServer(raw, delim string, utf8 bool) (box mailbox, complaint string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.separator != "" {
		delim = n.separator
	}
	server, decoded := raw, true
	if !utf8 {
		server, decoded = conn.DecodeName(raw)
	}
	if !decoded {
		server = strings.ToValidUTF8(raw, "\uFFFD")
		complaint = "its name is not encoded as IMAP demands"
	}
	if strings.EqualFold(server, mail.Inbox) {
		return mailbox{name: mail.Inbox, server: mail.Inbox, raw: raw}, "", true
	}
	name, inside := n.cutPrefix(server)
	if inside && n.path != "" {
		name, inside = strings.CutPrefix(name, n.path)
	}
	if name == "" || n.path != "" && !inside {
		return mailbox{}, "", false
	}
	if delim != "/" {
		if strings.Contains(name, "/") && complaint == "" {
			complaint = fmt.Sprintf("its name holds a \"/\", and the server's separator is %q", delim)
		}
		if delim != "" {
			name = strings.ReplaceAll(name, delim, "/")
		}
	}
	if strings.EqualFold(name, mail.Inbox) {
		name = server // which is longer
		if complaint == "" {
			complaint = "below the server's prefix its name is that of the inbox"
		}
	}
	return mailbox{name: name, server: server, raw: raw}, complaint, true
}

// cutPrefix takes the personal prefix off a name. The inbox in it is any case.
func (n *names) cutPrefix(server string) (string, bool) {
	k := len(n.prefix)
	if len(server) < k {
		return server, false
	}
	if server[:k] == n.prefix ||
		len(n.prefix) == len(mail.Inbox)+1 && strings.EqualFold(server[:k], n.prefix) && strings.EqualFold(server[:len(mail.Inbox)], mail.Inbox) {
		return server[k:], true
	}
	return server, false
}
