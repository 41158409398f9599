// Command imapfw keeps mail in step between IMAP servers and Maildirs, driven by
// Lua. This package is the only one that touches arguments, the environment,
// standard streams, signals and exit codes.
package main

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func main() {
	runtime.MemProfileRate = 0 // see profile.begin
	boundHeap()
	g := processGlobal()
	signal.Notify(g.signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(g.run())
}
