// Package scripts holds what is shipped in Lua: apps, which are written as any
// user's app is, and contrib scripts.
package scripts

import "embed"

// FS has the folders apps and contrib, as a user's folder has them.
//
//go:embed apps contrib
var FS embed.FS
