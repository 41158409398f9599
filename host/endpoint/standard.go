package endpoint

import (
	"context"
	"log/slog"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// Functions run the functions of a script by their ids. A nil one has none.
type Functions struct {
	Rename  naming.Call
	Folder  func(ctx context.Context, id string, f mail.Folder) (bool, error)
	Message func(ctx context.Context, id string, v *predicate.View) (bool, error)
}

// Standard returns the builders of the controllers of this package, by the kinds
// that Controller names, with their options:
//
//	nametrans  rename: naming.Encode
//	filter     folders: list of patterns, or folders_fn: id; messages: predicate
//	dry_run    (tells what it would do with the event "would")
//	trace      level: "debug" (default), "info"
//	throttle   octets, calls: per second, for each Store that is built: in front of
//	           a repository it is one rate for all of its endpoints
//	retry      tries; wait, most: milliseconds
//	fake       script: list of {op, folder, key, skip, times, delay, code, text, temporary, after, cut}
//
// A chain is read from outside: a filter that stands before nametrans sees near
// names, one behind it far names.
//
// functions finds those of the script a worker runs; it may be nil.
func Standard(functions func(env worker.Env) Functions) map[string]ControllerBuilder {
	of := func(env worker.Env) Functions {
		if functions == nil {
			return Functions{}
		}
		return functions(env)
	}
	return map[string]ControllerBuilder{
		"nametrans": func(env worker.Env, o wire.Map, inner driver.Store) (driver.Store, error) {
			steps, err := naming.Decode(o["rename"])
			if err != nil {
				return nil, err
			}
			rename, err := naming.NewRename(steps, of(env).Rename)
			if err != nil {
				return nil, err
			}
			return NameTrans(inner, rename), nil
		},
		"filter": func(env worker.Env, o wire.Map, inner driver.Store) (driver.Store, error) {
			options, err := filterOptions(o, of(env))
			if err != nil {
				return nil, err
			}
			return Filter(inner, options), nil
		},
		"dry_run": func(env worker.Env, _ wire.Map, inner driver.Store) (driver.Store, error) {
			return DryRun(inner, func(w WouldDo) {
				env.Emit("would", wire.Map{"op": w.Op, "folder": w.Folder, "to": w.To, "count": int64(w.Count), "octets": w.Octets})
			}), nil
		},
		"trace": func(env worker.Env, o wire.Map, inner driver.Store) (driver.Store, error) {
			f, level := read(o), slog.LevelDebug
			if text := f.text("level"); text != "" && f.err == nil {
				if err := level.UnmarshalText([]byte(text)); err != nil {
					return nil, fault.New(fault.Config, "trace", "%q is no level", text)
				}
			}
			return Trace(inner, env.Log, level), f.err
		},
		"throttle": func(_ worker.Env, o wire.Map, inner driver.Store) (driver.Store, error) {
			f := read(o)
			rate := NewRate(f.number("octets"), f.number("calls"))
			return Throttle(inner, rate), f.err
		},
		"retry": func(env worker.Env, o wire.Map, inner driver.Store) (driver.Store, error) {
			f := read(o)
			ms := func(name string) time.Duration { return time.Duration(f.int(name)) * time.Millisecond }
			options := RetryOptions{Tries: int(f.int("tries")), Wait: ms("wait"), Most: ms("most")}
			return RetryFor(env, inner, options), f.err
		},
		"fake": func(_ worker.Env, o wire.Map, inner driver.Store) (driver.Store, error) {
			script, err := mishaps(o)
			return Fake(inner, script...), err
		},
	}
}

// RetryFor is Retry in a worker: it logs what it waits for, and waits for nothing
// when the worker is to end.
func RetryFor(env worker.Env, inner driver.Store, o RetryOptions) driver.Store {
	o.Draining = env.Draining
	o.Waits = func(op Op, folder string, wait time.Duration, err error) {
		env.Log.Warn("trying again in "+wait.Round(100*time.Millisecond).String(), "op", string(op), "folder", folder, "error", err)
	}
	return Retry(inner, o)
}

func filterOptions(o wire.Map, fns Functions) (FilterOptions, error) {
	var out FilterOptions
	f := read(o)
	var patterns []string
	for _, v := range f.list("folders") {
		p, ok := v.(string)
		if !ok {
			return out, fault.New(fault.Config, "filter", "a pattern is a %T", v)
		}
		patterns = append(patterns, p)
	}
	id := f.text("folders_fn")
	if f.err != nil {
		return out, f.err
	}
	switch {
	case id != "" && fns.Folder == nil:
		return out, fault.New(fault.Config, "filter", "there is nobody to run its function")
	case id != "":
		out.Folders = func(ctx context.Context, folder mail.Folder) (bool, error) { return fns.Folder(ctx, id, folder) }
	case len(patterns) > 0:
		list, err := naming.ParsePatterns(patterns)
		if err != nil {
			return out, err
		}
		out.Folders = func(_ context.Context, folder mail.Folder) (bool, error) { return list.Selects(folder), nil }
	}
	if o["messages"] == nil {
		return out, nil
	}
	expr, err := predicate.Decode(o["messages"])
	if err != nil {
		return out, err
	}
	out.Messages, err = predicate.Compile(expr)
	if err == nil && out.Messages.HasFn() && fns.Message == nil {
		err = fault.New(fault.Config, "filter", "there is nobody to run its functions")
	}
	out.Call = fns.Message
	return out, err
}

func mishaps(o wire.Map) ([]Mishap, error) {
	f := read(o)
	var out []Mishap
	for _, v := range f.list("script") {
		m := read(v)
		out = append(out, Mishap{
			Op: Op(m.text("op")), Folder: m.text("folder"), Key: mail.Key(m.text("key")),
			Skip: int(m.int("skip")), Times: int(m.int("times")), Delay: time.Duration(m.int("delay")) * time.Millisecond,
			Code: fault.Code(m.text("code")), Text: m.text("text"), Temporary: m.bool("temporary"),
			After: m.bool("after"), Cut: m.int("cut"),
		})
		if m.err != nil {
			return nil, m.err
		}
	}
	return out, f.err
}

// number reads an integer or a float.
func (f *fields) number(name string) float64 {
	if n, ok := f.m[name].(int64); ok {
		return float64(n)
	}
	return field[float64](f, name)
}
