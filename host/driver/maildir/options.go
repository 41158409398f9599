package maildir

import (
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/timing"
)

// Layout is how folders within folders are laid out on disk. For the folders
// "top/sub" and "INBOX/sub", with the inbox at IN:
type Layout string

// The layouts; they are those of mbsync.
const (
	Verbatim  Layout = "verbatim"  // PATH/top/sub, IN/sub
	MaildirPP Layout = "maildir++" // IN/.top.sub, IN/..sub
	Legacy    Layout = "legacy"    // PATH/top/.sub, IN/.sub
)

// Encoding is how folder names are written on disk.
type Encoding string

// The encodings.
const (
	UTF8 Encoding = "utf8"
	UTF7 Encoding = "utf7" // modified UTF-7 (RFC 3501 section 5.1.3)
)

// Options say where a Maildir is and how it is kept. Only Path is required.
type Options struct {
	// Path is the root: folders are below it, and so are the files of ours.
	Path string
	// Inbox is the directory of INBOX. Empty means PATH/INBOX; with MaildirPP,
	// where the root is the inbox, it means PATH.
	Inbox string
	// Subfolders is the layout; empty means Verbatim.
	Subfolders Layout
	// Separator, when not empty, puts all folders into PATH itself, with this
	// text in place of "/" in their names. The layout has no effect then.
	Separator string
	// Encoding of names on disk; empty means UTF8.
	Encoding Encoding
	// NoKeywords keeps no keywords. By default they are kept as the letters a
	// to z in file names, as Dovecot does.
	NoKeywords bool
	// Letters, when not empty, is the whole table of letters ("a" to "z") and
	// keywords. Then no other keyword is kept, and no table is read or written.
	Letters map[string]string
	// NoFsync leaves it to the system when mail reaches the disk.
	NoFsync bool
	// InfoSeparator is the character before the flags in file names; empty
	// means ":".
	InfoSeparator string
	// ReadOnly makes every method that writes fail with fault.ReadOnly, and
	// leaves the disk exactly as it is: there is no lock either.
	ReadOnly bool
	// Timing counts directories read, files written and what makes them durable;
	// nil counts nothing.
	Timing *timing.Recorder
	// Log is told what is odd about a Maildir but no failure. Nil means nobody.
	Log *slog.Logger
}

// complete fills in the defaults, and checks what the user wrote.
func (o Options) complete() (Options, error) {
	if o.Path == "" {
		return o, fault.New(fault.Config, "open maildir", "the path is missing")
	}
	if strings.ContainsRune(o.Path+o.Inbox, 0) {
		return o, fault.New(fault.Config, "open maildir", "the path holds a zero byte")
	}
	if o.Subfolders == "" {
		o.Subfolders = Verbatim
	}
	if o.Encoding == "" {
		o.Encoding = UTF8
	}
	if o.InfoSeparator == "" {
		o.InfoSeparator = ":"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	if o.Path, err = filepath.Abs(o.Path); err != nil {
		return o, fault.Wrap(fault.Config, "open maildir", err)
	}
	switch {
	case o.Inbox == "" && o.Subfolders == MaildirPP && o.Separator == "":
		o.Inbox = o.Path
	case o.Inbox == "":
		o.Inbox = filepath.Join(o.Path, "INBOX")
	default:
		if o.Inbox, err = filepath.Abs(o.Inbox); err != nil {
			return o, fault.Wrap(fault.Config, "open maildir", err)
		}
	}
	return o, o.check()
}

func (o Options) check() error {
	bad := func(format string, args ...any) error {
		return fault.New(fault.Config, "open maildir", format, args...)
	}
	switch {
	case o.Subfolders != Verbatim && o.Subfolders != MaildirPP && o.Subfolders != Legacy:
		return bad("subfolders = %q is no layout", o.Subfolders)
	case o.Encoding != UTF8 && o.Encoding != UTF7:
		return bad("encoding = %q is neither utf8 nor utf7", o.Encoding)
	case strings.ContainsAny(o.Separator, "/\x00"):
		return bad("separator = %q cannot be part of a file name", o.Separator)
	case len(o.InfoSeparator) != 1 || strings.ContainsAny(o.InfoSeparator, "/\x00.,=_-+%") || isLetter(o.InfoSeparator[0]) || isDigit(o.InfoSeparator[0]):
		return bad("info_separator = %q must be one character that file names do not use", o.InfoSeparator)
	}
	words := map[string]string{}
	for letter, word := range o.Letters {
		if len(letter) != 1 || letter[0] < 'a' || letter[0] > 'z' {
			return bad("keywords: %q is no letter from a to z", letter)
		}
		fold := strings.ToLower(word)
		if word == "" || strings.ContainsAny(word, " \\\r\n\x00") {
			return bad("keywords: %q is no keyword", word)
		}
		if other, twice := words[fold]; twice {
			return bad("keywords: %q has two letters, %s and %s", word, other, letter)
		}
		words[fold] = letter
	}
	return nil
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
