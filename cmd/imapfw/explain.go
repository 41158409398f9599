package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/luaapi"
)

func (g *global) explainCommand() *cobra.Command {
	var id string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain --message-id ID [FILE|ACCOUNT...]",
		Short: "Tell what became of a message, and why",
		Long: "Tell what imapfw did to a message: when it was first seen, how it was paired, what was changed, and by which side.\n" +
			"The ID is that of its Message-ID field, with or without angle brackets.",
		Example: "  imapfw explain --message-id '<42@example.org>'\n  imapfw explain --message-id 42@example.org work --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if id == "" {
				return usage(errors.New("which message? name it with --message-id"))
			}
			id = strings.Trim(strings.TrimSpace(id), "<>")
			all := []story{}
			err := g.eachState(cmd, args, func(ctx context.Context, s luaapi.AccountState) error {
				one, err := tell(ctx, s, id)
				if len(one.Events) > 0 {
					all = append(all, one)
				}
				return err
			})
			switch {
			case err != nil:
				return err
			case asJSON:
				return printJSON(g.stdout, all)
			case len(all) == 0:
				return fault.New(fault.NotFound, "explain", "no journal knows a message %q", id).
					WithHint("the journal knows messages that a run has copied or paired in the last year")
			}
			for _, one := range all {
				one.print(g.stdout)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&id, "message-id", "", "the message")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

// story is everything one account knows about the messages with one Message-ID.
type story struct {
	Account string   `json:"account"`
	ID      string   `json:"message_id"`
	Events  []event  `json:"events"`
	Now     []string `json:"now"`
}

// event is something that was done, as it is printed.
type event struct {
	Run     int64     `json:"run"`
	At      time.Time `json:"at"`
	Op      string    `json:"op"`
	Side    string    `json:"side,omitempty"`
	Folder  string    `json:"folder"`
	Other   string    `json:"other,omitempty"`
	Far     string    `json:"far,omitempty"`
	Near    string    `json:"near,omitempty"`
	Message string    `json:"message_id,omitempty"`
	Before  []string  `json:"before,omitempty"`
	After   []string  `json:"after,omitempty"`
	Kept    string    `json:"kept,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	id      int64
}

func eventOf(e state.Event) event {
	return event{Run: e.Run, At: e.At, Op: e.Op, Side: sideName(e.Side), Folder: e.Folder, Other: e.Other,
		Far: keyText(e.Far), Near: keyText(e.Near), Message: e.MessageID,
		Before: e.Before.Strings(), After: e.After.Strings(), Kept: e.Spool, Reason: e.Reason, id: e.ID}
}

// keyText is a key as people know it: a UID without leading zeros.
func keyText(k mail.Key) string {
	if uid, ok := k.UID(); ok {
		return fmt.Sprint(uid)
	}
	return string(k)
}

func (e event) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  run %d  %s", e.At.Local().Format(time.DateTime), e.Run, e.Op)
	if e.Side != "" {
		fmt.Fprintf(&b, " %s", e.Side)
	}
	fmt.Fprintf(&b, " %q", e.Folder)
	if e.Other != "" {
		fmt.Fprintf(&b, " from %q", e.Other)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, " <%s>", e.Message)
	}
	if e.Far != "" {
		fmt.Fprintf(&b, " far %s", e.Far)
	}
	if e.Near != "" {
		fmt.Fprintf(&b, " near %s", e.Near)
	}
	if !slices.Equal(e.Before, e.After) {
		fmt.Fprintf(&b, " flags [%s] -> [%s]", strings.Join(e.Before, " "), strings.Join(e.After, " "))
	}
	if e.Reason != "" {
		fmt.Fprintf(&b, ": %s", e.Reason)
	}
	if e.Kept != "" {
		fmt.Fprintf(&b, " (kept for undo as %s)", e.Kept)
	}
	return b.String()
}

// tell follows the messages with a Message-ID through the journal, from row to
// row where they moved.
func tell(ctx context.Context, s luaapi.AccountState, id string) (story, error) {
	out := story{Account: s.Name, ID: id, Events: []event{}, Now: []string{}}
	events, rows := map[int64]state.Event{}, map[int64]string{} // by ID; the last folder of each row
	var open []int64
	see := func(batch []state.Event) error {
		for _, e := range batch {
			events[e.ID] = e
			for _, row := range []int64{e.Row, e.Was} {
				if _, seen := rows[row]; !seen && row != 0 {
					open = append(open, row)
					rows[row] = e.Folder
				}
			}
			if e.Row != 0 {
				rows[e.Row] = e.Folder
			}
		}
		return nil
	}
	if err := s.Store.Events(ctx, state.Query{MessageID: id}, see); err != nil {
		return out, err
	}
	for len(open) > 0 {
		next := state.Query{Rows: open}
		open = nil
		if err := s.Store.Events(ctx, next, see); err != nil {
			return out, err
		}
	}
	for _, e := range events {
		out.Events = append(out.Events, eventOf(e))
	}
	slices.SortFunc(out.Events, func(a, b event) int { return cmp.Compare(a.id, b.id) })
	folders := map[string]bool{}
	for _, folder := range rows {
		folders[folder] = true
	}
	for folder := range folders {
		err := s.Store.Load(ctx, folder, state.Far, func(batch []state.Row) error {
			for _, r := range batch {
				if _, ours := rows[r.ID]; ours {
					out.Now = append(out.Now, placeNow(folder, r))
				}
			}
			return nil
		})
		if err != nil {
			return out, err
		}
	}
	slices.Sort(out.Now)
	return out, nil
}

// placeNow says where a message is, as the state knows it.
func placeNow(folder string, r state.Row) string {
	side := func(key mail.Key) string {
		if key == "" {
			return "gone"
		}
		return keyText(key)
	}
	text := fmt.Sprintf("in %q: far %s, near %s, flags [%s]", folder, side(r.Far), side(r.Near), r.Flags)
	if r.Status != state.StatusPair {
		text += ", " + string(r.Status)
	}
	if r.Note != "" {
		text += ": " + r.Note
	}
	return text
}

func (s story) print(w io.Writer) {
	fmt.Fprintf(w, "%s: <%s>\n", s.Account, s.ID)
	for _, e := range s.Events {
		e.Message = ""
		fmt.Fprintf(w, "  %s\n", e.line())
	}
	for _, now := range s.Now {
		fmt.Fprintf(w, "  now %s\n", now)
	}
	if len(s.Now) == 0 {
		fmt.Fprintln(w, "  now on neither side, as far as the last run knows")
	}
}
