package endpoint_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/drivertest"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/predicate"
)

// far gives every folder but the inbox another name on the far side.
func far(near string) string {
	if near == mail.Inbox {
		return near
	}
	return "x-" + near
}

func dressed(t testing.TB) *naming.Rename {
	r, err := naming.NewRename([]naming.Step{{Kind: naming.Pair, ToNear: "near", ToFar: "far"}}, func(id, name string) (string, error) {
		if id == "far" {
			return far(name), nil
		}
		return strings.TrimPrefix(name, "x-"), nil
	})
	require.NoError(t, err)
	return r
}

// Every controller around a store is a store that keeps the contract.
func TestControllersConform(t *testing.T) {
	all, err := predicate.Compile(predicate.OnSize(predicate.Larger, 0).Or(predicate.Leaf(predicate.All)))
	require.NoError(t, err)
	wrap := map[string]func(s driver.Store) driver.Store{
		"NameTrans": func(s driver.Store) driver.Store { return endpoint.NameTrans(s, dressed(t)) },
		"Filter":    func(s driver.Store) driver.Store { return endpoint.Filter(s, endpoint.FilterOptions{Messages: all}) },
		"Trace": func(s driver.Store) driver.Store {
			return endpoint.Trace(s, slog.New(slog.DiscardHandler), slog.LevelInfo)
		},
		"Throttle": func(s driver.Store) driver.Store { return endpoint.Throttle(s, endpoint.NewRate(1<<40, 1e9)) },
		"Retry":    func(s driver.Store) driver.Store { return endpoint.Retry(s, endpoint.RetryOptions{}) },
		"Fake":     func(s driver.Store) driver.Store { return endpoint.Fake(s) },
		"Limit":    func(s driver.Store) driver.Store { return endpoint.Limit(s, 1, 1) },
	}
	wrap["All"] = func(s driver.Store) driver.Store {
		for _, name := range []string{"Fake", "Limit", "Retry", "Throttle", "Filter", "NameTrans", "Trace"} {
			s = wrap[name](s)
		}
		return s
	}
	for name, around := range wrap {
		if name != "NameTrans" && name != "Filter" && name != "All" {
			continue // All has them
		}
		t.Run(name, func(t *testing.T) {
			door := func(near string) string { return near }
			if name == "NameTrans" || name == "All" {
				door = far
			}
			drivertest.Run(t, drivertest.Harness{
				Features: drivertest.Features{LineEnds: mail.CRLF, Delta: true},
				New: func(*testing.T) drivertest.Place {
					s := memory.New(memory.Options{Batch: 3})
					store := around(s)
					return drivertest.Place{
						Store: func(*testing.T) driver.Store { return store },
						Add: func(_ *testing.T, folder string, m drivertest.Message) {
							s.Add(door(folder), memory.Message{Flags: m.Flags, Date: m.Date, Body: m.Body})
						},
						SetFlags: func(_ *testing.T, folder string, key mail.Key, flags mail.Flags) {
							s.SetFlags(door(folder), key, flags)
						},
						Remove:   func(_ *testing.T, folder string, key mail.Key) { s.Remove(door(folder), key) },
						Recreate: func(_ *testing.T, folder string) { s.DropFolder(door(folder)); s.AddFolder(door(folder)) },
					}
				},
			})
		})
	}
}

// No ability may be reached around the controller that changes what it is about.
func TestAbilitiesGoThroughControllers(t *testing.T) {
	s := server(t, memory.Options{})
	log := &bytes.Buffer{}
	var did []endpoint.WouldDo
	chain := func(inner driver.Store) driver.Store {
		traced := endpoint.Trace(endpoint.NameTrans(inner, dressed(t)), slog.New(slog.NewTextHandler(log, nil)), slog.LevelInfo)
		return endpoint.Limit(traced, 1, 1)
	}
	store := chain(s)
	maker, ok := driver.As[driver.FolderMaker](store)
	require.True(t, ok)
	require.NoError(t, maker.CreateFolder(t.Context(), "New"))
	require.Contains(t, s.Snapshot(), "x-New")
	require.NoError(t, maker.Subscribe(t.Context(), "New"))
	require.Contains(t, log.String(), `op="create folder"`)
	require.Contains(t, log.String(), "folder=New")
	remover, ok := driver.As[driver.FolderRemover](store)
	require.True(t, ok)
	require.NoError(t, remover.RemoveFolder(t.Context(), "New"))
	require.NotContains(t, s.Snapshot(), "x-New")
	stamper, ok := driver.As[driver.Stamper](store)
	require.True(t, ok)
	require.NoError(t, stamper.SetStamp(t.Context(), "mark"))

	for _, found := range []driver.Store{endpoint.DryRun(s, func(w endpoint.WouldDo) { did = append(did, w) }), endpoint.NameTrans(s, dressed(t))} {
		got, _ := driver.As[*memory.Store](found)
		require.Nil(t, got, "the store within cannot be reached")
	}
	none := chain(bare{s})
	_, ok = driver.As[driver.FolderMaker](none)
	require.False(t, ok, "nothing is promised that is not there")
	_, ok = driver.As[driver.Stamper](endpoint.DryRun(bare{s}, nil))
	require.False(t, ok)
	require.Empty(t, did)
}
