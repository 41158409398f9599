package luaapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/mail"
)

// accountWith is an account between two stores in memory with more options.
func accountWith(more string) string {
	return `
local api = require "imapfw.api"
local m = api.match
return api.account {
  far = api.memory { name = "far" }, near = api.memory { name = "near", like = "maildir" },
  ` + more + `
}`
}

func TestFoldersOption(t *testing.T) {
	for _, c := range []struct {
		name, option string
		want         []string
	}{
		{"all", ``, []string{"INBOX", "Junk", "Lists/go", "Mine"}},
		{"patterns", `folders = { "*", "!Junk" }`, []string{"INBOX", "Lists/go", "Mine"}},
		{"attributes", `folders = { "*", "!\\Junk" }`, []string{"INBOX", "Lists/go", "Mine"}},
		{"a level", `folders = { "%" }`, []string{"INBOX", "Junk", "Mine"}},
		{"the last match wins", `folders = { "!Lists/*", "*", "!Lists/*", "Lists/go" }`, []string{"INBOX", "Junk", "Lists/go", "Mine"}},
		{"the last match wins, the other way round", `folders = { "Lists/go", "*", "!\\Junk", "!Lists/*" }`, []string{"INBOX", "Mine"}},
		{"the inbox in any case", `folders = { "inbox" }`, []string{"INBOX"}},
		{"an attribute in any case", `folders = { "*", "!\\JUNK" }`, []string{"INBOX", "Lists/go", "Mine"}},
		{"a function of special uses", `folders = function(f) return f.special_use ~= "\\Junk" and not f.name:find "/" end`, []string{"INBOX", "Mine"}},
		{"few", `folders = { "INBOX", "Lists/*" }`, []string{"INBOX", "Lists/go"}},
		{"by attribute", `folders = { "\\Junk" }`, []string{"Junk"}},
		{"a function", `folders = function(f) return f.name ~= "Junk" and f.name ~= "Mine" end`, []string{"INBOX", "Lists/go"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newApp(t, "some.lua", accountWith(c.option))
			far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
			for _, folder := range []string{"INBOX", "Junk", "Lists/go"} {
				put(far, folder, 1, 1)
			}
			far.SetAttrs("Junk", `\Junk`)
			put(near, "Mine", 2, 2)
			a.done()
			var got []string
			for folder := range counts(near) {
				got = append(got, folder)
			}
			if far := counts(far); far["Mine"] == 0 { // it stayed where it was
				delete(far, "Mine")
				var both []string
				for _, folder := range got {
					if folder != "Mine" {
						both = append(both, folder)
					}
				}
				got = both
			}
			require.ElementsMatch(t, c.want, got)
		})
	}
}

// What is left out from one run to the next stays on both sides, and comes back
// into step.
func TestFoldersOptionThatChanges(t *testing.T) {
	script := func(option string) string { return accountWith(option) }
	a := newApp(t, "some.lua", script(``))
	far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
	put(far, "Junk", 1, 3)
	far.SetAttrs("Junk", `\Junk`)
	a.done()
	require.Equal(t, 3, counts(near)["Junk"])
	for _, option := range []string{`folders = { "*", "!Junk" }`, `folders = { "*", "!\\Junk" }`, `folders = function(f) return f.name ~= "Junk" end`} {
		writeFile(t, a.path, script(option))
		near.Remove("Junk", near.Snapshot()["Junk"][0].Key)
		put(far, "Junk", 9, 9)
		left := counts(near)["Junk"]
		a.done()
		require.Equal(t, left, counts(near)["Junk"])
		writeFile(t, a.path, script(``))
		a.done()
		require.Equal(t, counts(far), counts(near), option)
		require.Equal(t, left+1, counts(near)["Junk"], "what was removed meanwhile is removed now")
	}
}

// Folders without a subscription stay where they are; the inbox needs none.
func TestSubscribedOnly(t *testing.T) {
	s := server(t, 1)
	host, port := hostPort(t, s.Addr())
	account := s.Account("")
	for i, name := range []string{"Mine", "Shown", "Shown/not"} {
		require.NoError(t, account.CreateFolder(name))
		_, err := account.Append(name, imaptest.Message{Content: message(10 + i)})
		require.NoError(t, err)
	}
	require.NoError(t, account.Unsubscribe("INBOX"))
	require.NoError(t, account.Unsubscribe("Mine"))
	require.NoError(t, account.Unsubscribe("Shown/not"))
	a := newApp(t, "some.lua", `
local api = require "imapfw.api"
return api.account {
  far = api.imap { host = "`+host+`", port = `+port+`, tls = "none", user = "user", password = "secret", subscribed_only = true },
  near = api.memory { name = "near", like = "maildir" },
}`)
	near := a.memory("near", memory.Options{Maildir: true})
	put(near, "New", 20, 20)
	a.done()
	require.Equal(t, map[string]int{"INBOX": 1, "Shown": 1, "New": 1}, counts(near))
	// What imapfw creates is subscribed, and stays in step.
	put(near, "New", 21, 21)
	a.done()
	list, err := account.List("New")
	require.NoError(t, err)
	require.Len(t, list, 2)
	// A subscription that ends is no removal.
	require.NoError(t, account.Unsubscribe("Shown"))
	a.done()
	require.Equal(t, map[string]int{"INBOX": 1, "Shown": 1, "New": 2}, counts(near))
}

