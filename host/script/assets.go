package script

import (
	"os"
	"path/filepath"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
)

// maxFile bounds a file read into a bundle: it goes to every child process.
const maxFile = 16 << 20

// ReadFile reads a text file at the top level of an app, once: the bundle keeps
// it, so that all states see the same. Relative paths are from the app's folder,
// "~/" is the user's home.
func (s *State) ReadFile(L *lua.LState, path, what string) ([]byte, error) {
	RequirePhase(L, Define, what)
	RequirePower(L, "fs.read:"+path, what)
	b := s.bundle
	b.mu.Lock()
	defer b.mu.Unlock()
	if text, ok := b.files[path]; ok {
		return text, nil
	}
	if b.frozen {
		return nil, fault.New(fault.Config, what, "%s was not read when the app was loaded", path).
			WithHint("did the top level depend on the time, math.random or the environment?")
	}
	file := path
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fault.Wrap(fault.IO, what, err)
		}
		file = filepath.Join(home, rest)
	} else if !filepath.IsAbs(path) {
		file = filepath.Join(filepath.Dir(b.sources[0].File), path)
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, fault.Wrap(fault.NotFound, what, err)
	case !info.Mode().IsRegular():
		return nil, fault.New(fault.Config, what, "%s is not a file", file)
	case info.Size() > maxFile:
		return nil, fault.New(fault.Config, what, "%s is longer than %d MiB", file, maxFile>>20)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.Wrap(fault.IO, what, err)
	}
	b.files[path] = text
	return text, nil
}
