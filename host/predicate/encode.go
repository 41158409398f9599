package predicate

import (
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// maxDepth is how deep a tree may be nested. As a value it is twice as deep, a
// node being a map with a list in it, and wire.MaxDepth must leave room for what
// is around it. Chains are flat, so people do not get here.
const maxDepth = 25

// Encode returns the tree as a value that may cross a channel: maps with a list
// of arguments, and nothing that is empty.
func (e *Expr) Encode() map[string]any {
	out := map[string]any{"op": string(e.Op)}
	put := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}
	put("name", e.Name)
	put("text", e.Match.Substring)
	put("re", e.Match.Regexp)
	put("at", e.At)
	if e.N != 0 {
		out["n"] = e.N
	}
	if !e.Keys.Empty() {
		out["keys"] = e.Keys
	}
	if len(e.Args) > 0 {
		args := make([]any, len(e.Args))
		for i, arg := range e.Args {
			args[i] = arg.Encode()
		}
		out["args"] = args
	}
	return out
}

// Decode reads what Encode wrote, and checks it as Compile does.
func Decode(v any) (*Expr, error) {
	e, err := decode(v, 0)
	if err != nil {
		return nil, err
	}
	return e, e.check(0)
}

func decode(v any, depth int) (*Expr, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, malformed("a %T is no expression", v)
	}
	if depth > maxDepth {
		return nil, tooDeep()
	}
	var e Expr
	var op string
	for name, to := range map[string]*string{"op": &op, "name": &e.Name, "text": &e.Match.Substring,
		"re": &e.Match.Regexp, "at": &e.At} {
		if value, there := m[name]; there {
			if *to, ok = value.(string); !ok {
				return nil, malformed("%q is a %T", name, value)
			}
		}
	}
	e.Op = Op(op)
	if value, there := m["n"]; there {
		if e.N, ok = value.(int64); !ok {
			return nil, malformed("the number is a %T", value)
		}
	}
	if value, there := m["keys"]; there {
		if e.Keys, ok = value.(mail.KeySet); !ok {
			return nil, malformed("the keys are a %T", value)
		}
	}
	if value, there := m["args"]; there {
		list, ok := value.([]any)
		if !ok {
			return nil, malformed("the arguments are a %T", value)
		}
		for _, one := range list {
			arg, err := decode(one, depth+1)
			if err != nil {
				return nil, err
			}
			e.Args = append(e.Args, arg)
		}
	}
	return &e, nil
}

func malformed(format string, args ...any) error {
	return fault.New(fault.Config, "read a predicate", format, args...)
}

func tooDeep() error {
	return malformed("it is nested more than %d levels deep", maxDepth)
}
