package maildir

import (
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// layout turns names of folders into directories and back. It touches no file.
type layout struct {
	root, inbox string
	kind        Layout
	separator   string
	utf7        bool
}

func newLayout(o Options) layout {
	return layout{root: o.Path, inbox: o.Inbox, kind: o.Subfolders, separator: o.Separator, utf7: o.Encoding == UTF7}
}

// Lengths that common file systems can hold, in bytes.
const (
	maxComponent = 255
	maxPath      = 4096 - len("/cur/") - maxComponent
)

// dir returns the directory of a folder, or fault.BadName.
func (l layout) dir(name string) (string, error) {
	bad := func(format string, args ...any) error {
		return fault.New(fault.BadName, "name folder", format, args...).InFolder(name).
			WithHint("give it another name on this side with the option rename")
	}
	levels := strings.Split(foldInbox(name), "/")
	for _, level := range levels {
		switch {
		case level == "":
			return "", bad("a level of the name is empty")
		case !utf8.ValidString(level):
			return "", bad("the name is not UTF-8 text")
		case strings.ContainsAny(level, "\x00\r\n"):
			return "", bad("there is a line end or a zero byte in the name")
		}
	}
	if len(levels) == 1 && levels[0] == mail.Inbox {
		return l.inbox, nil
	}
	dir, why := l.place(levels)
	if why != "" {
		return "", bad("%s", why)
	}
	rest, _ := strings.CutPrefix(dir, l.root)
	for part := range strings.SplitSeq(rest, "/") {
		if len(part) > maxComponent {
			return "", bad("the name is too long for a directory")
		}
	}
	if len(dir) > maxPath {
		return "", bad("the name is too long for a path")
	}
	if dir == l.inbox || dir == l.root {
		return "", bad("this directory is taken")
	}
	return dir, nil
}

// foldInbox writes the first level as "INBOX" when it is the inbox, whose name
// has no case (RFC 9051 section 5.1).
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

// flatMark is what stands between the levels of a name where all folders lie
// side by side, and empty where they lie within each other.
func (l layout) flatMark() string {
	switch {
	case l.separator != "":
		return l.separator
	case l.kind == MaildirPP:
		return "."
	}
	return ""
}

// place puts valid levels on disk, or says why it cannot.
func (l layout) place(levels []string) (dir, why string) {
	inInbox := levels[0] == mail.Inbox
	encoded := make([]string, len(levels))
	for i, level := range levels {
		encoded[i] = l.encode(level)
		if text, unreadable := l.decode(encoded[i]); unreadable != "" || text != level {
			return "", "it cannot be written such that it leads back to the same name"
		}
	}
	if mark := l.flatMark(); mark != "" {
		joined := strings.Join(encoded, mark)
		if !slices.Equal(strings.Split(joined, mark), encoded) {
			return "", "it holds the separator " + mark
		}
		if l.separator != "" && (reserved(joined) || joined[0] == '.') {
			return "", joined + " is a part of every Maildir"
		}
		if l.separator != "" {
			return filepath.Join(l.root, joined), ""
		}
		if inInbox {
			joined = strings.TrimPrefix(joined, encoded[0])
		}
		return l.inbox + "/." + joined, ""
	}
	base := l.root
	if inInbox {
		base, encoded = l.inbox, encoded[1:]
		if l.inbox == l.root {
			return "", "the inbox is the root, which has no folders of its own"
		}
	}
	for i, level := range encoded {
		if l.kind == Legacy && (i > 0 || inInbox) {
			level = "." + level
		}
		base += "/" + level
	}
	return base, ""
}

// encode writes one level of a name as it is on disk.
func (l layout) encode(level string) string {
	if l.utf7 {
		level = encodeUTF7(level)
	}
	return l.escape(level)
}

// decode reads one level of a directory's name. The second value says why it
// cannot be read.
func (l layout) decode(level string) (string, string) {
	level = l.unescape(level)
	if !utf8.ValidString(level) {
		return strings.ToValidUTF8(level, "\uFFFD"), "the name of its directory is not UTF-8"
	}
	if !l.utf7 {
		return level, ""
	}
	text, err := decodeUTF7(level)
	if err != nil {
		return level, "the name of its directory is not modified UTF-7"
	}
	return text, ""
}

// name returns the folder name of a directory that lies flat in the root or the
// inbox (Maildir++, or a separator).
func (l layout) flatName(dir string) (name, why string) {
	var parts []string
	if l.separator != "" {
		parts = strings.Split(dir, l.separator)
	} else {
		parts = strings.Split(dir[1:], ".")
		if parts[0] == "" && len(parts) > 1 {
			parts[0] = mail.Inbox
		}
	}
	for i, part := range parts {
		text, unreadable := l.decode(part)
		if parts[i] = text; unreadable != "" {
			why = unreadable
		}
	}
	return strings.Join(parts, "/"), why
}
