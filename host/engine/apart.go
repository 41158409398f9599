package engine

import (
	"strings"
	"sync"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// A side may not keep a flag that it is given: a Maildir has 26 letters for
// keywords, a server may take none. Such a flag stays on the other side. It is
// remembered in the row as one that only this side has, so that its absence is
// not taken for a removal, and that it is offered again only when the options of
// the account change, or when the message's copies come to agree on it after all.

// apart gathers, for the report, the flags that a run found a side not to keep.
type apart struct {
	mu      sync.Mutex
	flags   [state.Near + 1]mail.Flags
	folders [state.Near + 1]map[string]bool
}

// keepApart notes in a row that a side does not keep some flags of the other.
// \Deleted is left out: it is a removal, and those are never given up.
func (e *Engine) keepApart(fp *FolderPlan, to state.Side, row *state.Row, dropped mail.Flags) {
	dropped = dropped.Minus(mail.Flags{System: mail.Deleted})
	if dropped.Empty() {
		return
	}
	only := &row.FarOnly
	if to == state.Far {
		only = &row.NearOnly
	}
	*only = only.Union(dropped)
	if dropped = dropped.Minus(fp.apart[to]); dropped.Empty() {
		return // it was told when it was new
	}
	a := &e.apart
	a.mu.Lock()
	defer a.mu.Unlock()
	a.flags[to] = a.flags[to].Union(dropped)
	if a.folders[to] == nil {
		a.folders[to] = map[string]bool{}
	}
	a.folders[to][fp.Name] = true
}

// tellApart tells, once for the whole run, what a side turned out not to keep.
func (e *Engine) tellApart() {
	a := &e.apart
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, to := range []state.Side{state.Far, state.Near} {
		if a.flags[to].Empty() {
			continue
		}
		folder := "" // several
		if len(a.folders[to]) == 1 {
			for folder = range a.folders[to] {
			}
		}
		e.told(folder, "the %s side does not keep these flags, which stay as they are on the %s side: %s",
			to, to.Other(), strings.Join(a.flags[to].Strings(), ", "))
	}
}

// apartIn returns the flags that rows say a side does not keep.
func apartIn(rows []state.Row) (known [state.Near + 1]mail.Flags) {
	for i := range rows {
		if r := &rows[i]; r.FarOnly != (mail.Flags{}) || r.NearOnly != (mail.Flags{}) {
			known[state.Near] = known[state.Near].Union(r.FarOnly)
			known[state.Far] = known[state.Far].Union(r.NearOnly)
		}
	}
	return known
}
