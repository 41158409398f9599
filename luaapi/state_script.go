package luaapi

import (
	"cmp"
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// loadBatch is how many rows of a script are handed out at once.
const loadBatch = 1000

// scriptedState is a state.Store some of whose methods a class in Lua overrides.
// What it does not override does not enter Lua.
type scriptedState struct {
	state.Store
	make   maker
	worker string
	log    *slog.Logger
	class  string
	args   wire.Value

	mu    sync.Mutex
	state *script.State
	inst  *script.Instance
	core  *stateCore
}

var _ state.Store = (*scriptedState)(nil)

// newState makes the worker of a state.
func (s *services) newState(env worker.Env) (worker.Worker, error) {
	opts, readOnly, err := state.ParseParams(env.Spec.Params)
	if err != nil {
		return nil, err
	}
	opts.Log = env.Log
	var store state.Store = state.New(opts)
	if inMemory, _ := env.Spec.Params["memory"].(bool); inMemory {
		store = state.NewMemory()
	}
	if readOnly {
		store = state.ReadOnly(store)
	}
	if env.Spec.Class != "" {
		store = &scriptedState{Store: store, make: s.newLuaState, worker: env.Spec.Name, log: env.Log,
			class: env.Spec.Class, args: env.Spec.Params["args"]}
	}
	return state.NewWorker(store), nil
}

// splitStatePath returns the folder and the file of a state.
func splitStatePath(path string) (dir, file string) {
	if strings.HasSuffix(path, ".db") {
		return filepath.Dir(path), filepath.Base(path)
	}
	return path, state.DefaultFile
}

func (s *scriptedState) Open(ctx context.Context) error {
	st, err := s.make(ctx, s.worker, s.log)
	if err != nil {
		return err
	}
	core := &stateCore{next: s.Store}
	var inst *script.Instance
	err = st.Do(ctx, func(L *lua.LState) (err error) {
		if inst, err = st.Instantiate(L, s.class, core, s.args); err != nil || !inst.Class().Overrides("open") {
			return err
		}
		if _, err = inst.Call(L, "open", 0); err == nil && !core.opened {
			err = s.mistake("open", "it did not call super.open(self), so the state is not open")
		}
		return err
	})
	if err == nil && !core.opened {
		err = s.Store.Open(ctx)
	}
	if err != nil {
		_ = s.Store.Close()
		st.Close()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.inst, s.core = st, inst, core
	return nil
}

func (s *scriptedState) Close() error {
	s.mu.Lock()
	st, inst := s.state, s.inst
	s.state = nil
	s.mu.Unlock()
	var err error
	if st != nil && inst.Class().Overrides("stop") {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		err = st.Do(ctx, func(L *lua.LState) error {
			_, err := inst.Call(L, "stop", 0)
			return err
		})
	}
	if closeErr := s.Store.Close(); err == nil {
		err = closeErr
	}
	if st != nil {
		st.Close()
	}
	return err
}

func (s *scriptedState) mistake(method, format string, args ...any) error {
	err := fault.New(fault.Script, method+" of "+s.class, format, args...)
	err.Worker = s.worker
	return err
}

// enter runs do inside the state where the class overrides the method.
func (s *scriptedState) enter(ctx context.Context, method string, do func(L *lua.LState, c *stateCore) error) (bool, error) {
	s.mu.Lock()
	st, inst, core := s.state, s.inst, s.core
	s.mu.Unlock()
	if st == nil || !inst.Class().Overrides(method) {
		return false, nil
	}
	return true, st.Do(ctx, func(L *lua.LState) error {
		core.loaded, core.change, core.committed = nil, nil, false
		return do(L, core)
	})
}

// Folders hands out the folders that the script returned, as the state has them.
func (s *scriptedState) Folders(ctx context.Context) ([]state.Folder, error) {
	folders, err := s.Store.Folders(ctx)
	if err != nil {
		return nil, err
	}
	_, err = s.enter(ctx, "folders", func(L *lua.LState, _ *stateCore) error {
		results, err := s.inst.Call(L, "folders", 1)
		kept, ok := results0(results).(*lua.LTable)
		if err != nil || results[0] == lua.LNil {
			return err
		}
		if !ok {
			return s.mistake("folders", "it returned a %s, no list", results[0].Type())
		}
		names := map[string]bool{}
		kept.ForEach(func(_, v lua.LValue) {
			if t, ok := v.(*lua.LTable); ok {
				names[lua.LVAsString(t.RawGetString("far"))] = true
			}
		})
		folders = slices.DeleteFunc(folders, func(f state.Folder) bool { return !names[f.Far] })
		return nil
	})
	return folders, err
}

func results0(results []lua.LValue) lua.LValue {
	if len(results) == 0 {
		return lua.LNil
	}
	return results[0]
}

func (s *scriptedState) Load(ctx context.Context, folder string, by state.Side, fn func([]state.Row) error) error {
	rows, entered, err := s.load(ctx, folder, by)
	if !entered {
		return s.Store.Load(ctx, folder, by, fn)
	}
	if err != nil {
		return err
	}
	for part := range slices.Chunk(rows, loadBatch) {
		if err := fn(part); err != nil {
			return err
		}
	}
	return nil
}

// Find looks among the rows that the script hands out, where it does.
func (s *scriptedState) Find(ctx context.Context, folder string, wanted state.Wanted) (state.Found, error) {
	rows, entered, err := s.load(ctx, folder, state.Far)
	switch {
	case !entered:
		return s.Store.Find(ctx, folder, wanted)
	case err != nil:
		return state.Found{}, err
	}
	return wanted.Among(rows), nil
}

// load returns the rows of a folder in order, where the class overrides load.
func (s *scriptedState) load(ctx context.Context, folder string, by state.Side) (rows []state.Row, entered bool, err error) {
	entered, err = s.enter(ctx, "load", func(L *lua.LState, c *stateCore) error {
		results, err := s.inst.Call(L, "load", 1, lua.LString(folder), lua.LString(by.String()))
		if err != nil {
			return err
		}
		list, ok := results[0].(*lua.LTable)
		switch {
		case results[0] == lua.LNil:
			rows = c.loaded
			return nil
		case !ok:
			return s.mistake("load", "it returned a %s, no list of rows", results[0].Type())
		}
		for i := 1; i <= list.Len(); i++ {
			row, err := rowOf(list.RawGetInt(i))
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	slices.SortFunc(rows, func(a, b state.Row) int {
		return cmp.Or(cmp.Compare(a.Key(by), b.Key(by)), cmp.Compare(a.ID, b.ID))
	})
	return rows, entered, err
}

func (s *scriptedState) Commit(ctx context.Context, folder string, change *state.Change) error {
	entered, err := s.enter(ctx, "commit", func(L *lua.LState, c *stateCore) error {
		c.change = change
		_, err := s.inst.Call(L, "commit", 0, lua.LString(folder), script.New(L, change))
		if err == nil && !c.committed {
			err = s.mistake("commit", "it did not call super.commit(self, folder, change), so nothing is recorded")
		}
		return err
	})
	if !entered {
		return s.Store.Commit(ctx, folder, change)
	}
	return err
}
