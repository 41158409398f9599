package imap

import (
	"slices"
	"strings"

	goimap "github.com/emersion/go-imap/v2"

	"github.com/imapfw/imapfw/host/mail"
)

// permanentFlags are those that last (PERMANENTFLAGS, RFC 9051 section 7.1).
type permanentFlags struct {
	told       bool // without PERMANENTFLAGS all of them do
	anyKeyword bool // \*
	flags      mail.Flags
}

// keep returns those of f that can be sent to the folder and that it keeps. A
// server that takes any keyword takes the system flags too, listed or not.
func (p permanentFlags) keep(f mail.Flags) mail.Flags {
	f = sendable(f)
	if !p.told || p.anyKeyword {
		return f
	}
	return f.Intersect(p.flags)
}

// sendable leaves out keywords that the protocol has no way to write: a Maildir
// may have them.
func sendable(f mail.Flags) mail.Flags {
	keywords := f.Keywords()
	kept := slices.DeleteFunc(slices.Clone(keywords), func(k string) bool { return !isAtom(k) })
	if len(kept) == len(keywords) {
		return f
	}
	return mail.Flags{System: f.System}.Union(mail.NewFlags(kept...))
}

// isAtom reports whether s is an atom (RFC 9051 section 9).
func isAtom(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`(){%*"\]`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

func imapFlags(f mail.Flags) []goimap.Flag {
	names := f.Strings()
	out := make([]goimap.Flag, len(names))
	for i, name := range names {
		out[i] = goimap.Flag(name)
	}
	return out
}

func mailFlags(flags []goimap.Flag) mail.Flags {
	names := make([]string, len(flags))
	for i, f := range flags {
		names[i] = string(f)
	}
	return mail.NewFlags(names...)
}
