// Package endpoint is what stands between a repository and one connection to a
// store of mail: a chain of controllers on top of a reader and a writer.
//
// A controller is a driver.Store around another one that overrides what it
// changes: names (NameTrans), what is in sight (Filter), how fast (Throttle),
// how often (Retry), whether at all (DryRun). Optional abilities are found with
// driver.As, so a controller that must not be bypassed hands out its own form
// of each ability and ends the walk.
//
// Serve and Proxy carry a Store over a worker.Channel, whatever its backend.
package endpoint
