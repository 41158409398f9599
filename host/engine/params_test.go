package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// What an engine is declared with reaches it in any process.
func TestParamsCross(t *testing.T) {
	p := engine.Params{
		Policy: engine.DefaultPolicy(), Scope: "s", Convert: true, DryRun: true, Lanes: 3, Timing: true,
		Select: engine.Selection{Patterns: []string{"*", "!x"}, Far: true, Rename: []naming.Step{{Kind: naming.StripPrefix, Prefix: "p/"}}},
	}
	p.Policy.Push = engine.OpNew | engine.OpFlags
	p.Policy.Conflict = engine.ConflictKeep
	p.Policy.Mirror, p.Policy.Remove = state.Near, engine.Both
	p.Policy.Trash = engine.Trash{Far: "Trash", NewOnly: engine.FarSide, FromOther: engine.NearSide}
	p.Policy.MaxSize, p.Policy.MaxMessages, p.Policy.ExpireUnread = 1<<20, 500, true
	p.Policy.Flags = map[string]engine.FlagRule{`\Seen`: engine.FlagFar}
	p.Policy.Undo.Path = "/undo"
	p.Job, p.Args = "some job", wire.Map{"run": int64(7)}
	p.Once = engine.Once{Pull: engine.OpNew, NarrowPull: true, Folders: []string{"INBOX"}, AllowRemovals: 9}
	p.Messages = predicate.OnAge(predicate.Newer, time.Hour).Or(predicate.Leaf(predicate.Flagged))
	m, err := wire.Clone(p.Map())
	require.NoError(t, err)
	got, err := engine.ParseParams(m.(wire.Map))
	require.NoError(t, err)
	require.Equal(t, p, got)

	for name := range p.Map() {
		broken := p.Map()
		broken[name] = struct{}{}
		_, err := engine.ParseParams(broken)
		require.Error(t, err, name)
	}
}
