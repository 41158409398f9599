package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/worker"
	"github.com/imapfw/imapfw/luaapi"
)

// workerArg makes this binary a worker of another instance.
const workerArg = "run-a-worker"

// workerCommand is what the process backend runs. It is hidden: a person has no
// use for it.
func (g *global) workerCommand() *cobra.Command {
	return &cobra.Command{
		Use: workerArg, Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			in, out, err := worker.ChildPipes()
			if err != nil {
				return err
			}
			return worker.ServeChild(context.Background(), in, out, luaapi.ChildRegistry)
		},
	}
}
