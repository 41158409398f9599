package main

import (
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
)

// global is all the outside world the command touches. Everything below takes
// what it needs from here, so that a test can run the whole command.
type global struct {
	args           []string
	started        time.Time // when the command was
	stdin          io.Reader
	stdout, stderr io.Writer
	// terminal reports whether stderr is one: progress is drawn there.
	terminal bool
	// signals delivers interrupts.
	signals chan os.Signal
	profile profile
}

func processGlobal() *global {
	return &global{
		args: os.Args[1:], started: time.Now(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		terminal: isatty.IsTerminal(os.Stderr.Fd()),
		signals:  make(chan os.Signal, 3),
	}
}
