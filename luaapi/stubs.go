package luaapi

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Stubs returns the annotations for lua-language-server, which `imapfw
// editor-setup` installs. They are made of the same declarations as the api.
func Stubs() string {
	w := &stubWriter{seen: map[string]bool{}}
	w.line("---@meta imapfw.api")
	w.line("-- Annotations for `require \"imapfw.api\"`. Generated from the declarations of the api: do not edit.")
	w.line("")
	for _, a := range aliases() {
		w.line("---@alias %s", a)
	}
	w.line("")
	for _, t := range Tables() {
		w.blocks(t.Stub())
	}
	for _, d := range definitionDocs() {
		w.object(d)
	}
	for _, o := range objects() {
		w.object(o.docs())
	}
	w.object(errorDoc())
	for _, c := range classes() {
		w.class(c)
	}
	w.api()
	w.line("return api")
	return w.b.String()
}

// aliases are the types that several declarations share.
func aliases() []string {
	ops := make([]string, 0, 5)
	for _, op := range planOps() {
		ops = append(ops, fmt.Sprintf("%q", op))
	}
	return []string{
		"imapfw.Size integer|string  octets, or \"200k\", \"20M\", \"1G\"",
		"imapfw.Age number|string  seconds, or \"30s\", \"15m\", \"2h\", \"30d\", \"8w\", \"2y\"",
		"imapfw.PlanOp " + strings.Join(ops, "|"),
		"imapfw.Keys (integer|string)[]  UIDs, or names of files",
	}
}

// definitionDocs are what constructors return.
func definitionDocs() []objectDoc {
	return []objectDoc{
		{name: "Store", doc: "A definition of a place of mail."},
		{name: "Account", doc: "A definition of an account. A file that returns it is an app."},
		{name: "App", doc: "A definition of an app. A file returns it.", fields: []fieldDoc{
			{"main", "fun(ctx: imapfw.Context): integer?", "runs once, in the main worker"},
			{"on_exit", "fun(exit: imapfw.Exit): \"stop\"|\"restart\"|\"go\"|nil", "decides about a worker that failed"},
		}},
		{name: "Rename", doc: "One step from the far name of a folder to its near name, and back."},
		{name: "Exit", doc: "A worker that failed.", fields: []fieldDoc{
			{"worker", "string", "its name"}, {"error", "imapfw.Error", "why"},
		}},
	}
}

// errorDoc is the error that scripts catch and raise.
func errorDoc() objectDoc {
	text := func(name, doc string) fieldDoc { return fieldDoc{name, "string?", doc} }
	return objectDoc{name: "Error", doc: "What pcall returns, and ctx:errors() gives.", fields: []fieldDoc{
		{"code", "string", "its kind: \"auth\", \"network\", \"refused\", ..."},
		{"message", "string", "what happened"},
		{"temporary", "boolean", "trying again later may work"},
		{"final", "boolean", "this message will never be taken as it is"},
		text("op", "what was being done"), text("account", "in which account"), text("folder", "in which folder"),
		text("key", "with which message"), text("worker", "in which worker"), text("at", "file:line of the script"),
		text("hint", "what you can do"),
	}, methods: []function{
		{name: "wrap", params: "doing: string", returns: "imapfw.Error", doc: "The same error, saying what the script was doing."},
	}}
}

type stubWriter struct {
	b    strings.Builder
	seen map[string]bool
}

func (w *stubWriter) line(format string, args ...any) {
	w.b.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

var blockName = regexp.MustCompile(`(?m)^---@class ([\w.]+)`)

// blocks writes the classes of an option table that were not written before.
func (w *stubWriter) blocks(stub string) {
	for block := range strings.SplitSeq(strings.TrimSpace(stub), "\n\n") {
		m := blockName.FindStringSubmatch(block)
		if m == nil || w.seen[m[1]] {
			continue
		}
		w.seen[m[1]] = true
		w.line("%s\n", block)
	}
}

func (w *stubWriter) doc(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" {
			w.line("---%s", line)
		}
	}
}

func (w *stubWriter) object(o objectDoc) {
	w.doc(o.doc)
	w.line("---@class imapfw.%s", o.name)
	for _, f := range o.fields {
		name, kind := f.name, f.kind
		if optional, ok := strings.CutSuffix(kind, "?"); ok && !strings.Contains(kind, "(") {
			name, kind = name+"?", optional
		}
		w.line("---@field %s %s %s", name, kind, f.doc)
	}
	for _, op := range o.operators {
		w.line("---@operator %s", op)
	}
	w.methods(o.name, o.methods)
	w.line("")
}

// methods writes methods of a local table that carries the class above.
func (w *stubWriter) methods(owner string, methods []function) {
	if len(methods) == 0 {
		return
	}
	w.line("local %s = {}", owner)
	for _, m := range methods {
		w.function(owner+":", m)
	}
}

func (w *stubWriter) function(owner string, f function) {
	w.doc(f.doc)
	for _, p := range splitParams(f.params) {
		w.line("---@param %s %s", p.name, p.kind)
	}
	for _, r := range splitTop(f.returns) {
		w.line("---@return %s", r)
	}
	w.line("function %s%s end", owner, f.signature())
}

func (w *stubWriter) class(c class) {
	w.doc(c.doc)
	parent := ""
	if c.base != "" {
		parent = ": imapfw." + c.base
	}
	w.line("---@class imapfw.%s%s", c.name, parent)
	w.line("---@field super any")
	w.line("---@overload fun(%s): imapfw.%s", orDefault(c.params, "options?: table"), c.name)
	if c.base == "" {
		w.methods(c.name, append(slices.Clone(c.methods), function{
			name: "extend", params: "name: string", returns: "any", doc: "A class of your own, at the top level only. Its name is how workers find it.",
		}))
	}
	w.line("")
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// api writes the module: its classes and tables as fields, then its functions.
func (w *stubWriter) api() {
	groups := map[string]bool{}
	fields, methods := []string{}, []function{}
	for _, v := range values() {
		group, name, _ := strings.Cut(v.name, ".")
		groups[group] = true
		fields = append(fields, fmt.Sprintf("---@field %s %s %s", name, v.kind, v.doc))
	}
	w.line("---@class imapfw.Match")
	for _, f := range fields {
		w.line("%s", f)
	}
	w.line("local match = {}")
	w.line("")
	for _, f := range functions() {
		if group, _, ok := strings.Cut(f.name, "."); ok && !groups[group] {
			groups[group] = true
			w.line("local %s = {}", group)
		}
		methods = append(methods, f)
	}
	w.line("")
	w.line("---@class imapfw.Api")
	for _, c := range classes() {
		w.line("---@field %s imapfw.%s", c.name, c.name)
	}
	w.line("local api = {}")
	for _, f := range methods {
		if strings.Contains(f.name, ".") {
			w.function("", f)
		} else {
			w.function("api.", f)
		}
	}
	names := []string{}
	for group := range groups {
		names = append(names, group)
	}
	slices.Sort(names)
	for _, group := range names {
		w.line("api.%s = %s", group, group)
	}
}
