package state

import (
	"context"
	"slices"
	"time"

	"github.com/imapfw/imapfw/host/mail"
)

// Journal is what was done, when and why. Events are written in the transaction
// that records what they tell about, so that the journal never tells of anything
// the state does not know, nor misses any of it.
type Journal interface {
	// BeginRun notes a run that is about to change something, and returns its
	// number. Numbers only grow. As with EndRun and Prune, it is as a Change with
	// Later: what the run records makes it durable.
	BeginRun(ctx context.Context, kind string) (int64, error)
	// EndRun notes how a run ended. One that was killed never ends.
	EndRun(ctx context.Context, run int64, outcome string) error
	// Runs returns the runs, newest first, at most limit of them; all when it is
	// 0. Each tells how many events of which kind it has.
	Runs(ctx context.Context, limit int) ([]Run, error)
	// Events hands out the events that a query selects, in the order in which
	// they were written.
	Events(ctx context.Context, q Query, fn func([]Event) error) error
	// Prune forgets the runs that began before a moment, with their events.
	Prune(ctx context.Context, before time.Time) error
}

// Run is one run of an engine.
type Run struct {
	ID           int64
	Kind         string // "sync", "undo 12"
	Began, Ended time.Time
	Outcome      string // empty while it runs, or when it was killed
	Events       []Count
}

// Count is how many events of one kind a run has.
type Count struct {
	Op    string
	Side  Side
	Count int64
}

// Event is one thing that was done to one message, or to a folder.
type Event struct {
	ID, Run int64
	At      time.Time
	Folder  string
	// Row names the message; 0 is a folder, or a message that never had a row.
	// Put, in a Change, is the place of that row in Change.Put, counted from 1,
	// for a row that is given its ID by the same Change.
	Row int64
	Put int
	// Was is the row that the message had before, in Other: a message that moves
	// is given a new one.
	Was int64
	// Op is what was done: the operations of a plan, "pair", "refuse", "gone".
	Op   string
	Side Side // that was written; 0 where none was
	// Far and Near are the keys the message had, or has from then on.
	Far, Near mail.Key
	// MessageID is the Message-ID without its angle brackets, where it is known.
	MessageID string
	// Before and After are the flags that the two sides agreed on.
	Before, After mail.Flags
	Date          time.Time // arrival
	Other         string    // the other folder of a move or rename
	Spool         string    // where the message is kept for undo
	Reason        string
}

// Query selects events. Empty fields select all. Those of a run are found by an index;
// for others the whole journal is read.
type Query struct {
	Run       int64
	Rows      []int64 // of one of these
	MessageID string
}

func (q Query) selects(e Event) bool {
	return (q.Run == 0 || q.Run == e.Run) && (len(q.Rows) == 0 || slices.Contains(q.Rows, e.Row)) && (q.MessageID == "" || q.MessageID == e.MessageID)
}

// The operations as errors name them.
const (
	opJournal      = "read journal"
	opWriteJournal = "write journal"
)

// settleJournal gives events the IDs of the rows that the same change made.
// Whole seconds are all the state keeps.
func (c *Change) settleJournal(newRows []int64) []Event {
	if len(c.Journal) == 0 {
		return nil
	}
	ids := make([]int64, len(c.Put))
	for i, r := range c.Put {
		if ids[i] = r.ID; r.ID == 0 {
			ids[i], newRows = newRows[0], newRows[1:]
		}
	}
	out := make([]Event, len(c.Journal))
	for i, e := range c.Journal {
		if e.Put > 0 {
			e.Row, e.Put = ids[e.Put-1], 0
		}
		e.At, e.Date = wholeSecond(e.At), wholeSecond(e.Date)
		out[i] = e
	}
	return out
}
