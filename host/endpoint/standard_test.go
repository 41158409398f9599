package endpoint_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// The controllers can be built from plain data, as a worker is.
func TestStandard(t *testing.T) {
	s := server(t, memory.Options{})
	s.AddFolder("x-Work")
	s.AddFolder("x-Spam")
	var log bytes.Buffer
	var events []string
	env := worker.Env{Log: slog.New(slog.NewTextHandler(&log, nil)), Emit: func(name string, _ wire.Value) { events = append(events, name) }}
	b := endpoint.Builders{
		Drivers: map[string]endpoint.DriverBuilder{"memory": func(worker.Env, wire.Map) (driver.Store, error) { return s, nil }},
		Controllers: endpoint.Standard(func(worker.Env) endpoint.Functions {
			return endpoint.Functions{Message: func(context.Context, string, *predicate.View) (bool, error) { return true, nil }}
		}),
	}
	p := endpoint.Params{Driver: "memory", Readers: 2, Controllers: []endpoint.Controller{
		{Kind: "dry_run"},
		{Kind: "trace", Options: wire.Map{"level": "info"}},
		{Kind: "throttle", Options: wire.Map{"octets": 1e9, "calls": int64(1000)}},
		{Kind: "retry", Options: wire.Map{"tries": int64(2), "wait": int64(1)}},
		{Kind: "filter", Options: wire.Map{"folders": wire.List{"*", "!Spam"}, "messages": predicate.OnName(predicate.Fn, "f").Encode()}},
		{Kind: "nametrans", Options: wire.Map{"rename": naming.Encode([]naming.Step{{Kind: naming.StripPrefix, Prefix: "x-"}})}},
		{Kind: "fake", Options: wire.Map{"script": wire.List{wire.Map{"op": "folders", "times": int64(1), "code": "network", "temporary": true}}}},
	}}
	sent, err := wire.Encode(p.Map())
	require.NoError(t, err)
	v, err := wire.Decode(sent)
	require.NoError(t, err)
	again, err := endpoint.ParseParams(v.(wire.Map))
	require.NoError(t, err)
	store, err := b.Build(env, again)
	require.NoError(t, err)
	folders, err := store.Folders(t.Context())
	require.NoError(t, err)
	for _, f := range folders {
		require.Contains(t, []string{"INBOX", "Work", "Spam"}, f.Name)
		require.Equal(t, f.Name == "Spam", f.Hidden)
	}
	_, err = store.Commit(t.Context(), inbox, deliver(t, store, inbox, "x"))
	require.NoError(t, err)
	require.Equal(t, []string{"would"}, events)
	require.Contains(t, log.String(), "trying again")
	require.Empty(t, bodies(s, mail.Inbox))

	for _, c := range []endpoint.Controller{
		{Kind: "nothing"},
		{Kind: "nametrans", Options: wire.Map{"rename": "x"}},
		{Kind: "nametrans", Options: wire.Map{"rename": naming.Encode([]naming.Step{{Kind: naming.Pair, ToNear: "a", ToFar: "b"}})}},
		{Kind: "filter", Options: wire.Map{"folders": wire.List{"!x"}}},
		{Kind: "filter", Options: wire.Map{"folders_fn": "f"}},
		{Kind: "filter", Options: wire.Map{"messages": wire.Map{"op": "sen"}}},
		{Kind: "trace", Options: wire.Map{"level": "loud"}},
		{Kind: "throttle", Options: wire.Map{"octets": "many"}},
	} {
		_, err := b.Wrap(env, []endpoint.Controller{c}, s)
		require.Error(t, err, c.Kind)
	}
	_, err = b.Build(env, endpoint.Params{Driver: "none"})
	require.ErrorIs(t, err, fault.Config)
}
