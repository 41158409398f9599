// Package luaapi is what scripts see of the host: the module imapfw.api, and the
// ways in which the command runs an app that uses it.
//
// # Names
//
// Every name of the api is declared once, as an entry, a member of an object or
// of a class, or an option of a table. The functions that scripts call, the
// editor stubs (meta/imapfw.lua) and the reference page (docs/lua-reference.md)
// all come from these declarations, so they cannot drift apart.
//
// # Two halves
//
// Where a script runs decides what a name does. While the top level runs, the
// constructors make definitions: plain data that says what the user wants. In
// the main worker, main(ctx) turns definitions into declarations of workers,
// and ctx starts and watches them. In a worker, the same definitions come back
// as live things: a class becomes a Store around a Store, or hooks of an engine.
package luaapi
