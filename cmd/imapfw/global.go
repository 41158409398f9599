package main

import (
	"io"
	"os"

	"github.com/mattn/go-isatty"
)

// global is all the outside world the command touches. Everything below takes
// what it needs from here, so that a test can run the whole command.
type global struct {
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
	// terminal reports whether stderr is one: progress is drawn there.
	terminal bool
	// signals delivers interrupts.
	signals chan os.Signal
}

func processGlobal() *global {
	return &global{
		args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		terminal: isatty.IsTerminal(os.Stderr.Fd()),
		signals:  make(chan os.Signal, 3),
	}
}
