package luaapi

import (
	"path/filepath"
	"slices"

	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/repository"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/topology"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// declareRepository makes the manager of a repository, or of a state.
func (p *program) declareRepository(m wire.Map) (*manager, error) {
	d := storeOf(m["endpoint"])
	if d.Kind == kindState {
		return p.declareState(m, d)
	}
	chain, err := p.controllerChain(m["controllers"])
	if err != nil {
		return nil, err
	}
	return p.declareChain(m, d, chain)
}

// declareStore makes the manager of one side of an account. A side that a sync
// must not write is opened in a way that cannot.
func (p *program) declareStore(name string, d *script.Def, chain []endpoint.Controller, spared bool) (*manager, error) {
	return p.declareChain(wire.Map{"name": name, "dry_run": p.opt.DryRun, "read_only": spared && p.syncs()}, d, chain)
}

// declareChain makes the manager of a repository whose controllers are plain
// data already.
func (p *program) declareChain(m wire.Map, d *script.Def, chain []endpoint.Controller) (*manager, error) {
	options, err := storeParams(d)
	if err != nil {
		return nil, err
	}
	if d.Kind == kindMemory && options["name"] == nil {
		options["name"] = m["name"]
	}
	where, err := placeOf(d.Kind, options)
	if err != nil {
		return nil, err
	}
	if m["read_only"] == true {
		options["read_only"] = true
	}
	served := chain
	if m["dry_run"] == true {
		// It is no part of the scope: what a dry run shows is what a run would do.
		served = append(slices.Clone(chain), endpoint.Controller{Kind: controllerDryRun, Options: wire.Map{}})
	}
	endpoints := int(number(m, "max_endpoints"))
	lanes := lanesOf(d, endpoints)
	params := repository.Params{
		Endpoint:  endpoint.Params{Driver: d.Kind, Options: options, Controllers: served, Readers: lanes, Writers: lanes},
		Endpoints: endpoints,
	}
	class, _ := m["class"].(*script.Class)
	declaration := topology.Declaration{Name: text(m, "name"), Worker: repository.Kind, Backend: worker.Backend(text(m, "backend"))}
	if declaration.Class = scriptClass(class); declaration.Class != "" {
		args, err := plainOf(wire.Map{"name": m["name"], "max_endpoints": m["max_endpoints"], "endpoint": withoutSecrets(d.Options)})
		if err != nil {
			return nil, err
		}
		params.Controllers = []endpoint.Controller{{Kind: controllerClass, Options: wire.Map{"class": declaration.Class, "args": args}}}
	}
	if s, ok := d.Options["password"].(*secret); ok && s.asks() {
		declaration.Alone = true
	}
	if where.exclusive != "" {
		declaration.Exclusive = []string{where.exclusive}
	}
	declaration.Params = params.Map()
	made, err := p.topology.RepositoryManager(declaration)
	if err != nil {
		return nil, err
	}
	attempts := 0
	if d.Kind == kindImap {
		attempts = min(1+int(number(d.Options, "retries")), engine.DefaultAttempts)
	}
	return &manager{Manager: made, place: where, lanes: lanes * max(endpoints, 1), attempts: attempts,
		scope: wire.List{endpoint.EncodeControllers(withoutDryRun(chain)), endpoint.EncodeControllers(params.Controllers), options["keywords"]}}, nil
}

// withoutDryRun returns what of a chain decides what is seen: a dry run sees what
// the run after it will see.
func withoutDryRun(chain []endpoint.Controller) []endpoint.Controller {
	return slices.DeleteFunc(slices.Clone(chain), func(c endpoint.Controller) bool { return c.Kind == controllerDryRun })
}

func (p *program) declareState(m wire.Map, d *script.Def) (*manager, error) {
	dir, file := "", ""
	var exclusive []string
	if text(d.Options, "path") != "" {
		path, err := absolute(text(d.Options, "path"))
		if err != nil {
			return nil, err
		}
		dir, file = splitStatePath(path)
		exclusive = []string{"state " + filepath.Join(dir, file)}
	}
	class, _ := m["class"].(*script.Class)
	// Whose state it is becomes known with its engine.
	place := state.Options{Dir: dir, File: file}
	params := state.Params(place, p.opt.DryRun)
	params["memory"] = dir == ""
	declaration := topology.Declaration{Name: text(m, "name"), Worker: state.Kind, Backend: worker.Backend(text(m, "backend")),
		Params: params, Exclusive: exclusive, Late: dir != "" && !place.Exists()}
	if declaration.Class = scriptClass(class); declaration.Class != "" {
		var err error
		if params["args"], err = plainOf(wire.Map{"name": m["name"], "endpoint": d.Options}); err != nil {
			return nil, err
		}
	}
	if m["controllers"] != nil {
		return nil, fault.New(fault.Config, "", "a state has no controllers").WithHint("extend api.StateRepository")
	}
	made, err := p.topology.StateManager(declaration)
	if err != nil {
		return nil, err
	}
	return &manager{Manager: made}, nil
}

// declareEngine makes the manager of an engine.
func (p *program) declareEngine(m wire.Map) (*manager, error) {
	far, near, kept := m["far"].(*manager), m["near"].(*manager), m["state"].(*manager)
	policy, err := policyOf(m)
	if err != nil {
		return nil, err
	}
	if policy.Undo.Path, err = undoPath(policy.Undo, kept.Spec().Params); err != nil {
		return nil, err
	}
	messages, err := messagesOf(m["messages"])
	if err != nil {
		return nil, err
	}
	scope, err := scopeOf(far.scope, near.scope, m["folders"], m["messages"])
	if err != nil {
		return nil, err
	}
	if kept.owner != "" {
		return nil, fault.New(fault.Config, "", "engines %q and %q cannot share the state %q", kept.owner, text(m, "name"), kept.Name()).
			WithHint("declare a state for each engine")
	}
	selection, err := selectionOf(m)
	if err != nil {
		return nil, err
	}
	class, _ := m["class"].(*script.Class)
	params := engine.Params{
		Policy: policy, Messages: messages, Scope: scope, Convert: class != nil && isBelow(class, classConvertEngine),
		DryRun: p.opt.DryRun, Job: p.opt.Job, Args: p.argsOf(p.accountOf(m)), Once: p.onceOf(p.accountOf(m)), Lanes: min(far.lanes, near.lanes, 4), Select: selection,
		Attempts: max(far.attempts, near.attempts), Timing: p.opt.Timing != nil,
	}.Map()
	declaration := topology.Declaration{
		Name: text(m, "name"), Worker: engine.Kind, Backend: worker.Backend(text(m, "backend")), Params: params,
		Channels: map[string]*topology.Manager{
			engine.ChannelFar: far.Manager, engine.ChannelNear: near.Manager, engine.ChannelState: kept.Manager,
		},
	}
	if declaration.Class = scriptClass(class); declaration.Class != "" {
		if params["args"], err = plainOf(engineArgs(m)); err != nil {
			return nil, err
		}
	}
	made, err := p.topology.EngineManager(declaration)
	if err != nil {
		return nil, err
	}
	// The state belongs to these two sides from its first run on. Nothing was
	// started yet, so its params are still ours.
	kept.owner = made.Name()
	whose := state.Params(state.Options{Identity: state.Identity{Account: p.accountOf(m), Far: far.place.Place, Near: near.place.Place}}, p.opt.DryRun)
	for _, name := range []string{"account", "far", "near"} {
		kept.Spec().Params[name] = whose[name]
	}
	return &manager{Manager: made}, nil
}

func (p *program) declareLogger(m wire.Map) (*manager, error) {
	class, _ := m["class"].(*script.Class)
	params := wire.Map{"level": m["level"], "file": m["file"], "format": m["format"]}
	declaration := topology.Declaration{Name: text(m, "name"), Worker: kindLogger, Class: scriptClass(class), Params: params}
	if declaration.Class != "" {
		params["args"] = wire.Map{"level": m["level"], "file": m["file"], "format": m["format"]}
	}
	made, err := p.topology.LoggerManager(declaration)
	if err != nil {
		return nil, err
	}
	return &manager{Manager: made}, nil
}

func (p *program) declareWorker(m wire.Map) (*manager, error) {
	class := m["class"].(*script.Class)
	args, err := plainOf(m["opts"])
	if err != nil {
		return nil, err
	}
	loops := class.Overrides("run")
	declaration := topology.Declaration{
		Name: text(m, "name"), Worker: kindWorker, Class: scriptClass(class), Backend: worker.Backend(text(m, "backend")),
		Params: wire.Map{"args": args, "loops": loops}, Channels: map[string]*topology.Manager{}, Receives: loops,
	}
	channels, _ := m["channels"].(wire.Map)
	for own, v := range channels {
		declaration.Channels[own] = v.(*manager).Manager
	}
	made, err := p.topology.WorkerManager(declaration)
	if err != nil {
		return nil, err
	}
	return &manager{Manager: made}, nil
}
