package imap

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// mailbox is a folder on its way into a command.
type mailbox struct {
	name   string // as mail.Folder.Name
	server string // UTF-8, with the server's prefix and separator; see conn.ReadName
	raw    string // as the server writes it; "" where that is the encoding of server
	odd    bool   // no good name, and not listed
}

// add puts the folder's name into a command.
func (b mailbox) add(cmd *conn.Command) *conn.Command {
	if b.raw != "" {
		return cmd.RawMailbox(b.raw)
	}
	return cmd.Mailbox(b.server)
}

// names translates folder names: the server's have a prefix, a separator and an
// encoding of its own, ours are UTF-8 with "/" between the levels. A "/" within a
// level, and what is not encoded as it should be, is written in digits, see
// conn.ReadName.
type names struct {
	path      string // with the server's separator and at its end, once known
	separator string // that overrides the server's

	mu     sync.Mutex
	prefix string             // of the personal namespace
	delim  string             // of new folders; "" for a flat server
	others []string           // prefixes of the other namespaces
	utf8   bool               // the server writes UTF-8, not modified UTF-7
	marks  bool               // and marks a "&" in it all the same
	listed map[string]mailbox // by name, as of the latest LIST
}

func newNames(opts Options) *names {
	return &names{
		path: strings.Trim(opts.Path, "/"), separator: opts.Separator,
		prefix: opts.Namespace, delim: "/", listed: map[string]mailbox{},
	}
}

// learn takes what NAMESPACE or LIST "" "" told.
func (n *names) learn(prefix, delim string, others []string, utf8 bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.utf8 = utf8
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
	name = foldInbox(name)
	if name == mail.Inbox {
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
	if !slices.ContainsFunc(n.others, func(other string) bool { return strings.HasPrefix(server, other) }) {
		server = n.prefix + n.path + server
	}
	box := mailbox{name: name, server: server}
	if strings.Contains(server, "%") {
		raw, odd, ok := conn.WriteName(server, n.utf8, n.inLevels(n.delim))
		if !ok {
			return bad("it stands for no name of the server")
		}
		box.raw, box.odd = raw, odd
	}
	if n.utf8 && n.marks && strings.Contains(server, "&") {
		box = box.mark()
	}
	return box, nil
}

// marked is a new folder whose name has a "&" in it, for servers that want it
// marked in UTF-8 names as well; false where that makes no difference or is
// known.
func (n *names) marked(box mailbox) (mailbox, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, listed := n.listed[box.name]
	if !n.utf8 || n.marks || listed || !strings.Contains(box.server, "&") {
		return box, false
	}
	return box.mark(), true
}

func (b mailbox) mark() mailbox {
	if b.raw == "" {
		b.raw = b.server
	}
	b.raw = strings.ReplaceAll(b.raw, "&", "&-")
	return b
}

// learnMarks notes that the server marks a "&".
func (n *names) learnMarks() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.marks = true
}

// inLevels are the characters that a level of the server's names may hold, and
// of ours may not.
func (n *names) inLevels(delim string) string {
	if delim == "/" {
		return ""
	}
	return "/"
}

// foldInbox writes the first level as "INBOX" when it is the inbox, whose name
// has no case (RFC 9051 section 5.1). Servers do as they like with what is below
// it; where they tell apart what differs by that only, the second one is told.
func foldInbox(name string) string {
	first, rest, deeper := strings.Cut(name, "/")
	switch {
	case !strings.EqualFold(first, mail.Inbox):
		return name
	case deeper:
		return mail.Inbox + "/" + rest
	}
	return mail.Inbox
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
	if strings.EqualFold(raw, mail.Inbox) {
		return mailbox{name: mail.Inbox, server: mail.Inbox, raw: raw}, "", true
	}
	written := raw
	if utf8 {
		// Some servers mark a "&" in UTF-8 names as in modified UTF-7. A folder
		// is not to change its name with the encoding.
		written = strings.ReplaceAll(raw, "&-", "&")
		n.marks = n.marks || written != raw
	}
	server := conn.ReadName(written, utf8, n.inLevels(delim))
	name, inside := n.cutPrefix(server)
	if inside && n.path != "" {
		name, inside = strings.CutPrefix(name, n.path)
	}
	if name == "" || n.path != "" && !inside {
		return mailbox{}, "", false
	}
	if delim != "" {
		name = strings.ReplaceAll(name, delim, "/")
	}
	if strings.EqualFold(name, mail.Inbox) {
		name = server // which is longer
		complaint = "below the server's prefix its name is that of the inbox"
	}
	return mailbox{name: foldInbox(name), server: server, raw: raw}, complaint, true
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
