package main

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/fault"
)

//go:embed skeleton
var skeleton embed.FS

var appName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (g *global) newCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "new NAME",
		Short:   "Write an app to start from",
		Long:    "Write a folder NAME with a working app that redefines a class of the sync, and a test for it that needs no server.",
		Example: "  imapfw new careful\n  imapfw run careful/test.lua\n  imapfw check careful",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return g.writeApp(args[0])
		},
	}
}

// writeApp copies the skeleton into a new folder, with the app's name filled in.
func (g *global) writeApp(path string) error {
	name := filepath.Base(path)
	if !appName.MatchString(name) {
		return fault.New(fault.Config, "new", "%q is no name for an app", name).
			WithHint("use small letters, digits and _, as in \"careful\"")
	}
	if err := os.Mkdir(path, 0o755); err != nil {
		return fault.Wrap(fault.Exists, "new", err)
	}
	err := fs.WalkDir(skeleton, "skeleton", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := skeleton.ReadFile(file)
		if err != nil {
			return err
		}
		target := filepath.Join(path, filepath.Base(file))
		fmt.Fprintln(g.stdout, "wrote", target)
		return os.WriteFile(target, []byte(strings.ReplaceAll(string(text), "NAME", name)), 0o644)
	})
	if err != nil {
		return fault.Wrap(fault.IO, "new", err)
	}
	fmt.Fprintf(g.stdout, "try:  imapfw run %s   then edit %s\n", filepath.Join(path, "test.lua"), filepath.Join(path, "init.lua"))
	return nil
}
