package luaapi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/luaapi"
)

// seen puts read messages first..last into a folder.
func seen(s *memory.Store, folder string, first, last int, flags ...string) {
	for n := first; n <= last; n++ {
		s.Add(folder, memory.Message{Body: message(n), Date: time.Unix(int64(1700000000+n), 0),
			Flags: mail.NewFlags(append(flags, `\Seen`)...)})
	}
}

// keepApp is an account with options, and the option's effect on two sides.
func keepApp(options string) string {
	return `
local api = require "imapfw.api"
local m = api.match
return api.account {
  name = "a", far = api.memory { name = "far" }, near = api.memory { name = "near", like = "maildir" },
  ` + options + `
}`
}

// What is kept near is decided by near names, and by functions too.
func TestMessagesAreKeptNear(t *testing.T) {
	renamed := `rename = { api.rename.map { ["Lists/golang"] = "Go" } }, messages = `
	a := newApp(t, "a.lua", keepApp(renamed+`m.all`))
	far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
	seen(far, "Lists/golang", 1, 4)
	seen(far, "INBOX", 5, 6)
	a.done()
	require.Equal(t, map[string]int{"INBOX": 2, "Go": 4}, counts(near))
	writeFile(t, a.path, keepApp(renamed+`-m.folder "Go" + m.fn(function(msg) return msg.subject == "message 2" end)`))
	result := a.done()
	require.EqualValues(t, 3, result.Reports["a.sync"]["expired"])
	require.Equal(t, map[string]int{"INBOX": 2, "Go": 1}, counts(near))
	require.Len(t, far.Snapshot()["Lists/golang"], 4)
	writeFile(t, a.path, keepApp(renamed+`m.all`))
	require.EqualValues(t, 3, a.done().Reports["a.sync"]["pulled"])
}

// An engine that a script declares has the options of an account.
func TestEngineManagerKeepsNear(t *testing.T) {
	onBackends(t, func(t *testing.T, backend string) {
		a := newApp(t, "custom.lua", custom(`
local m = api.match
local kept = -m.subject "message 6"`, ``, ``, backend+`messages = kept, max_messages = 3`))
		far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
		seen(far, "INBOX", 1, 6)
		require.EqualValues(t, 3, a.done().Reports["sync"]["pulled"])
		seen(far, "INBOX", 7, 7)
		require.EqualValues(t, 1, a.done().Reports["sync"]["expired"])
		require.Len(t, near.Snapshot()["INBOX"], 3)
		require.Len(t, far.Snapshot()["INBOX"], 7)
	})
}

// Large messages are placeholders until somebody flags them.
func TestPlaceholders(t *testing.T) {
	a := newApp(t, "a.lua", keepApp(`max_size = "2k"`))
	far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
	seen(far, "INBOX", 1, 1)
	far.Add("INBOX", memory.Message{Body: append(message(2), make([]byte, 3000)...), Flags: mail.NewFlags(`\Seen`)})
	a.done()
	list := near.Snapshot()["INBOX"]
	require.Len(t, list, 2)
	require.Contains(t, string(list[1].Body), "Subject: [placeholder] message 2\n")
	require.Less(t, len(list[1].Body), 1000)
	near.SetFlags("INBOX", list[1].Key, mail.NewFlags(`\Flagged`, `\Seen`))
	require.EqualValues(t, 1, a.done().Reports["a.sync"]["pulled"])
	require.Empty(t, far.Snapshot().Diff(near.Snapshot()))
}

// A mirror goes one way, and begins with a target that has nothing of its own.
func TestMirrorOption(t *testing.T) {
	a := newApp(t, "a.lua", keepApp(`mirror = "pull"`))
	far, near := a.memory("far", memory.Options{}), a.memory("near", memory.Options{Maildir: true})
	seen(far, "INBOX", 1, 3)
	seen(near, "INBOX", 9, 9)
	result, err := a.run()
	require.NoError(t, err)
	require.Equal(t, luaapi.ExitGuard, result.ExitCode)
	near.Remove("INBOX", near.Snapshot()["INBOX"][0].Key)
	a.done()
	near.Remove("INBOX", near.Snapshot()["INBOX"][0].Key)
	seen(near, "INBOX", 9, 9)
	a.done()
	require.Empty(t, far.Snapshot().Diff(near.Snapshot()))
	require.Len(t, far.Snapshot()["INBOX"], 3)
}
