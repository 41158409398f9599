package luaapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/luaapi"
)

// Every way of renaming gives near names, and takes a folder that is new near
// back to the far name.
func TestRenameHelpers(t *testing.T) {
	for _, c := range []struct {
		name, option string
		far, near    string // the same folder
		fresh, made  string // new near, and what it is far
	}{
		{"strip_prefix", `api.rename.strip_prefix "INBOX/"`, "INBOX/a/b", "a/b", "c", "INBOX/c"},
		{"add_prefix", `api.rename.add_prefix "work/"`, "a/b", "work/a/b", "work/c", "c"},
		{"map", `api.rename.map { ["Sent Mail"] = "Sent" }`, "Sent Mail", "Sent", "c", "c"},
		{"flatten", `api.rename.flatten "."`, "a/b", "a.b", "c.d", "c/d"},
		{"lower", `api.rename.lower()`, "A/Ä", "a/ä", "c", "c"},
		{"pair", `api.rename.pair { to_near = function(n) return "x" .. n end, to_far = function(n) return n:sub(2) end }`, "a", "xa", "xc", "c"},
		{"all of them", `api.rename.strip_prefix "INBOX/", api.rename.map { ["S M"] = "Sent/All" }, api.rename.flatten "-", api.rename.lower(), api.rename.add_prefix "w/"`,
			"INBOX/S M", "w/sent-all", "w/c-d", "INBOX/c/d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newApp(t, "some.lua", accountWith(`rename = { `+c.option+` }`))
			far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
			put(far, c.far, 1, 1)
			put(near, c.fresh, 2, 3)
			a.done()
			require.Equal(t, map[string]int{c.near: 1, c.fresh: 2}, counts(near))
			require.Equal(t, map[string]int{c.far: 1, c.made: 2}, counts(far))
			put(near, c.near, 4, 4)
			a.done()
			require.Equal(t, map[string]int{c.far: 2, c.made: 2}, counts(far))
		})
	}
}

// A special use is the folder that the server marks, in whatever language.
func TestRenameSpecialUse(t *testing.T) {
	a := newApp(t, "some.lua", accountWith(`rename = { api.rename.strip_prefix "[Google Mail]/",
	  api.rename.map { ["\\Sent"] = "Sent", ["\\Trash"] = "Bin", ["\\Junk"] = "Spam", ["\\Drafts"] = "Drafts" } }`))
	far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
	for folder, use := range map[string]string{"Gesendet": `\Sent`, "Papierkorb": `\Trash`, "Entwürfe": `\Drafts`} {
		put(far, "[Google Mail]/"+folder, 1, 1)
		far.SetAttrs("[Google Mail]/"+folder, use, `\HasNoChildren`)
	}
	put(far, "Work", 2, 2)
	put(near, "Spam", 3, 3) // the server has none
	a.done()
	require.Equal(t, map[string]int{"Sent": 1, "Bin": 1, "Drafts": 1, "Work": 1, "Spam": 1}, counts(near))
	require.Equal(t, 1, counts(far)["Spam"])
	put(near, "Sent", 4, 4)
	a.done()
	require.Equal(t, map[string]int{"[Google Mail]/Gesendet": 2, "[Google Mail]/Papierkorb": 1, "[Google Mail]/Entwürfe": 1, "Work": 1, "Spam": 1},
		counts(far))
}

func TestRenameMistakes(t *testing.T) {
	for _, c := range []struct{ option, want string }{
		{`api.rename.map { ["\\Spam"] = "Spam" }`, `\Spam is no special use of folders`},
		{`api.rename.map { a = "x", b = "x" }`, `gives "a" and "b" the same name "x"`},
		{`api.rename.map { a = "x//y" }`, `cannot give the name "x//y"`},
		{`api.rename.flatten "/"`, "without"},
		{`api.rename.strip_prefix ""`, "needs a prefix"},
	} {
		a := newApp(t, "some.lua", accountWith(`rename = { `+c.option+` }`))
		result, err := a.run()
		if err == nil {
			err = result.Err
		}
		require.ErrorContains(t, err, c.want)
		require.ErrorContains(t, err, "some.lua:6", "the line of the mistake")
	}
}

