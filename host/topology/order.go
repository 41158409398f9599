package topology

import "slices"

// startOrder returns managers in the order in which they are started: as they
// are given, but for those that others have channels to, which come first.
func startOrder(managers []*Manager) []*Manager {
	var order []*Manager
	seen := map[*Manager]bool{}
	var visit func(m *Manager)
	visit = func(m *Manager) {
		if seen[m] {
			return
		}
		seen[m] = true
		for _, target := range m.channels {
			if slices.Contains(managers, target) {
				visit(target)
			}
		}
		order = append(order, m)
	}
	for _, m := range managers {
		visit(m)
	}
	return order
}

// startWaves returns managers in groups that may be started at the same time: a
// repository or state with those behind it, as long as none of them calls another or
// is to be started alone or late.
func startWaves(order []*Manager) [][]*Manager {
	stores := func(m *Manager) bool { return m.kind == RepositoryManager || m.kind == StateManager }
	var waves [][]*Manager
	for i, m := range order {
		last := len(waves) - 1
		if i > 0 && stores(m) && stores(order[i-1]) && !m.alone && !m.late && !order[i-1].alone &&
			!slices.ContainsFunc(m.channels, func(target *Manager) bool { return slices.Contains(waves[last], target) }) {
			waves[last] = append(waves[last], m)
			continue
		}
		waves = append(waves, []*Manager{m})
	}
	return waves
}

// stopRank is the order of the kinds. A state is stopped with the repositories: the
// engine has called all of them for the last time, and a server takes its time to say
// good-bye, as the disk does.
var stopRank = map[Kind]int{EngineManager: 0, WorkerManager: 1, RepositoryManager: 2, StateManager: 2, LoggerManager: 3}

// stopWaves returns managers in groups that may be stopped at the same time.
// Nobody is stopped before those who call it; among those who could be next,
// the kinds have their order. Within a group the youngest comes first.
func stopWaves(started []*Manager) [][]*Manager {
	left := slices.Clone(started)
	slices.Reverse(left)
	var waves [][]*Manager
	for len(left) > 0 {
		called := map[*Manager]bool{}
		for _, m := range left {
			for _, target := range m.channels {
				called[target] = true
			}
		}
		rank := len(stopRank)
		for _, m := range left {
			if !called[m] {
				rank = min(rank, stopRank[m.kind])
			}
		}
		next := func(m *Manager) bool { return !called[m] && stopRank[m.kind] == rank }
		var wave []*Manager
		for _, m := range left {
			if next(m) {
				wave = append(wave, m)
			}
		}
		left = slices.DeleteFunc(left, next)
		waves = append(waves, wave)
	}
	return waves
}
