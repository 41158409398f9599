package script_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/script"
)

// What scripts compute, expression by expression; the values are those of Lua
// 5.1 (5.2 and 5.3 for what 5.1 does not have).
func TestLibrary(t *testing.T) {
	for code, want := range map[string]string{
		// base
		`tostring(nil), tostring(1.5), tostring(2^53), tostring(10/2)`:                          "nil 1.5 9007199254740992 5",
		`tonumber("0x10"), tonumber(" 12 "), tonumber("z", 36), tonumber("1e2"), tonumber("x")`: "16 12 35 100 nil",
		`tonumber("1_000"), tonumber("inf"), tonumber("nan"), tonumber("")`:                     "nil nil nil nil",
		`select("#", 1, nil, nil), select(-1, 1, 2), select(2, "a", "b", "c")`:                  "3 2 b c",
		`type(print), type(nil), rawequal("a", "a"), rawget({ x = 1 }, "x")`:                    "function nil true 1",
		`unpack({ 1, 2, 3 }, 2)`: "2 3",
		`pcall(error, { code = 7 }) == false, (select(2, pcall(error, "x", 0)))`:       "true x",
		`xpcall(function(a, b) return a + b end, print, 1, 2)`:                         "true 3",
		`xpcall(function() error("x", 0) end, function(e) return "handled " .. e end)`: "false handled x",
		`pcall(5)`:                              "false attempt to call a number value",
		`next({}), next({ 7 })`:                 "nil 1 7",
		`_VERSION, _G == _G, _G.print == print`: "Lua 5.1 true true",
		// string
		`("%5.2f|%-5s|%05d|%x|%q|%c|%%|%s"):format(3.14159, "ab", 42, 255, 'a"b\n', 65, nil)`:                                                " 3.14|ab   |00042|ff|\"a\\\"b\\\n\"|A|%|nil",
		`("%g %g %.3g %e"):format(0.1, 100000000, 2/3, 1)`:                                                                                   "0.1 1e+08 0.667 1.000000e+00",
		`("%10.3s|%-6d|%+d|%i"):format("abcdef", 5, 3, 9)`:                                                                                   "       abc|5     |+3|9",
		`("hello world"):find("o w"), ("hello"):find("l", 1, true), ("hello"):find("xyz")`:                                                   "5 3 nil",
		`("a.b"):find(".", 1, true), ("abc"):find("b", -1), ("abc"):find("", 10), ("abc"):find("", 4)`:                                       "2 nil nil 4 3",
		`("key = value"):match("(%w+)%s*=%s*(%w+)")`:                                                                                         "key value",
		`("2026-11-05"):match("^(%d+)-(%d+)-(%d+)$")`:                                                                                        "2026 11 05",
		`("THE (quick) fox"):find("%f[%a]%a+%f[%A]")`:                                                                                        "1 3",
		`("hello"):gsub("l", "L"), ("abc"):gsub("%w", "%0%0"), ("abc"):gsub("", "-")`:                                                        "heLLo aabbcc -a-b-c- 4",
		`("$name is $age"):gsub("%$(%w+)", { name = "Bob" })`:                                                                                "Bob is $age 2",
		`("abc"):gsub("b", function(c) return c:upper() .. "!" end)`:                                                                         "aB!c 1",
		`("abc abc"):gsub("abc", "x", 1), ("abc"):gsub("^a", "x"), ("aaa"):gsub("^a", "")`:                                                   "x abc xbc aa 1",
		`("a b"):gsub("(%w) (%w)", "%2 %1"), ("x"):gsub("x", "%%")`:                                                                          "b a % 1",
		`("abc"):gsub("(b)()", function(c, at) return c .. at end)`:                                                                          "ab3c 1",
		`(function() local t = {} for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do t[#t+1] = k .. v end return table.concat(t, " ") end)()`: "a1 b2",
		`(function() local n = 0 for _ in ("aaa"):gmatch("") do n = n + 1 end return n end)()`:                                               "4",
		`(function() local n = 0 for _ in ("aaa"):gmatch("^a") do n = n + 1 end return n end)()`:                                             "1",
		`("abc"):byte(1, -1), ("abc"):byte(10), string.char(72, 105)`:                                                                        "97 nil Hi",
		`("abc"):sub(2), ("abc"):sub(-2, -2), ("abc"):sub(0), ("abc"):sub(3, 2), ("abc"):sub(2, 99)`:                                         "bc b abc  bc",
		`("ab"):rep(3), ("ab"):rep(3, ","), ("ab"):rep(0), ("ab"):rep(-1)`:                                                                   "ababab ab,ab,ab  ",
		`("abc"):reverse(), ("abc"):len(), #"abc", ("aBc"):upper(), ("aBc"):lower()`:                                                         "cba 3 3 ABC abc",
		`("\233\255x"):upper() == "\233\255X", ("\195\137"):lower() == "\195\137"`:                                                           "true true",
		`getmetatable("")`: "false",
		// table
		`table.concat({ 1, "b", 3 }, "-"), table.concat({}, "x"), table.concat({ 1, 2, 3 }, ",", 2, 3)`:                                                                     "1-b-3  2,3",
		`(function() local t = { 3, 1, 2 } table.sort(t) return table.concat(t) end)()`:                                                                                     "123",
		`(function() local t = { 3, 1, 2 } table.sort(t, function(a, b) return a > b end) return table.concat(t) end)()`:                                                    "321",
		`(function() local t = { "a", "c" } table.insert(t, 2, "b") table.insert(t, "d") table.remove(t, 1) return table.concat(t) .. (table.remove(t) or "") .. #t end)()`: "bcdd2",
		`table.remove({}), table.maxn({ [10] = 1, 2 }), table.pack(1, nil, 3).n, table.unpack({ 1, 2 })`:                                                                    "nil 10 3 1 2",
		// math
		`math.floor(-1.5), math.max(1, 3, 2), math.huge > 2^1000, math.log(8, 2), math.pi > 3`: "-2 3 true 3 true",
		// bit
		`bit.band(0xff, 0x0f), bit.bor(1, 2, 4), bit.bxor(5, 1), bit.bnot(0), bit.lshift(1, 31), bit.rshift(2^31, 31)`:        "15 7 4 4294967295 2147483648 1",
		`bit.arshift(0x80000000, 31), bit.rol(0x80000001, 1), bit.ror(1, 1), bit.tohex(255), bit.band(-1), bit.lshift(1, 40)`: "4294967295 3 2147483648 000000ff 4294967295 0",
		// utf8
		`utf8.char(233, 8364), utf8.len("h\195\169"), utf8.len("\255"), utf8.codepoint("\226\130\172")`:                                  "é€ 2 nil 8364",
		`utf8.offset("h\195\169x", 3), utf8.offset("h\195\169x", -1), ("h\195\169"):match(utf8.charpattern, 2) == "\195\169"`:            "4 4 true",
		`(function() local t = {} for p, c in utf8.codes("h\195\169") do t[#t+1] = p .. ":" .. c end return table.concat(t, " ") end)()`: "1:104 2:233",
		// os
		`os.date("%a, %d %b %Y %H:%M:%S %z"), os.date("!%H"), os.date("%A %j %U %V %u %p %y %e")`:                 "Thu, 05 Nov 2026 12:04:09 +0100 11 Thursday 309 44 45 4 PM 26  5",
		`os.date("*t").wday, os.date("*t").year, os.date("*t", 0).hour`:                                           "5 2026 1",
		`os.time(), os.time { year = 2026, month = 11, day = 5, hour = 12, min = 4, sec = 9 }, os.difftime(5, 3)`: "1793876649 1793876649 2",
		`os.date("%Y-%m-%d", os.time { year = 2026, month = 14, day = 1 })`:                                       "2027-02-01",
		`os.getenv("HOME"), os.getenv("NOTHING")`:                                                                 "/home/me nil",
		// coroutine
		`(function() local f = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) return f(1), f(10) end)()`: "2 20",
		`(function() local co = coroutine.create(function() error("x", 0) end) return coroutine.resume(co) end)()`:                      "false x",
		`coroutine.running(), coroutine.status(coroutine.create(print))`:                                                                "nil suspended",
	} {
		got, err := eval(t, "return "+code, script.Options{
			Now:    noon,
			Getenv: func(name string) (string, bool) { return "/home/me", name == "HOME" },
		})
		assert.NoError(t, err, code)
		assert.Equal(t, want, got, code)
	}
}