func TestRenameOption(t *testing.T) {
	for _, c := range []struct{ name, option string }{
		{"steps", `rename = { api.rename.strip_prefix "[Gmail]/", api.rename.map { ["Sent Mail"] = "Sent" } }`},
		{"a pair", `rename = {
		  to_near = function(name) return name == "[Gmail]/Sent Mail" and "Sent" or name end,
		  to_far = function(name) return name == "Sent" and "[Gmail]/Sent Mail" or name end }`},
		{"a pair among steps", `rename = { api.rename.pair {
		  to_near = function(name) return (name:gsub("^%[Gmail%]/Sent Mail$", "Sent")) end,
		  to_far = function(name) return (name:gsub("^Sent$", "[Gmail]/Sent Mail")) end } }`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newApp(t, "some.lua", accountWith(c.option))
			far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
			put(far, "[Gmail]/Sent Mail", 1, 2)
			put(far, "INBOX", 3, 3)
			a.done()
			require.Equal(t, map[string]int{"Sent": 2, "INBOX": 1}, counts(near))
			// and back
			put(near, "Sent", 4, 4)
			a.done()
			require.Equal(t, map[string]int{"[Gmail]/Sent Mail": 3, "INBOX": 1}, counts(far))
		})
	}
}

func TestMessagesOption(t *testing.T) {
	for _, c := range []struct {
		name, option string
		want         int
	}{
		{"flags", `messages = m.flagged`, 1},
		{"a keyword, in any case", `messages = m.keyword "important"`, 1},
		{"without a keyword", `messages = -m.keyword "IMPORTANT" * -m.keyword "other"`, 2},
		{"a keyword by a function", `messages = m.fn(function(msg) return msg.flags["Important"] and msg.flags["\\Flagged"] end)`, 1},
		{"a field of the header", `messages = m.header("X-Kind", "bill")`, 2},
		{"both", `messages = m.flagged + m.subject(api.re "message [2-3]$")`, 3},
		{"without", `messages = m.all - m.flagged`, 2},
		{"the content", `messages = m.body "body 2"`, 1},
		{"no attachment", `messages = -m.has_attachment()`, 3},
		{"a function", `messages = m.fn(function(msg) return msg.subject == "message 2" end)`, 1},
		{"a function and more", `messages = m.fn(function(msg) return msg:header("X-Kind") ~= nil end) * -m.flagged`, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newApp(t, "some.lua", accountWith(c.option))
			far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
			far.Add("INBOX", memory.Message{Body: message(1), Flags: mail.NewFlags(`\Flagged`, "Important")})
			put(far, "INBOX", 2, 3, "X-Kind: bill")
			a.done()
			require.Equal(t, c.want, counts(near)["INBOX"])
			require.Len(t, far.Snapshot()["INBOX"], 3, "what is hidden is not removed")
		})
	}
}

// Which side decides about a flag is told for each.
func TestFlagsOption(t *testing.T) {
	a := newApp(t, "some.lua", accountWith(`flags = { ["\\Seen"] = "far", ["\\Flagged"] = "union", WORK = "near" }`))
	far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
	all := []string{`\Seen`, `\Flagged`, `\Answered`, "work"}
	key := far.Add("INBOX", memory.Message{Body: message(1), Flags: mail.NewFlags(all...)})
	a.done()
	near.SetFlags("INBOX", near.Snapshot()["INBOX"][0].Key, mail.Flags{})
	a.done()
	require.Equal(t, []string{`\Flagged`, `\Seen`}, far.Snapshot()["INBOX"][0].Flags.Strings(), "of what was taken off near")
	require.Empty(t, far.Snapshot().Diff(near.Snapshot()))
	far.SetFlags("INBOX", key, mail.NewFlags("work"))
	a.done()
	require.Equal(t, []string{`\Flagged`}, far.Snapshot()["INBOX"][0].Flags.Strings(), "of what was changed far")
	require.Empty(t, far.Snapshot().Diff(near.Snapshot()))
}

func TestDirections(t *testing.T) {
	for _, c := range []struct {
		option    string
		far, near int
	}{
		{`pull = "all", push = "none"`, 1, 2},
		{`pull = "none"`, 2, 1},
		{`pull = { "flags" }, push = { "flags" }`, 1, 1},
	} {
		t.Run(c.option, func(t *testing.T) {
			a := newApp(t, "some.lua", accountWith(c.option))
			far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
			put(far, "INBOX", 1, 1)
			put(near, "INBOX", 2, 2)
			a.done()
			require.Equal(t, c.far, counts(far)["INBOX"])
			require.Equal(t, c.near, counts(near)["INBOX"])
		})
	}
}

// An engine of one's own takes patterns for the names it sees.
func TestFoldersOfAnEngine(t *testing.T) {
	a := newApp(t, "custom.lua", custom(``, `controllers = { api.NameTrans { api.rename.strip_prefix "Top/" } }`, ``, `folders = { "INBOX", "One" }`))
	far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
	for i, folder := range []string{"INBOX", "Top/One", "Top/Two"} {
		put(far, folder, i, i)
	}
	put(near, "Mine", 4, 4)
	a.done()
	require.Equal(t, map[string]int{"INBOX": 1, "One": 1, "Mine": 1}, counts(near))
	require.Zero(t, counts(far)["Mine"]+counts(far)["Top/Mine"])
}
