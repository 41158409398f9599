package topology

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/worker"
)

// Graph is a topology as data: who there is, where it runs, and who calls whom.
type Graph struct {
	Nodes []Node
	Edges []Edge
}

// Node is a worker.
type Node struct {
	Name    string
	Kind    Kind
	Class   string // script class, empty for the Go one
	Backend worker.Backend
}

// Edge is a channel.
type Edge struct {
	From, To string
	Channel  string // the caller's own name for it
}

// NewGraph returns the graph of managers, in their order. Params are not in it.
func NewGraph(managers []*Manager) Graph {
	var g Graph
	for _, m := range managers {
		g.Nodes = append(g.Nodes, Node{m.Name(), m.kind, m.spec.Class, m.spec.Backend})
		for _, own := range slices.Sorted(maps.Keys(m.spec.Channels)) {
			g.Edges = append(g.Edges, Edge{From: m.Name(), To: m.spec.Channels[own], Channel: own})
		}
	}
	return g
}

// split returns the nodes of the main process, and those with a process of
// their own, with their place in g.Nodes.
func (g Graph) split() (here, apart []int) {
	for i, n := range g.Nodes {
		if n.Backend == worker.Process {
			apart = append(apart, i)
		} else {
			here = append(here, i)
		}
	}
	return here, apart
}

// label says what a node is, a line each.
func (n Node) label() []string {
	lines := []string{n.Name, string(n.Kind)}
	if n.Class != "" {
		lines = append(lines, n.Class)
	}
	if n.Backend != worker.Goroutine {
		lines = append(lines, string(n.Backend))
	}
	return lines
}

func (g Graph) id(name string) string {
	return fmt.Sprintf("n%d", slices.IndexFunc(g.Nodes, func(n Node) bool { return n.Name == name }))
}

// Mermaid returns the graph as a Mermaid flowchart: what runs in the main
// process is in one box, each child process in its own.
func (g Graph) Mermaid() string {
	var b strings.Builder
	quote := func(lines ...string) string {
		text := strings.Join(lines, "\n")
		return `"` + strings.NewReplacer(`&`, "#amp;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "\n", "<br/>").Replace(text) + `"`
	}
	box := func(id, title string, nodes ...int) {
		fmt.Fprintf(&b, "  subgraph %s[%s]\n", id, quote(title))
		for _, i := range nodes {
			fmt.Fprintf(&b, "    n%d[%s]\n", i, quote(g.Nodes[i].label()...))
		}
		b.WriteString("  end\n")
	}
	b.WriteString("flowchart TD\n")
	here, apart := g.split()
	box("main", "main process", here...)
	for _, i := range apart {
		box(fmt.Sprintf("p%d", i), "child process", i)
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "  %s -->|%s| %s\n", g.id(e.From), quote(e.Channel), g.id(e.To))
	}
	return b.String()
}

// DOT returns the graph in the language of Graphviz.
func (g Graph) DOT() string {
	var b strings.Builder
	quote := func(lines ...string) string {
		text := strings.Join(lines, "\n")
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
	}
	box := func(id, title string, nodes ...int) {
		fmt.Fprintf(&b, "  subgraph cluster_%s {\n    label=%s\n", id, quote(title))
		for _, i := range nodes {
			fmt.Fprintf(&b, "    n%d [label=%s]\n", i, quote(g.Nodes[i].label()...))
		}
		b.WriteString("  }\n")
	}
	b.WriteString("digraph topology {\n  node [shape=box]\n")
	here, apart := g.split()
	box("main", "main process", here...)
	for _, i := range apart {
		box(fmt.Sprintf("p%d", i), "child process", i)
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "  %s -> %s [label=%s]\n", g.id(e.From), g.id(e.To), quote(e.Channel))
	}
	b.WriteString("}\n")
	return b.String()
}
