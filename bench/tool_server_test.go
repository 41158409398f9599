//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// The limit would be too low where it left out something that a sync has to ask for.
func TestServerAloneIsAskedForWhatChanged(t *testing.T) {
	s := dovecot.Start(t)
	limit, err := serverAlone()
	require.NoError(t, err)
	a := newAccount(limit, s, fixture{corpus: corpus{"tiny", 1, 30}}, t.TempDir(), t.TempDir(), "limit")
	require.NoError(t, a.fixture.corpus.write(t.Context(), a.corpus))
	require.NoError(t, a.newUser())
	t.Cleanup(func() { require.NoError(t, a.remove()) })
	require.NoError(t, a.fill(t.Context()))
	_, port, err := net.SplitHostPort(s.Addr())
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "asked.json")
	answer := func() string {
		var out bytes.Buffer
		require.NoError(t, ask(t.Context(), []string{a.user, port, file}, &out))
		return out.String()
	}
	change := func(do func(context.Context, *account, *rand.Rand) (int, error)) (n int) {
		n, err := do(t.Context(), a, random(seed, fmt.Sprint(t.Name(), a.times["new"])))
		require.NoError(t, err)
		return n
	}

	require.Equal(t, "flags of 0 messages, 30 new ones\n", answer(), "the first time")
	require.Equal(t, "flags of 0 messages, 0 new ones\n", answer(), "nothing changed")
	require.Equal(t, 1, change(flagFar))
	require.Equal(t, "flags of 1 messages, 0 new ones\n", answer())
	require.Equal(t, 3, change(appendFar))
	require.Equal(t, "flags of 0 messages, 3 new ones\n", answer())
	require.Equal(t, 1, change(expungeFar))
	require.Equal(t, "flags of 0 messages, 0 new ones\n", answer(), "what is gone has no flags")
}