// The errors of the library name the argument and the user's line.
func TestLibraryErrors(t *testing.T) {
	for code, want := range map[string]string{
		`("x"):rep({})`:                             `app.lua:1: bad argument #2 to 'rep': expected number, got table`,
		`("x"):rep(1e9)`:                            `app.lua:1: string.rep: the result would be longer than 64 MiB`,
		`string.rep()`:                              `app.lua:1: bad argument #1 to 'rep': expected string, got nil`,
		`string.format("%d")`:                       `app.lua:1: bad argument #2 to 'format': value expected`,
		`string.format("%d", "x")`:                  `app.lua:1: bad argument #2 to 'format': expected number, got string`,
		`string.format("%y", 1)`:                    `app.lua:1: invalid conversion '%y' to 'format'`,
		`string.format("%")`:                        `app.lua:1: invalid format (ends with '%', or its width is too long)`,
		`("x"):find("[a")`:                          `app.lua:1: malformed pattern (missing ']')`,
		`("x"):gsub("x", "%2")`:                     `app.lua:1: invalid capture index %2 in the replacement`,
		`("x"):gsub("x")`:                           `app.lua:1: bad argument #3 to 'gsub': expected string, function or table, got nil`,
		`("x"):gsub("x", function() return {} end)`: `app.lua:1: invalid replacement value (a table)`,
		`table.concat({ {} })`:                      `app.lua:1: invalid value (table) at index 1 in table for 'concat'`,
		`table.insert({}, 5, 1)`:                    `app.lua:1: bad argument #2 to 'insert': position out of bounds`,
		`table.sort({ 1, "x" })`:                    `app.lua:1: cannot compare a string with a number`,
		`math.random(0)`:                            `app.lua:1: bad argument #1 to 'random': interval is empty`,
		`os.date("%Q")`:                             `app.lua:1: bad argument #1 to 'date': invalid conversion specifier '%Q'`,
		`os.time { year = 2026 }`:                   `app.lua:1: field 'month' missing in date table`,
		`utf8.char(-1)`:                             `app.lua:1: bad argument #1 to 'char': value out of range`,
		`utf8.codepoint("\255")`:                    `app.lua:1: invalid UTF-8 at byte 1`,
		`unpack({}, 1, 1e7)`:                        `app.lua:1: too many values to unpack (10000000, at most 250000)`,
		`setmetatable("x", {})`:                     `app.lua:1: bad argument #1 to 'setmetatable': expected table, got string`,
		`assert(false)`:                             `app.lua:1: assertion failed!`,
		`assert(nil, "custom")`:                     `app.lua:1: custom`,
		`error("level two", 2)`:                     `app.lua:1: level two`,
		`error()`:                                   `app.lua:1: a script raised nil`,
		`coroutine.wrap(function() pcall(function() coroutine.yield() end) error("after") end)()`: `app.lua:1: after`,
	} {
		_, err := eval(t, "return "+code, script.Options{Now: noon})
		require.Error(t, err, code)
		assert.Equal(t, want, err.Error(), code)
	}
}

