package imap

import "sync"

// facts is what a Driver remembers of folders, whichever session learned it.
type facts struct {
	mu      sync.Mutex
	folders map[string]fact
}

// fact is what the latest SELECT of a folder told.
type fact struct {
	epoch string
	flags permanentFlags
}

func (f *facts) of(folder string) (fact, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fact, ok := f.folders[folder]
	return fact, ok
}

func (f *facts) learn(folder string, learned fact) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.folders == nil {
		f.folders = map[string]fact{}
	}
	f.folders[folder] = learned
}

func (f *facts) forget(folder string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.folders, folder)
}
