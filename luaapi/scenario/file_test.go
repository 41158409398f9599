package scenario_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// file is one scenario as it is written.
type file struct {
	path   string
	blocks []*block
}

// block is a line at the margin, and the indented lines that belong to it.
// Comments and empty lines are blocks too, so that a file can be written back.
type block struct {
	line int // its number
	text string
	body []string
}

const indent = "    "

func readFile(path string) (*file, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := &file{path: path}
	for i, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		inner, indented := strings.CutPrefix(line, indent)
		switch {
		case indented && len(f.blocks) > 0 && f.blocks[len(f.blocks)-1].does():
			last := f.blocks[len(f.blocks)-1]
			last.body = append(last.body, inner)
		case indented, strings.HasPrefix(line, " "), strings.Contains(line, "\t"):
			return nil, fmt.Errorf("%s:%d: indent by four spaces, below what it belongs to", path, i+1)
		default:
			f.blocks = append(f.blocks, &block{line: i + 1, text: line})
		}
	}
	return f, nil
}

// does reports whether something happens in the block.
func (b *block) does() bool { return b.text != "" && !strings.HasPrefix(b.text, "#") }

// args returns the words of the line; a word may be in double quotes.
func (b *block) args() []string { return words(b.text) }

func words(text string) []string {
	var out []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		var word string
		if text[0] == '"' {
			word, text, _ = strings.Cut(text[1:], `"`)
		} else {
			word, text, _ = strings.Cut(text, " ")
		}
		out = append(out, word)
	}
	return out
}

// title is the first comment.
func (f *file) title() string {
	for _, b := range f.blocks {
		if text, ok := strings.CutPrefix(b.text, "# "); ok {
			return text
		}
	}
	return ""
}

// setting returns why the file says something about itself, such as "skip
// dovecot" or "not still"; empty when it does not.
func (f *file) setting(name string) string {
	for _, b := range f.blocks {
		if why, ok := strings.CutPrefix(b.text, name+":"); ok {
			return strings.TrimSpace(why)
		}
	}
	return ""
}

// skip returns why the scenario is not told over a driver; empty when it is.
func (f *file) skip(driver string) string {
	for _, d := range drivers {
		if why := f.setting("only " + d); why != "" && d != driver {
			return "only over " + d + ": " + why
		}
	}
	if why := f.setting("skip " + driver); why != "" {
		return why
	}
	if driver == "mixed" && f.setting("only mixed") == "" {
		return "no need"
	}
	return ""
}

// first is the first driver that the scenario is told over.
func (f *file) first() string {
	for _, driver := range drivers {
		if f.skip(driver) == "" {
			return driver
		}
	}
	return ""
}

func (f *file) String() string {
	var out strings.Builder
	for _, b := range f.blocks {
		fmt.Fprintln(&out, b.text)
		for _, line := range b.body {
			fmt.Fprintln(&out, strings.TrimRight(indent+line, " "))
		}
	}
	return out.String()
}

func (f *file) write() error { return os.WriteFile(f.path, []byte(f.String()), 0o644) }

// name is the scenario's name: its path below testdata.
func (f *file) name() string {
	rel, _ := filepath.Rel("testdata", f.path)
	return strings.TrimSuffix(filepath.ToSlash(rel), ".txt")
}

// files finds all the scenarios.
func files() ([]string, error) {
	var out []string
	err := filepath.WalkDir("testdata", func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".txt") {
			out = append(out, path)
		}
		return err
	})
	return out, err
}
