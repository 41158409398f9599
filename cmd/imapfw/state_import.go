package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

func (g *global) stateImportCommand() *cobra.Command {
	var args engine.ImportArgs
	var dir string
	var dryRun, asJSON bool
	cmd := &cobra.Command{
		Use:   "import --from mbsync|offlineimap [FILE|ACCOUNT[:FOLDER,...] ...]",
		Short: "Take over what mbsync or OfflineIMAP knows of both sides",
		Long: "Take over which message is which file from mbsync or OfflineIMAP, so that the first sync copies nothing that is\n" +
			"there already. Write the account first, over the same server and the same Maildir, with the same layout of folders.\n" +
			"Run the other tool once more before, and not again after.\n\n" +
			"Neither side is changed, nor the files of the other tool. What it says is compared with what is there: sizes of all\n" +
			"messages, headers of some. What does not fit is told, and is paired by its content, by this command or the next sync.\n" +
			"Messages that were removed on one side after the other tool's last run are copied back by the next sync, unless\n" +
			"--removals says that they are to be removed on the other side too.\n\n" +
			"mbsync's state files are looked for in the Maildir's folders, in ~/.mbsync and in $XDG_STATE_HOME/isync; OfflineIMAP's\n" +
			"metadata in ~/.offlineimap. A Maildir of mbsync's AltMap has to be converted first: mdconvert -n FOLDER.",
		Example: "  imapfw state import --from mbsync\n  imapfw state import --from mbsync --state-dir ~/.mbsync work\n" +
			"  imapfw state import --from offlineimap --dry-run\n" +
			"  imapfw state import --from offlineimap --state-dir ~/.offlineimap --source-account Work work",
		RunE: func(cmd *cobra.Command, rest []string) error {
			chosen, err := g.selects(rest)
			if err != nil {
				return err
			}
			if args.Dirs, err = stateDirs(args.From, dir); err != nil {
				return err
			}
			run := appRun{app: app{path: chosen.file}, accounts: chosen.accounts, folders: chosen.folders, dryRun: dryRun, json: asJSON, job: engine.JobImport, jobArgs: args.Map()}
			s, result := g.runState(cmd, run, "imported")
			return s.finish(g, result, asJSON, importedLine)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&args.From, "from", "", "the tool: mbsync or offlineimap")
	flags.StringVar(&dir, "state-dir", "", "where it keeps its state")
	flags.StringVar(&args.Account, "source-account", "", "OfflineIMAP's name of the account, where it has several")
	flags.StringVar(&args.Repository, "source-repository", "", "OfflineIMAP's name of the remote repository, where it has several")
	flags.BoolVar(&args.Removals, "removals", false, "carry what was removed after the tool's last run")
	flags.BoolVar(&args.Force, "force", false, "replace what imapfw knows of these folders already")
	flags.BoolVar(&dryRun, "dry-run", false, "compare and tell, record nothing")
	flags.BoolVar(&asJSON, "json", false, "print the outcome as JSON")
	return cmd
}

// stateDirs are the folders to look for a tool's state in.
func stateDirs(from, dir string) ([]string, error) {
	switch {
	case from == "":
		return nil, fault.New(fault.Config, "", "which tool's?").WithHint("--from mbsync or --from offlineimap")
	case from != "mbsync" && from != "offlineimap":
		return nil, fault.New(fault.Config, "", "there is no importer for %q", from).WithHint("--from mbsync or --from offlineimap")
	case dir != "":
		if _, err := os.Stat(dir); err != nil {
			return nil, fault.Wrap(fault.Config, "", err)
		}
		abs, err := filepath.Abs(dir)
		return []string{abs}, fault.Wrap(fault.Config, "", err)
	case from == "mbsync":
		return []string{filepath.Join(xdg.Home, ".mbsync"), filepath.Join(xdg.StateHome, "isync")}, nil
	}
	return []string{filepath.Join(xdg.Home, ".offlineimap")}, nil
}

func importedLine(account string, item wire.Map) string {
	pairs, _ := item["pairs"].(int64)
	parts := []string{fmt.Sprintf("%d messages taken over", pairs)}
	for _, one := range [][2]string{
		{"placeholders", "of them placeholders"},
		{"far_placeholders", "of them placeholders on the far side, left as they are"},
		{"expired", "expired"},
		{"held", "with a mark of deletion that stays where it is"},
		{"wrong", "pairs that are not of one message"},
		{"moved", "files with the number of another message or folder"},
		{"paired", "paired by content"},
		{"ambiguous", "ambiguous (imapfw state pair)"},
		{"removed", "removed on one side, to be copied back"},
		{"skipped", "that the tool had skipped"},
		{"left_far", "new far"},
		{"left_near", "new near"},
	} {
		parts = counted(parts, item, one[0], one[1])
	}
	return fmt.Sprintf("%s/%s: %s", account, item["folder"], strings.Join(parts, ", "))
}
