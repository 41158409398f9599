package state_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/state/statetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	statetest.Run(t, func(testing.TB) state.Store { return state.NewMemory() })
}

func TestDB(t *testing.T) {
	statetest.Run(t, func(t testing.TB) state.Store { return state.New(options(t)) })
}

func options(t testing.TB) state.Options {
	return state.Options{Dir: t.TempDir(), Identity: state.Identity{
		Account: "home",
		Far:     state.Place{Host: "imap.example.org", User: "me"},
		Near:    state.Place{Path: "/home/me/Mail"},
	}}
}
