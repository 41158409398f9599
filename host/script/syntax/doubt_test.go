package syntax_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/script/syntax"
)

func TestDoubts(t *testing.T) {
	for text, want := range map[string][]string{
		"local a = \"\\x41\"": {`work.lua:1: \x is no escape in Lua 5.1: the string holds an x and what follows (write the byte in decimal, as \065)`},
		"\n\nlocal a = '\\u{e9}' .. \"\\z\"": {
			`work.lua:3: \u is no escape in Lua 5.1: the string holds a u and what follows (write the character itself, or utf8.char(n))`,
			`work.lua:3: \z is no escape in Lua 5.1: the string holds a z and the white space (join two strings with ..)`,
		},
		"local a = f\n(g or h)()":                      {"work.lua:2: this line goes on with the one before: it calls what stands there (put a semicolon before it)"},
		"local t = {}\n\n(t)()":                        {"work.lua:3: this line goes on with the one before: it calls what stands there (put a semicolon before it)"},
		"local a = [[\n\\x41\n]]\n(f)()":               {"work.lua:4: this line goes on with the one before: it calls what stands there (put a semicolon before it)"},
		"local a = f;\n(g)()":                          nil,
		"f(\n(1))":                                     nil,
		"local a = 1 +\n(2)":                           nil,
		"return\n(x)":                                  nil,
		"-- \"\\x41\" --[[ '\\x' ]]\n--[==[\\x\n]==] ": nil,
		`local a = "\\x41", '\065', "it's", '\n'`:      nil,
		"local a = '\\\n\\x'":                          {`work.lua:2: \x is no escape in Lua 5.1: the string holds an x and what follows (write the byte in decimal, as \065)`},
		"if a then\n(f or g)() end":                    nil,
		"local a = 'open":                              nil,
		`local a = "\`:                                 nil,
	} {
		var got []string
		for _, d := range syntax.Doubts("work.lua", []byte(text)) {
			got = append(got, d.Error())
		}
		require.Equal(t, want, got, text)
	}
}

func FuzzDoubts(f *testing.F) {
	f.Add("a = '\\x' --[[ x ]] [==[ ]==]\n(f)()")
	f.Fuzz(func(t *testing.T, text string) { syntax.Doubts("work.lua", []byte(text)) })
}