// error(msg, 2) blames the caller; gopher-lua's blames the function itself.
func TestErrorLevels(t *testing.T) {
	s := state(t, `
local function check(level)
  error("bad", level)
end
return function(level)
  check(level)
end`, script.Options{})
	for level, want := range map[int]string{1: "app.lua:3: bad", 2: "app.lua:6: bad"} {
		_, err := call(t, s, number(level))
		require.EqualError(t, err, want)
	}
	_, err := call(t, s, number(0))
	require.EqualError(t, err, "app.lua:3: bad", "Lua adds no place; the host does")
}

// What scripts must not have is not there, and the error says what to use.
func TestMissingLibraries(t *testing.T) {
	for code, want := range map[string]string{
		`io.open("x")`:        `app.lua:1: undefined variable "io" (scripts have no files; api.lines(path) reads a list)`,
		`os.execute("ls")`:    `app.lua:1: "os.execute" is not a function (use a pipe or a command hook)`,
		`os.exit(1)`:          `app.lua:1: "os.exit" is not a function (return the exit code from main, or raise an error)`,
		`loadstring("x = 1")`: `app.lua:1: undefined variable "loadstring" (scripts cannot compile code; use require)`,
		`load("x")`:           `app.lua:1: undefined variable "load" (scripts cannot compile code; use require)`,
		`dofile("x")`:         `app.lua:1: undefined variable "dofile" (use require)`,
		`debug.getinfo(1)`:    `app.lua:1: undefined variable "debug" (scripts have no debug library)`,
		`setfenv(1, {})`:      `app.lua:1: undefined variable "setfenv" (environments cannot be changed)`,
		`package.loaded.x`:    `app.lua:1: undefined variable "package" (require finds modules beside the app, in the user's folder and in contrib)`,
		`channel.make()`:      `app.lua:1: undefined variable "channel"`,
		`collectgarbage()`:    `app.lua:1: undefined variable "collectgarbage" (memory is managed by the host)`,
		`newproxy()`:          `app.lua:1: undefined variable "newproxy" (use a table with a metatable)`,
		`module("x")`:         `app.lua:1: undefined variable "module" (a module is a file that returns a table)`,
		`_printregs()`:        `app.lua:1: undefined variable "_printregs"`,
		`string.dump(print)`:  `app.lua:1: "string.dump" is not a function (functions cannot travel; give them a place in the app's definitions)`,
	} {
		_, err := eval(t, "return "+code, script.Options{})
		assert.EqualError(t, err, want)
	}
}

