package options

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Help is the text of `imapfw help api.imap`.
func (t *Table) Help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s { ... }\n", t.Name)
	if t.Doc != "" {
		fmt.Fprintf(&b, "\n%s\n", t.Doc)
	}
	b.WriteString("\nOptions:\n")
	width := 0
	for _, o := range t.Options {
		width = max(width, len(o.Name))
	}
	for _, o := range t.Options {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, o.Name, o.Type.doc+o.condition())
		if o.Help != "" {
			fmt.Fprintf(&b, "  %-*s    %s\n", width, "", o.Help)
		}
	}
	for _, sub := range t.subs() {
		fmt.Fprintf(&b, "\n%s", sub.Help())
	}
	return b.String()
}

// condition tells whether an option is required, and its default.
func (o *Option) condition() string {
	switch {
	case o.Required:
		return ", required"
	case o.DefaultText != "":
		return ", default " + o.DefaultText
	case o.Default != nil:
		return ", default " + literal(o.Default)
	}
	return ""
}

// literal writes a default as a script would.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case time.Duration:
		return fmt.Sprintf("%q", ageText(v))
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = literal(item)
		}
		return "{" + strings.Join(items, ", ") + "}"
	case map[string]any:
		var items []string
		for k, item := range v {
			items = append(items, k+" = "+literal(item))
		}
		slices.Sort(items)
		return "{" + strings.Join(items, ", ") + "}"
	}
	return fmt.Sprint(v)
}

func ageText(d time.Duration) string {
	for _, unit := range []byte("ywdhms") {
		if each := ageUnits[unit]; d >= each && d%each == 0 {
			return fmt.Sprintf("%d%c", d/each, unit)
		}
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// subs lists the tables inside, each once.
func (t *Table) subs() []*Table {
	var all []*Table
	for _, o := range t.Options {
		for _, sub := range o.Type.subs {
			if sub != t && !slices.Contains(all, sub) {
				all = append(all, sub)
			}
		}
	}
	return all
}

// Markdown is the table's section of the reference page.
func (t *Table) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## `%s{}`\n\n", t.Name)
	if t.Doc != "" {
		fmt.Fprintf(&b, "%s\n\n", t.Doc)
	}
	b.WriteString("| option | type, default | meaning |\n|---|---|---|\n")
	for _, o := range t.Options {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", o.Name, cell(o.Type.doc+o.condition()), cell(o.Help))
	}
	for _, sub := range t.subs() {
		fmt.Fprintf(&b, "\n#%s", sub.Markdown())
	}
	return b.String()
}

func cell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "|", `\|`), "\n", " ")
}

// Stub is the annotation of the table for lua-language-server: the class of its
// options, those of the tables inside, and the function if it returns something.
func (t *Table) Stub() string {
	var b strings.Builder
	t.stub(&b, map[*Table]bool{})
	if t.Returns != "" {
		for _, line := range strings.Split(t.Doc, "\n") {
			fmt.Fprintf(&b, "---%s\n", line)
		}
		fmt.Fprintf(&b, "---@param options %s\n---@return %s\nfunction %s(options) end\n", t.Class, t.Returns, t.Name)
	}
	return b.String()
}

func (t *Table) stub(b *strings.Builder, done map[*Table]bool) {
	done[t] = true
	for _, sub := range t.subs() {
		if !done[sub] {
			sub.stub(b, done)
		}
	}
	fmt.Fprintf(b, "---@class %s\n", t.Class)
	for _, o := range t.Options {
		mark := "?"
		if o.Required {
			mark = ""
		}
		if o.Position > 0 {
			fmt.Fprintf(b, "---@field [%d]? %s same as %s\n", o.Position, o.Type.lua, o.Name)
		}
		text := strings.TrimPrefix(o.condition(), ", ")
		if o.Required {
			text = ""
		}
		if text != "" && o.Help != "" {
			text += "; "
		}
		fmt.Fprintf(b, "---@field %s%s %s %s\n", o.Name, mark, o.Type.lua, strings.ReplaceAll(text+o.Help, "\n", " "))
	}
	if t.Open {
		b.WriteString("---@field [string] any\n")
	}
	b.WriteString("\n")
}
