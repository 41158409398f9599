package topology_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/topology"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

func TestDeclare(t *testing.T) {
	top := topology.NewTopology()
	far, err := top.RepositoryManager(topology.Declaration{Name: "far", Worker: "imap", Class: "app:Gmail", Backend: worker.Process, Params: wire.Map{"host": "x"}})
	require.NoError(t, err)
	sync, err := top.EngineManager(topology.Declaration{Name: "sync", Worker: "sync", Channels: map[string]*topology.Manager{"far": far}})
	require.NoError(t, err)
	require.Equal(t, topology.RepositoryManager, far.Kind())
	require.Equal(t, worker.Spec{Name: "far", Kind: "imap", Class: "app:Gmail", Backend: worker.Process,
		Params: wire.Map{"host": "x"}, Channels: map[string]string{}}, far.Spec())
	require.Equal(t, worker.Goroutine, sync.Spec().Backend, "the default")
	require.Equal(t, map[string]string{"far": "far"}, sync.Spec().Channels)
	require.Equal(t, []*topology.Manager{far, sync}, top.Managers())
	found, ok := top.Lookup("far")
	require.True(t, ok)
	require.Same(t, far, found)
}

func TestDeclareRefuses(t *testing.T) {
	top, other := topology.NewTopology(), topology.NewTopology()
	d := topology.Declaration{Name: "near", Worker: "maildir", Exclusive: []string{"the Maildir /home/me/Mail"}}
	near, err := top.RepositoryManager(d)
	require.NoError(t, err)
	foreign, err := other.RepositoryManager(d)
	require.NoError(t, err)
	channels := func(m *topology.Manager) map[string]*topology.Manager { return map[string]*topology.Manager{"to": m} }

	for name, c := range map[string]struct {
		declare declare
		d       topology.Declaration
		want    string
	}{
		"name twice":        {top.EngineManager, topology.Declaration{Name: "near"}, `there is a repository manager named "near" already`},
		"no name":           {top.EngineManager, topology.Declaration{}, "without a name"},
		"odd name":          {top.EngineManager, topology.Declaration{Name: "a/b"}, "without a slash"},
		"backend":           {top.EngineManager, topology.Declaration{Name: "x", Backend: "thread"}, `cannot have the backend "thread": it is one of`},
		"inline loop":       {top.WorkerManager, topology.Declaration{Name: "x", Backend: worker.Inline, Receives: true}, "blocks in receive"},
		"state in a child":  {top.StateManager, topology.Declaration{Name: "x", Backend: worker.Process}, "stay in the main process"},
		"logger in a child": {top.LoggerManager, topology.Declaration{Name: "x", Backend: worker.Process}, "outlive"},
		"foreign channel":   {top.EngineManager, topology.Declaration{Name: "x", Channels: channels(foreign)}, `channel "to" of manager "x" does not lead to a manager of this topology`},
		"no channel":        {top.EngineManager, topology.Declaration{Name: "x", Channels: channels(nil)}, "does not lead to"},
		"params":            {top.EngineManager, topology.Declaration{Name: "x", Params: wire.Map{"f": func() {}}}, `manager "x": params.f: a func() cannot cross a channel`},
		"same Maildir":      {top.RepositoryManager, topology.Declaration{Name: "x", Exclusive: d.Exclusive}, `managers "near" and "x" cannot both use the Maildir /home/me/Mail`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.declare(c.d)
			require.ErrorIs(t, err, fault.Config)
			require.ErrorContains(t, err, c.want)
		})
	}
	require.Equal(t, []*topology.Manager{near}, top.Managers(), "what was refused is not there")
	_, err = top.WorkerManager(topology.Declaration{Name: "x", Receives: true, Backend: worker.Process, Channels: channels(near)})
	require.NoError(t, err)
}

func TestGraph(t *testing.T) {
	top := topology.NewTopology()
	far, err := top.RepositoryManager(topology.Declaration{Name: "far", Class: `my "odd" <app>`, Backend: worker.Process})
	require.NoError(t, err)
	state, err := top.StateManager(topology.Declaration{Name: "state", Backend: worker.Inline})
	require.NoError(t, err)
	_, err = top.EngineManager(topology.Declaration{Name: "sync", Params: wire.Map{"password": "secret"},
		Channels: map[string]*topology.Manager{"state": state, "far": far}})
	require.NoError(t, err)
	g := topology.NewGraph(top.Managers())
	require.Equal(t, []topology.Edge{{From: "sync", To: "far", Channel: "far"}, {From: "sync", To: "state", Channel: "state"}}, g.Edges)
	require.Equal(t, `flowchart TD
  subgraph main["main process"]
    n1["state<br/>state<br/>inline"]
    n2["sync<br/>engine"]
  end
  subgraph p0["child process"]
    n0["far<br/>repository<br/>my #quot;odd#quot; #lt;app#gt;<br/>process"]
  end
  n2 -->|"far"| n0
  n2 -->|"state"| n1
`, g.Mermaid())
	require.Equal(t, `digraph topology {
  node [shape=box]
  subgraph cluster_main {
    label="main process"
    n1 [label="state\nstate\ninline"]
    n2 [label="sync\nengine"]
  }
  subgraph cluster_p0 {
    label="child process"
    n0 [label="far\nrepository\nmy \"odd\" <app>\nprocess"]
  }
  n2 -> n0 [label="far"]
  n2 -> n1 [label="state"]
}
`, g.DOT())
}
