package topology

import (
	"maps"
	"slices"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// Kind is a kind of manager.
type Kind string

// The kinds, in the order in which they are stopped; states with the repositories.
const (
	EngineManager     Kind = "engine"
	WorkerManager     Kind = "worker" // of a user's own worker
	RepositoryManager Kind = "repository"
	StateManager      Kind = "state" // a repository that keeps the sync state
	LoggerManager     Kind = "logger"
	MasterManager     Kind = "master" // the Master itself
)

// Declaration is what a manager is made of.
type Declaration struct {
	Name    string
	Worker  string // kind of worker, as in the worker.Registry
	Class   string // script class, empty for the Go one
	Backend worker.Backend
	Params  wire.Map
	// Channels are the managers its worker may call, by the worker's own name
	// for them.
	Channels map[string]*Manager
	// Receives says that the worker's class has a loop that blocks in receive:
	// it needs a goroutine of its own, so it cannot be inline.
	Receives bool
	// Alone says that its start may ask the user something: nothing else is started
	// meanwhile, least of all a connection that would wait for the answer.
	Alone bool
	// Late says that its start makes something that stays: those before it are to be
	// started by then, lest a refused password leaves it behind.
	Late bool
	// Exclusive names what no other manager may use ("Maildir /home/me/Mail"),
	// in words for the user.
	Exclusive []string
}

// Manager is a declared worker. It is made by a Topology, and does nothing by
// itself.
type Manager struct {
	topology  *Topology
	kind      Kind
	spec      worker.Spec
	channels  []*Manager
	exclusive []string
	alone     bool
	late      bool
}

// Name returns the name of the worker.
func (m *Manager) Name() string { return m.spec.Name }

// Kind returns the kind of manager.
func (m *Manager) Kind() Kind { return m.kind }

// Spec returns what the worker is started from. Its params may hold secrets.
func (m *Manager) Spec() worker.Spec { return m.spec }

// Topology is a set of managers that may have channels to each other. It is
// used from one goroutine.
type Topology struct {
	managers []*Manager
	names    map[string]*Manager
	taken    map[string]*Manager // exclusive resources
}

// NewTopology returns an empty Topology.
func NewTopology() *Topology {
	return &Topology{names: map[string]*Manager{}, taken: map[string]*Manager{}}
}

// Managers returns all the managers, in the order of their declaration.
func (t *Topology) Managers() []*Manager { return slices.Clone(t.managers) }

// Lookup returns the manager of a name.
func (t *Topology) Lookup(name string) (*Manager, bool) {
	m, ok := t.names[name]
	return m, ok
}

// RepositoryManager declares a repository with its endpoints.
func (t *Topology) RepositoryManager(d Declaration) (*Manager, error) {
	return t.declare(RepositoryManager, d)
}

// StateManager declares the repository that keeps the sync state: it stays in this
// process, where its lock is.
func (t *Topology) StateManager(d Declaration) (*Manager, error) { return t.declare(StateManager, d) }

// EngineManager declares an engine. A run is over when all engines are done.
func (t *Topology) EngineManager(d Declaration) (*Manager, error) {
	return t.declare(EngineManager, d)
}

// LoggerManager declares a logger, which is stopped last.
func (t *Topology) LoggerManager(d Declaration) (*Manager, error) {
	return t.declare(LoggerManager, d)
}

// WorkerManager declares a worker that a user wrote.
func (t *Topology) WorkerManager(d Declaration) (*Manager, error) {
	return t.declare(WorkerManager, d)
}

// declare checks a declaration and adds it. The channels of a manager lead to
// managers that were declared before it, so calls can never go in a circle.
// Errors have the code fault.Config.
func (t *Topology) declare(kind Kind, d Declaration) (*Manager, error) {
	if d.Backend == "" {
		d.Backend = worker.Goroutine
	}
	m := &Manager{topology: t, kind: kind, exclusive: d.Exclusive, alone: d.Alone, late: d.Late, spec: worker.Spec{
		Name: d.Name, Kind: d.Worker, Class: d.Class, Backend: d.Backend, Params: d.Params, Channels: map[string]string{},
	}}
	if other := t.names[d.Name]; other != nil {
		return nil, fault.New(fault.Config, "", "there is a %s manager named %q already", other.kind, d.Name)
	}
	if err := worker.CheckGraph([]worker.Spec{m.spec}); err != nil {
		return nil, err // the name cannot be one
	}
	if err := checkBackend(kind, d); err != nil {
		return nil, err
	}
	for _, own := range slices.Sorted(maps.Keys(d.Channels)) {
		target := d.Channels[own]
		if target == nil || target.topology != t {
			return nil, fault.New(fault.Config, "", "channel %q of manager %q does not lead to a manager of this topology", own, d.Name)
		}
		m.spec.Channels[own] = target.Name()
		m.channels = append(m.channels, target)
	}
	if err := wire.CheckAs("params", d.Params); err != nil {
		return nil, fault.New(fault.Config, "", "manager %q: %v", d.Name, err)
	}
	for _, what := range d.Exclusive {
		if other := t.taken[what]; other != nil {
			return nil, fault.New(fault.Config, "", "managers %q and %q cannot both use %s", other.Name(), d.Name, what)
		}
	}
	for _, what := range d.Exclusive {
		t.taken[what] = m
	}
	t.names[d.Name] = m
	t.managers = append(t.managers, m)
	return m, nil
}

func checkBackend(kind Kind, d Declaration) error {
	refuse := func(why string) error {
		return fault.New(fault.Config, "", "manager %q cannot have the backend %q: %s", d.Name, d.Backend, why)
	}
	switch {
	case !slices.Contains([]worker.Backend{worker.Goroutine, worker.Process, worker.Inline}, d.Backend):
		return refuse(`it is one of "goroutine", "process" and "inline"`)
	case d.Backend == worker.Inline && d.Receives:
		return refuse("its loop blocks in receive, and would block its callers")
	case d.Backend == worker.Process && kind == StateManager:
		return refuse("the state and its lock stay in the main process")
	case d.Backend == worker.Process && kind == LoggerManager:
		return refuse("it must outlive the child processes it writes for")
	}
	return nil
}
