package naming

import (
	"github.com/imapfw/imapfw/host/fault"
)

// Encode returns steps as a value that may cross a channel: a list of maps.
func Encode(steps []Step) []any {
	out := make([]any, len(steps))
	for i, s := range steps {
		m := map[string]any{"kind": string(s.Kind)}
		put := func(name, value string) {
			if value != "" {
				m[name] = value
			}
		}
		put("prefix", s.Prefix)
		put("separator", s.Separator)
		put("to_near", s.ToNear)
		put("to_far", s.ToFar)
		if s.Names != nil {
			names := make(map[string]any, len(s.Names))
			for far, near := range s.Names {
				names[far] = near
			}
			m["names"] = names
		}
		out[i] = m
	}
	return out
}

// Decode reads what Encode wrote. It says nothing about whether the steps make
// sense; NewRename does.
func Decode(v any) ([]Step, error) {
	list, ok := v.([]any)
	if v == nil || ok && len(list) == 0 {
		return nil, nil
	}
	if !ok {
		return nil, malformed("is no list")
	}
	steps := make([]Step, len(list))
	for i, one := range list {
		m, ok := one.(map[string]any)
		if !ok {
			return nil, malformed("holds something that is no step")
		}
		var kind string
		for name, to := range map[string]*string{"kind": &kind, "prefix": &steps[i].Prefix,
			"separator": &steps[i].Separator, "to_near": &steps[i].ToNear, "to_far": &steps[i].ToFar} {
			if value, there := m[name]; there {
				if *to, ok = value.(string); !ok {
					return nil, malformed("has a " + name + " that is no text")
				}
			}
		}
		steps[i].Kind = Kind(kind)
		if value, there := m["names"]; there {
			names, ok := value.(map[string]any)
			if !ok {
				return nil, malformed("has names that are no map")
			}
			steps[i].Names = make(map[string]string, len(names))
			for far, near := range names {
				if steps[i].Names[far], ok = near.(string); !ok {
					return nil, malformed("has names that are no text")
				}
			}
		}
	}
	return steps, nil
}

func malformed(what string) error {
	return fault.New(fault.Internal, "decode renaming", "it %s", what)
}
