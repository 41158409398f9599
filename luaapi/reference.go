package luaapi

import (
	"fmt"
	"strings"

	"github.com/imapfw/imapfw/host/script"
)

// Reference returns the reference page of the api, in Markdown. It is made of
// the same declarations as the api.
func Reference() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# The Lua api of imapfw")
	line("")
	line("`local api = require \"imapfw.api\"`. This page is generated from the declarations of the api: do not edit it.")
	line("")
	line("Sizes are numbers or `\"200k\"`, `\"20M\"`, `\"1G\"`; ages are `\"30s\"`, `\"15m\"`, `\"2h\"`, `\"30d\"`, `\"8w\"`, `\"2y\"`.")
	line("Where a function may be called: *top* is the top level of a file, which only defines and is evaluated again in every worker;")
	line("*main* is `main(ctx)`; *worker* is a method or a hook. No mark means anywhere. *Needs* is what a contrib script must be granted.")
	line("")
	line("# Constructors and their options")
	line("")
	for _, t := range Tables() {
		line("%s", t.Markdown())
	}
	line("# Functions")
	line("")
	line("| function | returns | meaning |")
	line("|---|---|---|")
	for _, f := range functions() {
		line("| `api.%s` | %s | %s%s%s |", f.signature(), cell(f.returns), cell(f.doc), phases(f.in), f.powers())
	}
	line("")
	line("| name | type | meaning |")
	line("|---|---|---|")
	for _, v := range values() {
		line("| `api.%s` | %s | %s |", v.name, cell(v.kind), cell(v.doc))
	}
	line("")
	line("# Classes")
	line("")
	line("`local Mine = api.X:extend \"Mine\"` at the top level; `Mine.super.method(self, ...)` calls what it overrides.")
	line("Of overridden methods, nil means as it is, a value replaces, false drops, and an error means that this item failed.")
	line("")
	for _, c := range classes() {
		line("## `api.%s`", c.name)
		line("")
		if c.base != "" {
			line("Extends `api.%s`. %s", c.base, c.doc)
		} else {
			line("%s", c.doc)
		}
		line("")
		if len(c.methods) > 0 {
			methodTable(line, c.methods)
		}
	}
	line("# Objects")
	line("")
	for _, d := range append(definitionDocs(), errorDoc()) {
		objectSection(line, d)
	}
	for _, o := range objects() {
		objectSection(line, o.docs())
	}
	return b.String()
}

func objectSection(line func(string, ...any), d objectDoc) {
	line("## %s", d.name)
	line("")
	line("%s", d.doc)
	line("")
	if len(d.fields) > 0 {
		line("| field | type | meaning |")
		line("|---|---|---|")
		for _, f := range d.fields {
			line("| `%s` | %s | %s |", f.name, cell(f.kind), cell(f.doc))
		}
		line("")
	}
	if len(d.methods) > 0 {
		methodTable(line, d.methods)
	}
}

func methodTable(line func(string, ...any), methods []function) {
	line("| method | returns | meaning |")
	line("|---|---|---|")
	for _, m := range methods {
		line("| `%s` | %s | %s%s |", m.signature(), cell(m.returns), cell(m.doc), m.powers())
	}
	line("")
}

// powers tells what a contrib script must have been granted.
func (f function) powers() string {
	if f.power == "" {
		return ""
	}
	return " Needs `" + f.power + "`."
}

// phases tells where a function may be called.
func phases(in script.Phase) string {
	var out []string
	for _, p := range []struct {
		phase script.Phase
		name  string
	}{{script.Define, "*top*"}, {script.Main, "*main*"}, {script.Work, "*worker*"}} {
		if in&p.phase != 0 {
			out = append(out, p.name)
		}
	}
	if len(out) == 0 {
		return ""
	}
	return " " + strings.Join(out, ", ") + "."
}

func cell(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "|", `\|`), "\n", " ") }
