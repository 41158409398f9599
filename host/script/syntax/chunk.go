// Package syntax reads Lua sources for what a running state cannot tell: the
// line of a key in a table, the name of the value that was nil, the lines
// around a mistake, and tables that are data and must not be run.
package syntax

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"

	"github.com/imapfw/imapfw/host/fault"
)

// Chunk is one parsed source. It is immutable.
type Chunk struct {
	File  string // as shown in messages
	Stmts []ast.Stmt
	lines []string
}

// Parse parses a source, ready to be compiled: what gopher-lua compiles wrongly
// is written otherwise. Its error is a fault.Config that begins with file:line.
func Parse(file string, source []byte) (*Chunk, error) {
	source = skipShebang(source)
	stmts, err := parse.Parse(bytes.NewReader(source), file)
	if err != nil {
		return nil, syntaxError(file, source, err)
	}
	c := &Chunk{File: file, Stmts: stmts, lines: strings.Split(string(source), "\n")}
	if err := c.normalize(); err != nil {
		return nil, err
	}
	return c, nil
}

// skipShebang blanks a first line that is for the system ("#!/usr/bin/imapfw"),
// keeping the line numbers.
func skipShebang(source []byte) []byte {
	if !bytes.HasPrefix(source, []byte("#")) {
		return source
	}
	if i := bytes.IndexByte(source, '\n'); i >= 0 {
		return source[i:]
	}
	return nil
}

// syntaxError words an error of the parser: "work.lua:3: syntax error near 'x'".
func syntaxError(file string, source []byte, err error) error {
	var e *parse.Error
	if !errors.As(err, &e) {
		return &fault.Error{Code: fault.Config, At: file, Message: err.Error()}
	}
	line := e.Pos.Line
	text := strings.Replace(e.Message, "Invalid token", "syntax error", 1)
	switch {
	case line == parse.EOF || e.Token == "EOF":
		line = bytes.Count(source, []byte("\n")) + 1
		if bytes.HasSuffix(source, []byte("\n")) {
			line--
		}
		text = "syntax error at the end of the file: something is not closed"
		if e.Message != "" && e.Message != "syntax error" {
			text = e.Message + " at the end of the file"
		}
	case e.Message == "unterminated string" && e.Pos.Column == 0: // told after the line's end
		line--
		text += fmt.Sprintf(" near %q", e.Token)
	case e.Token != "":
		text += fmt.Sprintf(" near %q", e.Token)
	}
	at := fmt.Sprintf("%s:%d", file, max(line, 1))
	return (&fault.Error{Code: fault.Config, At: at, Message: text}).WithHint("%s", dialectHint(e.Token))
}

// dialectHint explains the syntax people bring from later versions of Lua.
func dialectHint(token string) string {
	switch token {
	case "/", "//":
		return "this is Lua 5.1: write math.floor(a / b)"
	case "&", "|", "<<", ">>", "~":
		return "this is Lua 5.1: use bit.band, bit.bor, bit.lshift, bit.rshift, bit.bxor"
	case "!", "!=":
		return "in Lua, not equal is ~="
	case "+=", "-=":
		return "in Lua, write x = x + 1"
	}
	return ""
}

// Excerpt returns the source lines from before the line to it, numbered, with a
// mark at it; "" when there is no such line.
func (c *Chunk) Excerpt(line, before int) string {
	if line < 1 || line > len(c.lines) {
		return ""
	}
	var b strings.Builder
	for n := max(1, line-before); n <= line; n++ {
		mark := " "
		if n == line {
			mark = ">"
		}
		fmt.Fprintf(&b, "%s %3d | %s\n", mark, n, strings.TrimRight(c.lines[n-1], "\r "))
	}
	return strings.TrimSuffix(b.String(), "\n")
}
