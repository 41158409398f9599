package script

import (
	"context"
	"fmt"
	"io/fs"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script/syntax"
)

// Module is a module the host offers to scripts ("imapfw.api",
// "imapfw.core.x", "imapfw.test"). Nothing can shadow it.
type Module struct {
	Name string
	// Open builds the module's value in a state, at the first require there.
	// It runs on the state's owner and may raise. A table is frozen: writing to
	// it raises "subclass it".
	Open func(s *State, L *lua.LState) lua.LValue
}

// Config says what a bundle is made of.
type Config struct {
	App      string   // path of the app: a file, or a folder with init.lua
	AppFS    fs.FS    // where App lies (slash-separated); nil for the machine's files
	User     string   // the user's folder, with contrib/ and apps/; "" for none
	Embedded fs.FS    // shipped scripts, with contrib/ and apps/; nil for none
	Modules  []Module // host modules, an explicit list
	// Grants holds the powers given to contrib scripts, by their name.
	// Modules of the app and the user have every power, shipped contrib what
	// its manifest needs.
	Grants map[string][]string
	// Compat is the imapfilter mode: globals are free, the top level is the
	// program and runs in phase Main, package.path is honoured.
	Compat bool
	State  Options // for the throw-away state
}

// Bundle is the frozen set of modules an app consists of: sources, and
// prototypes shared between the states of a process. It is safe for use by
// several goroutines.
type Bundle struct {
	app     string // module name
	compat  bool
	modules []Module

	mu       sync.Mutex // guards what follows until frozen is set
	frozen   bool
	resolver *resolver
	sources  []*source // in order of loading; the first is the app's file
	files    map[string][]byte
	defs     []Definition
}

// source is one module: its text and what it may do.
type source struct {
	Name    string
	File    string // as shown in messages; unique in the bundle
	Code    []byte
	Contrib string   // name of the contrib script it belongs to, or ""
	Powers  []string // of a contrib script
	proto   *lua.FunctionProto
}

// maxSource bounds what is compiled: the compiler recurses.
const maxSource = 1 << 20

// compile makes the prototype, which is immutable and shared by states.
func (src *source) compile() error {
	if len(src.Code) > maxSource {
		return (&fault.Error{Code: fault.Config, At: src.File + ":1", Message: fmt.Sprintf("this file is longer than %d KiB", maxSource>>10)}).
			WithHint("keep data in a file of its own and read it with api.lines")
	}
	chunk, err := syntax.Parse(src.File, src.Code)
	if err != nil {
		return err
	}
	src.proto, err = chunk.Compile()
	return err
}

// Load runs the app's top level in a throw-away state, which resolves its
// modules, and freezes the result: a module that was not required then cannot
// be required later.
func Load(ctx context.Context, cfg Config) (*Bundle, error) {
	r, main, err := newResolver(cfg)
	if err != nil {
		return nil, err
	}
	b := &Bundle{
		app: main.Name, compat: cfg.Compat, modules: cfg.Modules, resolver: r,
		sources: []*source{main}, files: map[string][]byte{},
	}
	if err := main.compile(); err != nil {
		return nil, err
	}
	if !cfg.Compat {
		s := newState(b, cfg.State)
		defer s.Close()
		if err := s.evaluate(ctx); err != nil {
			return nil, err
		}
		b.defs = s.Definitions()
		b.mu.Lock()
		b.frozen, b.resolver = true, nil
		b.mu.Unlock()
	}
	return b, nil
}

// App returns the app's module name: the base name of its file or folder.
func (b *Bundle) App() string { return b.app }

// File returns the app's file as shown in messages.
func (b *Bundle) File() string { return b.appFile() }

func (b *Bundle) appFile() string { return b.sources[0].File }

// Definitions returns what the top level defined in the throw-away state.
func (b *Bundle) Definitions() []Definition { return b.defs }

// Source is one module of a bundle.
type Source struct {
	Name string // "imapfw.contrib.tidy"
	File string // as shown in messages
	Text string
}

// Sources lists the modules in order of loading, the app's file first.
func (b *Bundle) Sources() []Source {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Source, len(b.sources))
	for i, src := range b.sources {
		list[i] = Source{src.Name, src.File, string(src.Code)}
	}
	return list
}

// Doubts finds what compiles in the modules but most likely means something
// else; see syntax.Doubts.
func (b *Bundle) Doubts() []*fault.Error {
	var all []*fault.Error
	for _, src := range b.Sources() {
		all = append(all, syntax.Doubts(src.File, []byte(src.Text))...)
	}
	return all
}

// NewState makes a state and evaluates the app's top level in it, in the define
// phase, then switches to opts.Phase. It checks that the definitions are those
// of the throw-away state. The caller closes it.
func (b *Bundle) NewState(ctx context.Context, opts Options) (*State, error) {
	s := newState(b, opts)
	if err := s.evaluate(ctx); err != nil {
		s.Close()
		return nil, err
	}
	if !b.compat {
		if err := CompareDefinitions(b.appFile(), b.defs, s.Definitions(), opts.Worker); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// evaluate opens the state, runs the top level and goes on to the next phase.
func (s *State) evaluate(ctx context.Context) error {
	return s.Do(ctx, func(L *lua.LState) error {
		s.open(L)
		main := s.bundle.sources[0]
		s.loading = append(s.loading, main.Name)
		results, err := s.Call(L, L.NewFunctionFromProto(main.proto), 1, lua.LString(main.Name))
		s.loading = nil
		if err := s.mistakes(err); err != nil {
			return err
		}
		s.result = results[0]
		s.loaded[main.Name] = s.result
		if s.bundle.compat {
			return nil
		}
		if err := s.define(s.result); err != nil {
			return err
		}
		s.phase = s.opts.Phase
		return nil
	})
}

// byFile finds the module with a file name as shown in messages.
func (b *Bundle) byFile(file string) *source {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, src := range b.sources {
		if src.File == file {
			return src
		}
	}
	return nil
}

// chunk parses a module again, to explain a mistake in it. nil when it is not
// one of the bundle's.
func (b *Bundle) chunk(file string) *syntax.Chunk {
	src := b.byFile(file)
	if src == nil {
		return nil
	}
	chunk, err := syntax.Parse(src.File, src.Code)
	if err != nil {
		return nil
	}
	return chunk
}
