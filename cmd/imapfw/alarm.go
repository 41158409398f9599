package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/wire"
)

// alarm is why the guard stopped an account.
type alarm struct {
	account string
	data    wire.Map
}

// commandLine is how the user called the command, to say how to call it next.
type commandLine struct {
	command string // "sync"
	file    string // "" where it is the default one
}

func (c commandLine) with(option, account string) string {
	words := []string{"imapfw", c.command, option}
	if c.file != "" {
		words = append(words, quoteWord(c.file))
	}
	if account != "" && c.command != "apply" {
		words = append(words, quoteWord(account))
	}
	return strings.Join(words, " ")
}

// quoteWord writes an argument as a shell reads it.
func quoteWord(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./~:,@+", r) || r > 0x7f
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// screen tells on one screen what would have been lost, where, since when, and
// how to go on.
func (a alarm) screen(w io.Writer, called commandLine) {
	line := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	line("imapfw: %s: STOPPED BEFORE ANYTHING WAS WRITTEN", a.account)
	line("")
	dangers, _ := a.data["dangers"].(wire.List)
	kinds := map[string]bool{}
	for _, v := range dangers {
		d, _ := v.(wire.Map)
		kinds[fmt.Sprint(d["kind"])] = true
		line("  %v", d["text"])
		if d["kind"] == "removals" {
			line("      since they are gone on the %s side", other(d["side"]))
		}
	}
	if more := number(a.data, "more"); more > 0 {
		line("  and %d more", more)
	}
	if at := number(a.data, "last_time"); at > 0 {
		line("  The two sides were last brought in step on %s (run %d).", time.Unix(at, 0).Format("Mon 2 Jan 2006 at 15:04"), number(a.data, "last_run"))
	}
	if list, _ := a.data["examples"].(wire.List); len(list) > 0 {
		line("  Some of them:")
		for _, v := range list {
			e, _ := v.(wire.Map)
			words := []string{"     "}
			if at := number(e, "date"); at > 0 {
				words = append(words, time.Unix(at, 0).Format("2006-01-02"))
			}
			for _, name := range []string{"from", "subject"} {
				if text, _ := e[name].(string); text != "" {
					words = append(words, text)
				}
			}
			line("%s", strings.Join(words, "  "))
		}
	}
	line("")
	a.next(line, kinds, called)
}

// next says how to go on.
func (a alarm) next(line func(string, ...any), kinds map[string]bool, called commandLine) {
	removals := number(a.data, "removals")
	switch {
	case kinds["vanished"]:
		line("  Is a disk not mounted, or the server's path or namespace wrong? Put it right and run again: nothing was changed.")
		line("  If that side is to be filled anew, remove the account's state folder first (see imapfw help api.account, state):")
		line("  its next run pairs what is there, and removes nothing.")
		return
	case kinds["empty side"] && removals == 0:
		line("  Is it another disk, or another Maildir? Put it right and run again: nothing was changed.")
		line("  If that side is to be filled anew: guard = false in the account, for one run.")
		return
	case kinds["uploads"] && removals == 0:
		line("  Do these two sides belong together? If they do: guard = { new = N } in the account.")
	case kinds["allowed"]:
		line("  If that many are meant:    %s", called.with(fmt.Sprintf("--allow-removals %d", removals), a.account))
	default:
		line("  If that was not meant:     restore what is missing (a backup, a disk to be mounted) and run again")
		line("  If it was:                 %s", called.with(fmt.Sprintf("--allow-removals %d", removals), a.account))
		if called.command == "sync" {
			line("  To carry all but removals: %s", called.with("--only new,flags", a.account))
		}
	}
	if called.command != "plan" {
		line("  To see the whole plan:     %s", called.with("--dry-run", a.account))
	}
	limits, _ := a.data["limits"].(wire.Map)
	line("  The limits:                guard = { max = %v, share = %v, hard = %v, account = %v, new = %v }",
		limits["max"], limits["share"], limits["hard"], limits["account"], limits["new"])
}

func other(side any) string {
	if side == "far" {
		return "near"
	}
	return "far"
}

func number(m wire.Map, name string) int64 {
	n, _ := m[name].(int64)
	return n
}
