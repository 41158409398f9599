package script

import (
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// encodeVersion changes when the form of an encoded bundle does; both ends are
// the same binary, so it only guards against mistakes.
const encodeVersion = int64(1)

// Encode returns the bundle as a Value, for a child process. It holds sources,
// not prototypes, and no secrets but those written in them.
func (b *Bundle) Encode() wire.Value {
	b.mu.Lock()
	defer b.mu.Unlock()
	sources := make(wire.List, len(b.sources))
	for i, src := range b.sources {
		powers := make(wire.List, len(src.Powers))
		for n, p := range src.Powers {
			powers[n] = p
		}
		sources[i] = wire.Map{"name": src.Name, "file": src.File, "code": string(src.Code), "contrib": src.Contrib, "powers": powers}
	}
	defs := make(wire.List, len(b.defs))
	for i, d := range b.defs {
		defs[i] = wire.Map{"id": d.ID, "title": d.Title, "at": d.At, "digest": d.Digest}
	}
	files := make(wire.Map, len(b.files))
	for name, text := range b.files {
		files[name] = string(text)
	}
	return wire.Map{"version": encodeVersion, "app": b.app, "sources": sources, "definitions": defs, "files": files}
}

// Decode rebuilds a bundle in a child process. modules are the host modules,
// the same as in the parent.
func Decode(v wire.Value, modules []Module) (*Bundle, error) {
	m, _ := v.(wire.Map)
	if version, _ := m["version"].(int64); version != encodeVersion {
		return nil, fault.New(fault.Internal, "read script bundle", "unknown version %v", m["version"])
	}
	b := &Bundle{app: text(m, "app"), modules: modules, frozen: true, files: map[string][]byte{}}
	sources, _ := m["sources"].(wire.List)
	for _, item := range sources {
		s, _ := item.(wire.Map)
		src := &source{Name: text(s, "name"), File: text(s, "file"), Code: []byte(text(s, "code")), Contrib: text(s, "contrib")}
		powers, _ := s["powers"].(wire.List)
		for _, p := range powers {
			if p, ok := p.(string); ok {
				src.Powers = append(src.Powers, p)
			}
		}
		if err := src.compile(); err != nil {
			return nil, err
		}
		b.sources = append(b.sources, src)
	}
	if len(b.sources) == 0 {
		return nil, fault.New(fault.Internal, "read script bundle", "there is no source in it")
	}
	defs, _ := m["definitions"].(wire.List)
	for _, item := range defs {
		d, _ := item.(wire.Map)
		b.defs = append(b.defs, Definition{ID: text(d, "id"), Title: text(d, "title"), At: text(d, "at"), Digest: text(d, "digest")})
	}
	files, _ := m["files"].(wire.Map)
	for name := range files {
		b.files[name] = []byte(text(files, name))
	}
	return b, nil
}

func text(m wire.Map, key string) string {
	s, _ := m[key].(string)
	return s
}
