// Package worker runs the units of business logic. A worker loops over its
// inbox, is given its channels before it starts, reaches others only through
// them, and has one error link up to whoever started it. Where it runs is a
// backend's business: a goroutine, a child process, or the caller's goroutine.
//
// # Contexts
//
// Three lifetimes are nested, and an engine uses all of them:
//
//   - Env.Draining closes at the first interrupt (Host.Drain): begin no new
//     batch, commit the one in flight, return from Run with nil.
//   - The context of Run ends at the second one (Host.CancelRuns) and when the
//     worker is stopped. Calls made with it end too, which closes connections.
//   - The worker's own life ends when it is killed, or when it did not stop in
//     time. The context of every Handle ends with it, and with its caller's.
//
// # What runs where
//
// With the goroutine backend Start, Handle and Stop of a worker without
// Concurrency never run at the same time; Run has a goroutine of its own with
// every backend. A child process holds one worker and what it spawned; its calls
// to other workers are relayed by the parent. Every goroutine is started by one
// helper that turns a panic into the worker's Exit.
//
// Events and exits of one worker arrive in the order in which they happened.
package worker
