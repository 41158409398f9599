// Package script holds everything about Lua states that is not the mail API
// itself: bundles of module sources, states and their phases, classes,
// definitions, the guarded standard library, errors and conversions.
//
// An app is a Lua module. Its top level only defines; it is evaluated once in a
// throw-away state (Load), which resolves every module into a Bundle, and then
// again in the state of each worker (Bundle.NewState), from the same bundle.
// Nothing of Lua travels between states: a class, a function or a definition is
// found in another state by its id, because the same top level ran there.
package script
