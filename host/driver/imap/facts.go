package imap

import (
	"maps"
	"sync"
)

// facts is what a Driver remembers of folders, whichever session learned it.
type facts struct {
	mu      sync.Mutex
	folders map[string]fact
	learns  map[string]int   // how often a folder was learned of
	limits  map[string]int64 // APPENDLIMIT, of folders that have one of their own
}

// fact is what the latest SELECT of a folder told, or an EXAMINE where there was none.
type fact struct {
	epoch  string
	flags  permanentFlags
	peeked bool // its flags were not told
}

// complete reports whether all is known.
func (f fact) complete() bool { return f.epoch != "" && !f.peeked }

func (f *facts) of(folder string) (fact, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fact, ok := f.folders[folder]
	return fact, ok
}

func (f *facts) learn(folder string, learned fact) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(folder, learned)
	if f.learns == nil {
		f.learns = map[string]int{}
	}
	f.learns[folder]++
}

// glimpse notes the epoch of a folder of which nothing is known.
func (f *facts) glimpse(folder, epoch string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.folders[folder]; !known {
		f.note(folder, fact{epoch: epoch, peeked: true})
	}
}

func (f *facts) note(folder string, known fact) {
	if f.folders == nil {
		f.folders = map[string]fact{}
	}
	f.folders[folder] = known
}

// learnt returns how often a folder was learned of.
func (f *facts) learnt(folder string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.learns[folder]
}

// forget forgets folders. Whoever has one selected selects it anew.
func (f *facts) forget(is func(folder string) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.folders, func(name string, _ fact) bool { return is(name) })
}

// limited notes the largest message that a folder takes; 0 is none.
func (f *facts) limited(folder string, limit int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.limits == nil {
		f.limits = map[string]int64{}
	}
	f.limits[folder] = limit
}

func (f *facts) limit(folder string) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.limits[folder]
}
