package script

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/script/syntax"
	"github.com/imapfw/imapfw/host/wire"
)

// Manifest is a contrib.lua: data that is parsed, never run.
type Manifest struct {
	Name    string
	Version string
	API     int // the version of the api it is written for
	Summary string
	License string
	Author  string
	URL     string
	Needs   []string // powers
}

// powers are the kinds a manifest may ask for, and whether one takes a path.
var powers = map[string]bool{
	"net": false, "exec": false, "env": false, "secrets": false,
	"mail.read": false, "mail.write": false, "fs.read": true, "fs.write": true,
}

// maxManifest bounds a file that comes from strangers.
const maxManifest = 64 << 10

// ParseManifest reads a contrib.lua. Every mistake is told with its line.
func ParseManifest(file string, text []byte) (*Manifest, error) {
	if len(text) > maxManifest {
		return nil, &fault.Error{Code: fault.Config, At: file + ":1", Message: fmt.Sprintf("a manifest is at most %d KiB long", maxManifest>>10)}
	}
	fields, lines, err := syntax.Literal(file, text)
	if err != nil {
		return nil, err
	}
	p := manifestParser{file: file, lines: lines}
	m := &Manifest{}
	for _, name := range sortedKeys(fields) {
		p.field(m, name, fields[name])
	}
	for name, value := range map[string]string{"name": m.Name, "version": m.Version} {
		if _, given := fields[name]; !given || value == "" && len(p.mistakes) == 0 {
			p.fail("", "%q is missing", name)
		}
	}
	if m.Name != "" && (!moduleName.MatchString(m.Name) || strings.Contains(m.Name, ".")) {
		p.fail("name", "%q cannot be the name of a script: use letters, digits and _", m.Name)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return m, nil
}

type manifestParser struct {
	file     string
	lines    map[string]int
	mistakes []*fault.Error
}

func (p *manifestParser) fail(field, format string, args ...any) {
	line := max(p.lines[field], 1)
	p.mistakes = append(p.mistakes, &fault.Error{Code: fault.Config, At: fmt.Sprintf("%s:%d", p.file, line), Message: fmt.Sprintf(format, args...)})
}

func (p *manifestParser) err() error {
	slices.SortStableFunc(p.mistakes, func(a, b *fault.Error) int { return strings.Compare(a.At+a.Message, b.At+b.Message) })
	list := make([]error, len(p.mistakes))
	for i, m := range p.mistakes {
		list[i] = m
	}
	return Together(list)
}

func (p *manifestParser) field(m *Manifest, name string, v wire.Value) {
	texts := map[string]*string{"name": &m.Name, "version": &m.Version, "summary": &m.Summary,
		"license": &m.License, "author": &m.Author, "url": &m.URL}
	if to, ok := texts[name]; ok {
		if *to, ok = v.(string); !ok {
			p.fail(name, "%s must be a string", name)
		}
		return
	}
	switch name {
	case "api":
		n, ok := v.(int64)
		if !ok || n < 1 || n > 1000 {
			p.fail(name, "api must be the number of an api version")
			return
		}
		m.API = int(n)
	case "needs":
		list, ok := v.(wire.List)
		if !ok {
			p.fail(name, "needs must be a list of capabilities")
			return
		}
		for _, item := range list {
			p.need(m, item)
		}
	default:
		known := append(sortedKeys(texts), "api", "needs")
		hint := ""
		if near := syntax.Nearest(name, known); near != "" {
			hint = fmt.Sprintf(" (did you mean %q?)", near)
		}
		p.fail(name, "unknown field %q%s", name, hint)
	}
}

func (p *manifestParser) need(m *Manifest, item wire.Value) {
	text, _ := item.(string)
	kind, path, hasPath := strings.Cut(text, ":")
	takesPath, known := powers[kind]
	switch {
	case !known:
		p.fail("needs", "unknown capability %q; there are %s", fmt.Sprint(item), strings.Join(sortedKeys(powers), ", "))
	case takesPath != hasPath || takesPath && path == "":
		if takesPath {
			p.fail("needs", "%s needs a path: \"%s:/path\"", kind, kind)
		} else {
			p.fail("needs", "%s takes no path", kind)
		}
	default:
		m.Needs = append(m.Needs, text)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
