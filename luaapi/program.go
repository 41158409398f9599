package luaapi

import (
	"context"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/topology"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// program is a run of an app as its main script sees it: what was declared, what
// was started, and how it ends. The main script runs on one goroutine; the
// scheduler of accounts has goroutines of its own.
type program struct {
	opt      RunOptions
	state    *script.State
	topology *topology.Topology
	master   *topology.Master // nil: only the declarations count
	onExit   *script.Func
	accounts []*account
	jobs     int
	reports  *reports

	questions chan question // for on_exit, answered by the main goroutine
	over      chan struct{} // closed when main has returned

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced by change
	pending  int           // accounts that wait, run or are being stopped
	failures []failure     // to be read by ctx:errors
	failed   []error       // all of them
	running  int
	waiting  []*account
	tasks    worker.Group
	started  []*topology.Manager // in a run that only declares
}

// failure is what an account could not do.
type failure struct{ err *fault.Error }

// question asks the main script what to do about a worker that ended.
type question struct {
	exit  worker.Exit
	reply chan topology.Decision
}

// account is an account of the app that was selected for this run.
type account struct {
	program  *program
	def      *script.Def
	name     string
	folders  []string // the only ones to look into; nil: all
	managers []*manager
	synced   bool
}

// programOf returns the program of the main script.
func programOf(L *lua.LState) *program {
	p, ok := script.From(L).Host().(*program)
	if !ok {
		script.Raise(L, fault.New(fault.Config, "", "this can be used in main(ctx) only"))
	}
	return p
}

func newProgram(opt RunOptions) *program {
	return &program{
		opt: opt, topology: topology.NewTopology(), jobs: defaultJobs,
		reports:   &reports{onEvent: opt.OnEvent, byWorker: map[string]wire.Map{}},
		questions: make(chan question), over: make(chan struct{}), changed: make(chan struct{}),
	}
}

// change wakes everybody who waits for the accounts. The lock is held.
func (p *program) change() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// decide is the master's question about a worker that failed. It is put to the
// main script, which answers while it waits for something.
func (p *program) decide(exit worker.Exit) topology.Decision {
	if p.onExit == nil {
		return topology.Default
	}
	q := question{exit: exit, reply: make(chan topology.Decision, 1)}
	select {
	case p.questions <- q:
		select {
		case d := <-q.reply:
			return d
		case <-p.over:
		}
	case <-p.over:
	}
	return topology.Default
}

// blocking runs do, which may wait, on another goroutine, and meanwhile answers
// the master's questions on the goroutine of the main script.
func (p *program) blocking(L *lua.LState, do func(ctx context.Context) error) error {
	ctx := script.Context(L)
	done := make(chan error, 1)
	var group worker.Group
	group.Go("wait for the run", func() error {
		done <- worker.Guard("wait for the run", func() error { return do(ctx) })
		return nil
	})
	for {
		select {
		case q := <-p.questions:
			q.reply <- p.ask(L, q.exit)
		case err := <-done:
			_ = group.Wait()
			return err
		}
	}
}

// ask calls on_exit. What it raises is logged: the master decides then.
func (p *program) ask(L *lua.LState, exit worker.Exit) topology.Decision {
	e := L.CreateTable(0, 2)
	e.RawSetString("worker", lua.LString(exit.Worker))
	e.RawSetString("error", script.ErrorValue(L, exit.Err))
	results, err := p.onExit.Call(L, 1, e)
	if err != nil {
		p.state.Log().Error("on_exit failed", "error", err)
		return topology.Default
	}
	switch d, _ := results[0].(lua.LString); topology.Decision(d) {
	case topology.Stop, topology.Restart, topology.Go:
		return topology.Decision(d)
	}
	if results[0] != lua.LNil {
		p.state.Log().Error("on_exit returned "+show(results[0])+", not \"stop\", \"restart\", \"go\" or nil", "at", p.onExit.At())
	}
	return topology.Default
}

// plainOf returns what a class's init is given.
func plainOf(v any) (wire.Value, error) { return script.Plain(v) }
