package worker

import (
	"maps"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
)

// CheckGraph reports whether calls between workers can never wait for each
// other in a circle: every name is unique, every channel leads to one of the
// specs, and no chain of channels comes back to where it began. The error has
// the code fault.Config and names the workers.
func CheckGraph(specs []Spec) error {
	known := map[string]Spec{}
	for _, s := range specs {
		if err := checkName(s.Name); err != nil {
			return err
		}
		if _, twice := known[s.Name]; twice {
			return fault.New(fault.Config, "", "two workers are named %q", s.Name)
		}
		known[s.Name] = s
	}
	checked := map[string]bool{}
	for _, s := range specs {
		if err := checkFrom(s.Name, nil, known, checked); err != nil {
			return err
		}
	}
	return nil
}

func checkFrom(name string, path []string, known map[string]Spec, checked map[string]bool) error {
	if at := slices.Index(path, name); at >= 0 {
		circle := strings.Join(append(slices.Clone(path[at:]), name), " -> ")
		return fault.New(fault.Config, "", "workers call each other in a circle: %s", circle).
			WithHint("calls go one way; what goes upward is an event")
	}
	if checked[name] {
		return nil
	}
	path = append(path, name)
	channels := known[name].Channels
	for _, own := range slices.Sorted(maps.Keys(channels)) {
		target := channels[own]
		if _, ok := known[target]; !ok {
			return fault.New(fault.Config, "", "channel %q of worker %q leads to %q, which is not there", own, name, target).
				WithHint("declare and start %q before %q", target, name)
		}
		if err := checkFrom(target, path, known, checked); err != nil {
			return err
		}
	}
	checked[name] = true
	return nil
}

// checkName refuses what could be taken for the name of a spawned worker.
func checkName(name string) error {
	if name == "" {
		return fault.New(fault.Config, "", "a worker without a name")
	}
	if strings.ContainsAny(name, "/\n\r\x00") {
		return fault.New(fault.Config, "", "a worker cannot be named %q", name).WithHint("use a name without a slash")
	}
	return nil
}