// One module cannot change the library for the others.
func TestLibrariesAreReadOnly(t *testing.T) {
	for code, want := range map[string]string{
		`string.upper = 1`:                            `app.lua:1: string.upper: string is read-only (libraries are shared by all modules)`,
		`string.mine = 1`:                             `app.lua:1: string.mine: string is read-only (libraries are shared by all modules)`,
		`rawset(string, "upper", 1)`:                  `app.lua:1: bad argument #1 to 'rawset': this table is read-only`,
		`table.insert(table, 1)`:                      `app.lua:1: bad argument #1 to 'insert': this table is read-only`,
		`setmetatable(string, {})`:                    `app.lua:1: cannot change a protected metatable`,
		`getmetatable("").__index.upper = 1`:          `app.lua:1: "getmetatable(...)" is a boolean, it has no field "__index"`,
		`for k in pairs(string) do string[k] = 1 end`: ``,
		`print = 1`:                                   `app.lua:1: cannot change the global "print" (write: local print = ...)`,
		`x = 1`:                                       `app.lua:1: assignment to the undeclared variable "x" (put "local" before it)`,
		`_G.x = 1`:                                    `app.lua:1: assignment to the undeclared variable "x" (put "local" before it)`,
		`rawset(_G, "x", 1)`:                          `app.lua:1: bad argument #1 to 'rawset': this table is read-only`,
		`setmetatable(_G, nil)`:                       `app.lua:1: cannot change a protected metatable`,
	} {
		_, err := eval(t, code, script.Options{})
		require.Error(t, err, code)
		if want != "" {
			assert.EqualError(t, err, want)
		}
	}
	got, err := eval(t, `local n = 0 for k, v in pairs(string) do n = n + 1 end local k = next(os) return n > 10, k ~= nil, ("x"):upper()`, script.Options{})
	require.NoError(t, err)
	require.Equal(t, "true true X", got)
}

func TestUndefinedVariables(t *testing.T) {
	for code, want := range map[string]string{
		`local account = 1 return acount`: `app.lua:1: undefined variable "acount" (did you mean "account"?)`,
		`return auto`:                     `app.lua:1: undefined variable "auto"`,
		`return tostirng(1)`:              `app.lua:1: undefined variable "tostirng" (did you mean "tostring"?)`,
		`for _, folder in ipairs({ 1 }) do return floder end`: `app.lua:1: undefined variable "floder" (did you mean "folder"?)`,
	} {
		_, err := eval(t, code, script.Options{})
		require.EqualError(t, err, want)
	}
}

func TestPrintGoesToTheHost(t *testing.T) {
	var lines []string
	_, err := eval(t, `print("a", 1, nil, {} ~= nil)`, script.Options{Print: func(line string) { lines = append(lines, line) }})
	require.NoError(t, err)
	require.Equal(t, []string{"a\t1\tnil\ttrue"}, lines)
}

func TestRandomIsTheStatesOwn(t *testing.T) {
	const code = `local t = {} for i = 1, 5 do t[i] = math.random(100) end return table.concat(t, " ")`
	first, err := eval(t, code, script.Options{Seed: 7})
	require.NoError(t, err)
	again, err := eval(t, code, script.Options{Seed: 7})
	require.NoError(t, err)
	other, err := eval(t, code, script.Options{Seed: 8})
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.NotEqual(t, first, other)
	seeded, err := eval(t, `math.randomseed(1) local a = math.random() math.randomseed(1) return a == math.random(), a >= 0 and a < 1`, script.Options{})
	require.NoError(t, err)
	require.Equal(t, "true true", seeded)
}

// The work of gsub grows with the text, not with its square: a budget that is
// enough for n matches is enough ten times for ten times as many.
func TestGsubIsLinear(t *testing.T) {
	const code = `local s = ("ab"):rep(...) local out, n = s:gsub("a", "xyz") return #out, n`
	s := state(t, "return function(...) "+code+" end", script.Options{Timeout: 20 * time.Second})
	got, err := call(t, s, number(1_000_000))
	require.NoError(t, err)
	require.Equal(t, "4000000 1000000", got)
}

func TestYieldAcrossTheHostIsRefused(t *testing.T) {
	for _, code := range []string{
		`pcall(function() coroutine.yield() end)`,
		`table.sort({ 2, 1 }, function() coroutine.yield() end)`,
		`("x"):gsub("x", function() coroutine.yield() end)`,
	} {
		got, err := eval(t, `local out local co = coroutine.create(function() out = { pcall(function() `+code+` end) } end)
return coroutine.resume(co), coroutine.status(co), tostring(out[2])`, script.Options{})
		require.NoError(t, err)
		if strings.HasPrefix(code, "pcall") {
			require.Equal(t, "true dead nil", got)
			continue
		}
		require.Contains(t, got, "cannot yield from inside pcall, sort, gsub or another function of the host")
	}
}
