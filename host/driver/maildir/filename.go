package maildir

import (
	"slices"
	"strings"

	gomaildir "github.com/emersion/go-maildir"

	"github.com/imapfw/imapfw/host/mail"
)

// A file is called KEY, or KEY:2,FLAGS (https://cr.yp.to/proto/maildir.html).
// Real ones have more to offer, and all of it must survive a change of flags:
//
//	KEY:2,FS,more   letters end at a comma; what follows is somebody's extension
//	KEY:1,odd       the info is not of the kind that holds flags
//	KEY:2,S:2,F     written twice; readers go by the last
//	:KEY            nothing before the separator
//	KEY;2,FS        the separator of another program that shares the Maildir,
//	                or shared it once
//
// The separator is the configured one; a name is also cut at another one that
// is in use, where flags follow it. Else its key would change, and with it the
// message be another one, whenever a program with its own idea of the separator
// set a flag. Names are written with the configured one.
type filename struct {
	key     string // what stays the same
	middle  string // between key and info, its leading separator included
	letters string // as they are written
	tail    string // from the comma on
}

// inUse reports whether programs use a character as the separator: that of the
// standard, and those for file systems without colons.
func inUse(c byte) bool { return c == ':' || c == ';' || c == '!' }

// cutKey returns the key of a file name.
func cutKey(name string, sep byte) string {
	for i := 1; i < len(name); i++ {
		if c := name[i]; c == sep || inUse(c) && flagsFollow(name[i+1:], sep) {
			return name[:i]
		}
	}
	return name
}

// flagsFollow reports whether an info part with flags begins, and nothing else
// that a name could hold.
func flagsFollow(rest string, sep byte) bool {
	letters, ok := strings.CutPrefix(rest, "2,")
	for i := 0; ok && i < len(letters); i++ {
		if !isLetter(letters[i]) {
			return letters[i] == ',' || letters[i] == sep || inUse(letters[i])
		}
	}
	return ok
}

// lastSeparator returns where the last info part of what follows a key begins.
func lastSeparator(rest string, sep byte) int {
	for i := len(rest) - 1; i > 0; i-- {
		if c := rest[i]; c == sep || inUse(c) && flagsFollow(rest[i+1:], sep) {
			return i
		}
	}
	return 0
}

// parseName takes a file name apart. It never fails.
func parseName(name string, sep byte) filename {
	f := filename{key: cutKey(name, sep)}
	rest := name[len(f.key):]
	if rest == "" {
		return f
	}
	last := lastSeparator(rest, sep)
	info := rest[last+1:]
	if !strings.HasPrefix(info, "2,") {
		f.middle = rest
		return f
	}
	f.middle, f.letters = rest[:last], info[2:]
	if i := strings.IndexByte(f.letters, ','); i >= 0 {
		f.letters, f.tail = f.letters[:i], f.letters[i:]
	}
	return f
}

// with returns the file's name in cur/ with other letters, sorted as the rule
// is, without doubles. What is no letter is kept behind them.
func (f filename) with(letters string, sep byte) string {
	var sorted, odd []byte
	for _, c := range []byte(letters) {
		if isLetter(c) {
			sorted = append(sorted, c)
		} else {
			odd = append(odd, c)
		}
	}
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	return f.key + f.middle + string(sep) + "2," + string(sorted) + string(odd) + f.tail
}

// The letters of system flags.
var systemLetters = [...]struct {
	letter byte
	flag   mail.System
}{
	{byte(gomaildir.FlagReplied), mail.Answered},
	{byte(gomaildir.FlagTrashed), mail.Deleted},
	{byte(gomaildir.FlagDraft), mail.Draft},
	{byte(gomaildir.FlagFlagged), mail.Flagged},
	{byte(gomaildir.FlagSeen), mail.Seen},
}

// passed is the letter P. It stands for a keyword: IMAP has no such system flag.
const (
	passed        = byte(gomaildir.FlagPassed)
	passedKeyword = "$Forwarded"
)

func systemFlags(letters string) mail.System {
	var f mail.System
	for _, s := range systemLetters {
		if strings.IndexByte(letters, s.letter) >= 0 {
			f |= s.flag
		}
	}
	return f
}

// dropLetters takes letters away, byte by byte: a name need not be UTF-8.
func dropLetters(letters string, less []byte) string {
	return string(slices.DeleteFunc([]byte(letters), func(c byte) bool { return slices.Contains(less, c) }))
}
