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
type filename struct {
	key     string // what stays the same
	middle  string // between key and info, its leading separator included
	letters string // as they are written
	tail    string // from the comma on
}

// cutKey returns the key of a file name.
func cutKey(name string, sep byte) string {
	if len(name) < 2 {
		return name
	}
	if i := strings.IndexByte(name[1:], sep); i >= 0 {
		return name[:i+1]
	}
	return name
}

// parseName takes a file name apart. It never fails.
func parseName(name string, sep byte) filename {
	f := filename{key: cutKey(name, sep)}
	rest := name[len(f.key):]
	if rest == "" {
		return f
	}
	last := strings.LastIndexByte(rest, sep)
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