// Names that meet leave out that pair, tell it, and nothing else.
func TestNamesThatMeet(t *testing.T) {
	a := newApp(t, "some.lua", accountWith(`rename = { api.rename.strip_prefix "[Gmail]/" }`))
	far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
	put(far, "Drafts", 1, 1)
	put(far, "[Gmail]/Drafts", 2, 2)
	put(far, "[Gmail]/Sent", 3, 3)
	put(near, "Drafts", 4, 4)
	for range 2 {
		result, err := a.run()
		require.NoError(t, err)
		require.Equal(t, luaapi.ExitPartial, result.ExitCode)
		require.Equal(t, map[string]int{"Drafts": 1, "[Gmail]/Drafts": 1, "[Gmail]/Sent": 1}, counts(far))
		require.Equal(t, map[string]int{"Drafts": 1, "Sent": 1}, counts(near))
	}
	require.Contains(t, a.log.String(), `would all be called`)

	// One of them left out, the other one has the name.
	a = newApp(t, "some.lua", accountWith(`rename = { api.rename.strip_prefix "[Gmail]/" }, folders = { "*", "!Drafts" }`))
	a.opt.Memories["far"], a.opt.Memories["near"] = far, near
	a.done()
	require.Equal(t, map[string]int{"Drafts": 1, "[Gmail]/Drafts": 2, "[Gmail]/Sent": 1}, counts(far))
	require.Equal(t, map[string]int{"Drafts": 2, "Sent": 1}, counts(near))
}

// A folder that is all the others at once is told about, unless it is left out.
func TestAllMail(t *testing.T) {
	for option, warns := range map[string]bool{``: true, `folders = { "*", "!\\All" }`: false, `folders = { "\\All" }`: false} {
		a := newApp(t, "some.lua", accountWith(option))
		far := a.memory("far", memory.Options{})
		a.memory("near", memory.Options{Maildir: true})
		put(far, "[Gmail]/All Mail", 1, 2)
		far.SetAttrs("[Gmail]/All Mail", `\All`)
		put(far, "INBOX", 1, 1)
		a.done()
		told := a.told("told")
		require.Equal(t, warns, len(told) == 1, option)
		if warns {
			require.Contains(t, fmt.Sprint(told[0].Data), `"!\\All"`)
		}
	}
}

// The same on a real server, whose folders are in the language of its users.
func TestSpecialUseOnDovecot(t *testing.T) {
	server := dovecot.Start(t, dovecot.Config(`namespace inbox {
  mailbox Gesendet {
    special_use = \Sent
    auto = subscribe
  }
  mailbox Entwürfe {
    special_use = \Drafts
    auto = create
  }
}`))
	server.AddUser(t, "joe")
	host, port := hostPort(t, server.Addr())
	a := newApp(t, "some.lua", `
local api = require "imapfw.api"
return api.account {
  far = api.imap { host = "`+host+`", port = `+port+`, tls = "none", user = "joe", password = "`+dovecot.Password+`" },
  near = api.memory { name = "near", like = "maildir" },
  rename = { api.rename.map { ["\\Sent"] = "sent", ["\\Drafts"] = "drafts", ["\\Archive"] = "archive" } },
}`)
	near := a.memory("near", memory.Options{Maildir: true})
	put(near, "sent", 1, 2)
	put(near, "drafts", 3, 3)
	put(near, "archive", 4, 4)
	a.done()
	for folder, want := range map[string]string{"Gesendet": "2", "Entwürfe": "1", "archive": "1"} {
		require.Equal(t, folder+" messages="+want, strings.TrimSpace(server.Doveadm(t, "mailbox", "status", "-u", "joe", "messages", folder)))
	}
	require.NotContains(t, server.Doveadm(t, "mailbox", "list", "-u", "joe"), "sent\n")
}
