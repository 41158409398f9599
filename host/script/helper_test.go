package script_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"
	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/script"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// write makes files in a fresh working directory, so that messages show the
// names a user would see.
func write(t testing.TB, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
}

// load loads app.lua with the test modules.
func load(t testing.TB, text string) (*script.Bundle, error) {
	t.Helper()
	write(t, map[string]string{"app.lua": text})
	return script.Load(context.Background(), script.Config{App: "app.lua", Modules: testModules()})
}

// state makes a state of app.lua; it is closed with the test.
func state(t testing.TB, text string, opts script.Options) *script.State {
	t.Helper()
	b, err := load(t, text)
	require.NoError(t, err)
	s, err := b.NewState(context.Background(), opts)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// call calls the function an app returned, in the worker phase, and gives its
// results as text.
func call(t testing.TB, s *script.State, args ...lua.LValue) (string, error) {
	t.Helper()
	return callCtx(context.Background(), t, s, args...)
}

func callCtx(ctx context.Context, t testing.TB, s *script.State, args ...lua.LValue) (text string, err error) {
	t.Helper()
	err = s.Do(ctx, func(L *lua.LState) error {
		results, err := s.Call(L, s.Result(), lua.MultRet, args...)
		if err != nil {
			return err
		}
		parts := make([]string, len(results))
		for i, v := range results {
			parts[i] = L.ToStringMeta(v).String()
		}
		text = strings.Join(parts, " ")
		return nil
	})
	return text, err
}

// eval runs statements in the worker phase: what they return, or the error.
func eval(t testing.TB, code string, opts script.Options) (string, error) {
	t.Helper()
	return call(t, state(t, "return function(...) "+code+" end", opts))
}

// noon is the clock of tests: Thursday.
func noon() time.Time { return time.Date(2026, 11, 5, 12, 4, 9, 0, time.FixedZone("CET", 3600)) }

func number(n int) lua.LValue { return lua.LNumber(n) }
