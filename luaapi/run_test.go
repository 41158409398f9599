package luaapi_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/luaapi"
)

// files returns the files of a Maildir folder.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	for _, sub := range []string{"new", "cur"} {
		list, err := filepath.Glob(filepath.Join(dir, sub, "*"))
		require.NoError(t, err)
		out = append(out, list...)
	}
	return out
}

// The five lines everybody begins with, over IMAP and files.
func TestSimpleExample(t *testing.T) {
	s := server(t, 3)
	host, port := hostPort(t, s.Addr())
	a := newApp(t, "simple.lua", replace(t, "simple.lua",
		`host = "imap.example.org"`, `host = "`+host+`", port = `+port+`, tls = "none"`,
		"me@example.org", "user", "pass show mail/me", "echo secret; echo more"))

	result := a.done()
	inbox := filepath.Join(a.home, "Mail/me/INBOX")
	require.Len(t, files(t, inbox), 3)
	require.EqualValues(t, 3, result.Reports["simple.sync"]["pulled"])
	require.FileExists(t, filepath.Join(a.home, "state/imapfw/simple/state.db"), "the state is named after the file")

	// What changes on either side goes to the other one; what does not costs
	// nothing.
	require.NoError(t, os.Remove(files(t, inbox)[0]))
	_, err := s.Account("").Append("INBOX", imaptest.Message{Content: message(4)})
	require.NoError(t, err)
	result = a.done()
	require.EqualValues(t, 1, result.Reports["simple.sync"]["pulled"])
	require.EqualValues(t, 1, result.Reports["simple.sync"]["removed_far"])
	list, err := s.Account("").List("INBOX")
	require.NoError(t, err)
	require.Len(t, list, 3)
	require.NotContains(t, a.log.String(), "secret")
}

func TestWrongPassword(t *testing.T) {
	s := server(t, 0)
	host, port := hostPort(t, s.Addr())
	a := newApp(t, "simple.lua", replace(t, "simple.lua",
		`host = "imap.example.org"`, `host = "`+host+`", port = `+port+`, tls = "none"`,
		"me@example.org", "user", "pass show mail/me", "echo hunter2"))
	result, err := a.run()
	require.NoError(t, err)
	require.Equal(t, luaapi.ExitAuth, result.ExitCode)
	require.Error(t, result.Err)
	require.NotContains(t, result.Err.Error()+a.log.String(), "hunter2")
}

func TestPasswordCommandThatFails(t *testing.T) {
	s := server(t, 0)
	host, port := hostPort(t, s.Addr())
	a := newApp(t, "simple.lua", replace(t, "simple.lua",
		`host = "imap.example.org"`, `host = "`+host+`", port = `+port+`, tls = "none"`,
		"me@example.org", "user", "pass show mail/me", "echo gpg: no key >&2; exit 2"))
	result, err := a.run()
	require.NoError(t, err)
	require.Equal(t, luaapi.ExitAuth, result.ExitCode)
	require.ErrorContains(t, result.Err, "gpg: no key", "the user sees why")
}

const three = `
local api = require "imapfw.api"
local function account(name)
  return api.account { name = name, far = api.memory { name = name .. " far" }, near = api.memory { name = name .. " near", like = "maildir" } }
end
return api.app { accounts = { account "a", account "b", account "c" }, groups = { some = { "a", "c" } }, jobs = 1 }
`

func TestSeveralAccounts(t *testing.T) {
	for _, c := range []struct {
		name   string
		chosen []string
		want   []string
	}{
		{"all", nil, []string{"a", "b", "c"}},
		{"one", []string{"b"}, []string{"b"}},
		{"a group", []string{"some"}, []string{"a", "c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newApp(t, "three.lua", three)
			for _, name := range []string{"a", "b", "c"} {
				put(a.memory(name+" far", memory.Options{}), "INBOX", 1, 2)
				a.memory(name+" near", memory.Options{Maildir: true})
			}
			a.opt.Accounts = c.chosen
			a.done()
			var synced []string
			for _, name := range []string{"a", "b", "c"} {
				if len(counts(a.opt.Memories[name+" near"])) > 0 {
					synced = append(synced, name)
				}
			}
			require.Equal(t, c.want, synced)
		})
	}
	a := newApp(t, "three.lua", three)
	a.opt.Accounts = []string{"d"}
	_, err := a.run()
	require.ErrorContains(t, err, `no account or group "d"`)
}

// One account that cannot start stops no other, and the exit code tells of it.
func TestOneAccountFails(t *testing.T) {
	a := newApp(t, "two.lua", `
local api = require "imapfw.api"
return api.app { accounts = {
  api.account { name = "broken", far = api.memory { name = "broken" }, near = api.memory { name = "broken near" } },
  api.account { name = "bad", far = api.imap { host = "127.0.0.1", port = 1, tls = "none", user = "u", password = "p" }, near = api.memory { name = "bad" } },
  api.account { name = "good", far = api.memory { name = "far" }, near = api.memory { name = "near" } },
} }
`)
	put(a.memory("far", memory.Options{}), "INBOX", 1, 1)
	near := a.memory("near", memory.Options{})
	a.memory("broken", memory.Options{}).SetHook(func(_ context.Context, c memory.Call) error {
		if c.Op == memory.OpFolders {
			return fault.New(fault.Protocol, "list folders", "nonsense")
		}
		return nil
	})
	result, err := a.run()
	require.NoError(t, err)
	require.Equal(t, luaapi.ExitFailed, result.ExitCode, "the first of 1, 75")
	require.Len(t, result.Failures, 2)
	require.Contains(t, a.log.String(), "nonsense")
	require.Equal(t, map[string]int{"INBOX": 1}, counts(near))
}

func TestDryRun(t *testing.T) {
	s := server(t, 2)
	host, port := hostPort(t, s.Addr())
	a := newApp(t, "simple.lua", replace(t, "simple.lua",
		`host = "imap.example.org"`, `host = "`+host+`", port = `+port+`, tls = "none"`,
		"me@example.org", "user", "pass show mail/me", "echo secret"))
	a.opt.DryRun = true
	a.done()
	require.NoDirExists(t, filepath.Join(a.home, "Mail"))
	require.NoDirExists(t, filepath.Join(a.home, "state"))
	require.Len(t, a.told("plan"), 1)
	require.NotEmpty(t, a.told("plan")[0].Data.(map[string]any)["steps"])
}
