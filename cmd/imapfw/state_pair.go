package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/luaapi"
)

func (g *global) statePairCommand() *cobra.Command {
	var all, separate, asJSON bool
	cmd := &cobra.Command{
		Use:   "pair [FILE|ACCOUNT] [FOLDER FARKEY NEARKEY]",
		Short: "List messages that may be the same on both sides, and settle it",
		Long: "List the messages of which nobody can say whether they are the same on both sides: they have a Message-ID or a header\n" +
			"in common, and differ otherwise. Until it is settled they are neither copied nor removed.\n\n" +
			"With a folder and two keys as they are listed, settle that these two are the same message: nothing is copied. With\n" +
			"--separate and a folder and keys, settle that each of these is a message of its own: the next sync copies it. With\n" +
			"--all, settle all that have only one candidate: they are the same.",
		Example: "  imapfw state pair\n  imapfw state pair work INBOX 17 1700000000.M1P2.host\n" +
			"  imapfw state pair --separate work INBOX 18\n  imapfw state pair --all work",
		RunE: func(cmd *cobra.Command, args []string) error {
			args, settled, err := settlement(args, separate)
			if err != nil {
				return err
			}
			if all && settled.Folder != "" {
				return usage(fmt.Errorf("--all settles everything; name no folder with it"))
			}
			if !all && settled.Folder == "" {
				return g.listDoubts(cmd, args, asJSON)
			}
			return g.settleDoubts(cmd, args, settled, asJSON)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "settle what has one candidate only: it is the same message")
	cmd.Flags().BoolVar(&separate, "separate", false, "settle that messages are no copies of each other")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the list, or the outcome, as JSON")
	return cmd
}

// settlement takes what is to be settled from the end of the arguments. A file or
// an account is before it: at most one, so the number of arguments tells.
func settlement(args []string, separate bool) (rest []string, s engine.Settlement, err error) {
	if separate {
		from := 0
		if len(args) > 2 || len(args) > 0 && isPath(args[0]) {
			from = 1
		}
		if len(args)-from < 2 {
			return nil, s, usage(fmt.Errorf("--separate needs a folder and keys"))
		}
		s.Folder = args[from]
		for _, key := range args[from+1:] {
			s.New = append(s.New, engine.ParseKey(key))
		}
		return args[:from], s, nil
	}
	switch len(args) {
	case 0, 1:
		return args, s, nil
	case 3, 4:
		from := len(args) - 3
		s.Folder = args[from]
		s.Pairs = [][2]mail.Key{{engine.ParseKey(args[from+1]), engine.ParseKey(args[from+2])}}
		return args[:from], s, nil
	}
	return nil, s, usage(fmt.Errorf("a folder, a far key and a near key are needed"))
}

type listedDoubt struct {
	Account string         `json:"account"`
	Folder  string         `json:"folder"`
	Common  string         `json:"in_common"`
	Far     []listedMember `json:"far"`
	Near    []listedMember `json:"near"`
}

type listedMember struct {
	Key   string    `json:"key"`
	Date  time.Time `json:"date"`
	Size  int64     `json:"size"` // in CRLF form
	Flags []string  `json:"flags"`
}

func (g *global) listDoubts(cmd *cobra.Command, args []string, asJSON bool) error {
	list := []listedDoubt{}
	err := g.eachState(cmd, args, func(ctx context.Context, s luaapi.AccountState) error {
		doubts, err := engine.Doubts(ctx, s.Store)
		for _, d := range doubts {
			list = append(list, listedDoubt{s.Name, d.Folder, d.Note, members(d.Far, state.Far), members(d.Near, state.Near)})
		}
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(g.stdout, list)
	}
	for _, d := range list {
		fmt.Fprintf(g.stdout, "%s/%s: same %s\n", d.Account, d.Folder, d.Common)
		for _, side := range []struct {
			name    string
			members []listedMember
		}{{"far", d.Far}, {"near", d.Near}} {
			for _, m := range side.members {
				fmt.Fprintf(g.stdout, "  %-4s %s  %s  %d octets %v\n", side.name, m.Key, m.Date.Local().Format(time.DateTime), m.Size, m.Flags)
			}
		}
	}
	if len(list) == 0 {
		fmt.Fprintln(g.stdout, "nothing is ambiguous")
	}
	return nil
}

func members(rows []state.Row, side state.Side) []listedMember {
	out := []listedMember{}
	for _, r := range rows {
		key := string(r.Key(side))
		if uid, ok := r.Key(side).UID(); ok {
			key = fmt.Sprint(uid)
		}
		out = append(out, listedMember{key, r.Date, r.Size, append([]string{}, r.Flags.Strings()...)})
	}
	return out
}

// settleDoubts settles one thing in the one account that it is about, or all that
// have one candidate in all of them.
func (g *global) settleDoubts(cmd *cobra.Command, args []string, one engine.Settlement, asJSON bool) error {
	about := 0
	if one.Folder != "" {
		err := g.eachState(cmd, args, func(ctx context.Context, s luaapi.AccountState) error {
			doubts, err := engine.Doubts(ctx, s.Store)
			if slices.ContainsFunc(doubts, func(d engine.Doubt) bool { return d.Folder == one.Folder }) {
				about++
			}
			return err
		})
		switch {
		case err != nil:
			return err
		case about == 0:
			return fault.New(fault.NotFound, "settle", "nothing is ambiguous there").InFolder(one.Folder)
		case about > 1:
			return fault.New(fault.Config, "settle", "%d accounts have something ambiguous there", about).InFolder(one.Folder).WithHint("name the account")
		}
	}
	done := []settledDoubts{}
	err := g.changeStates(cmd, args, func(ctx context.Context, s luaapi.AccountState) error {
		doubts, err := engine.Doubts(ctx, s.Store)
		if err != nil {
			return err
		}
		var what []engine.Settlement
		if one.Folder == "" {
			what = obvious(doubts)
		} else if slices.ContainsFunc(doubts, func(d engine.Doubt) bool { return d.Folder == one.Folder }) {
			what = append(what, one)
		}
		for _, w := range what {
			if err := engine.Settle(ctx, s.Store, w); err != nil {
				return err
			}
			done = append(done, settledDoubts{s.Name, w.Folder, len(w.Pairs), len(w.New)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(g.stdout, done)
	}
	for _, d := range done {
		fmt.Fprintf(g.stdout, "%s/%s: %d pairs, %d messages of their own; the next sync goes on from there\n", d.Account, d.Folder, d.Pairs, d.Separate)
	}
	return nil
}

type settledDoubts struct {
	Account  string `json:"account"`
	Folder   string `json:"folder"`
	Pairs    int    `json:"pairs"`
	Separate int    `json:"separate"`
}

// obvious are the settlements of what has one candidate only.
func obvious(doubts []engine.Doubt) []engine.Settlement {
	var out []engine.Settlement
	for _, d := range doubts {
		if len(d.Far) != 1 || len(d.Near) != 1 {
			continue
		}
		if len(out) == 0 || out[len(out)-1].Folder != d.Folder {
			out = append(out, engine.Settlement{Folder: d.Folder})
		}
		last := &out[len(out)-1]
		last.Pairs = append(last.Pairs, [2]mail.Key{d.Far[0].Far, d.Near[0].Near})
	}
	return out
}
