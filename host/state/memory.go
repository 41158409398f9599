package state

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/mail"
)

// Memory is a Store that keeps everything in memory: for tests, and for an
// account that is asked to forget. It keeps its content when it is closed, so
// that a test can open it again as a run after this one would.
type Memory struct {
	mu      sync.Mutex
	open    bool
	info    Info
	lastID  int64
	folders map[string]*memoryFolder // by far name
	journal memoryJournal
}

type memoryFolder struct {
	record  Folder
	rows    map[int64]Row
	byKey   map[Side]map[mail.Key]int64
	intents map[int64]Intent
}

// NewMemory returns an empty Memory.
func NewMemory() *Memory {
	return &Memory{info: Info{Account: newAccountID()}, folders: map[string]*memoryFolder{}}
}

// newAccountID returns the random name by which the near side's stamp and the
// state know each other.
func newAccountID() string { return rand.Text() }

// Open marks the Memory as in use. As with any Store, a second user is refused.
func (m *Memory) Open(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open {
		return busy("this state in memory", 0)
	}
	m.open = true
	return nil
}

// Close lets the Memory be opened again.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open = false
	return nil
}

// enter locks the Memory for one call, if it is open and ctx has not ended.
func (m *Memory) enter(ctx context.Context, op string) (leave func(), err error) {
	if ctx.Err() != nil {
		return nil, stopped(ctx, op)
	}
	m.mu.Lock()
	if !m.open {
		m.mu.Unlock()
		return nil, notOpen(op)
	}
	return m.mu.Unlock, nil
}

// Info returns what is kept about the account.
func (m *Memory) Info(ctx context.Context) (Info, error) {
	leave, err := m.enter(ctx, opInfo)
	if err != nil {
		return Info{}, err
	}
	defer leave()
	return m.info, nil
}

// SetInfo replaces what is kept about the account.
func (m *Memory) SetInfo(ctx context.Context, info Info) error {
	leave, err := m.enter(ctx, opSetInfo)
	if err != nil {
		return err
	}
	defer leave()
	m.info = info
	return nil
}

// Folders returns all the folders, ordered by far name.
func (m *Memory) Folders(ctx context.Context) ([]Folder, error) {
	leave, err := m.enter(ctx, opFolders)
	if err != nil {
		return nil, err
	}
	defer leave()
	var out []Folder
	for _, f := range m.folders {
		record := f.record
		record.Open, record.Messages = len(f.intents), len(f.rows)
		for _, r := range f.rows {
			switch r.Status {
			case StatusRefused:
				record.Refused++
			case StatusAmbiguous:
				record.Ambiguous++
			}
		}
		out = append(out, record)
	}
	slices.SortFunc(out, func(a, b Folder) int { return cmp.Compare(a.Far, b.Far) })
	return out, nil
}

// Load hands out a copy of the rows as they were when it was called.
func (m *Memory) Load(ctx context.Context, folder string, by Side, fn func([]Row) error) error {
	rows, err := m.snapshot(ctx, folder, by)
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(rows, batchRows) {
		if ctx.Err() != nil {
			return stopped(ctx, opLoad)
		}
		if err := fn(slices.Clip(batch)); err != nil {
			return err
		}
	}
	return nil
}

func (m *Memory) snapshot(ctx context.Context, folder string, by Side) ([]Row, error) {
	leave, err := m.enter(ctx, opLoad)
	if err != nil {
		return nil, err
	}
	defer leave()
	f := m.folders[folder]
	if f == nil {
		return nil, nil
	}
	rows := make([]Row, 0, len(f.rows))
	for _, r := range f.rows {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Key(by), b.Key(by)), cmp.Compare(a.ID, b.ID))
	})
	return rows, nil
}

// Known hands out what is known of the messages of a side as they were when it was
// called.
func (m *Memory) Known(ctx context.Context, folder string, side Side, fn func([]Known) error) error {
	return m.Load(ctx, folder, side, func(rows []Row) error {
		known := make([]Known, 0, len(rows))
		for _, r := range rows {
			if r.Key(side) != "" {
				known = append(known, knownOf(r, side))
			}
		}
		if len(known) == 0 {
			return nil
		}
		return fn(known)
	})
}

// Find returns some of the rows as they are.
func (m *Memory) Find(ctx context.Context, folder string, wanted Wanted) (Found, error) {
	rows, err := m.snapshot(ctx, folder, Far)
	if err != nil {
		return Found{}, err
	}
	return wanted.Among(rows), nil
}

// Intents returns the open deliveries of a folder, oldest first.
func (m *Memory) Intents(ctx context.Context, folder string) ([]Intent, error) {
	leave, err := m.enter(ctx, opIntents)
	if err != nil {
		return nil, err
	}
	defer leave()
	var out []Intent
	if f := m.folders[folder]; f != nil {
		for _, in := range f.intents {
			out = append(out, in)
		}
	}
	slices.SortFunc(out, func(a, b Intent) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// wholeSecond is a date as every Store keeps it.
func wholeSecond(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.Unix(t.Unix(), 0).UTC()
}

// The operations as errors name them.
const (
	opOpen    = "open state"
	opInfo    = "read state"
	opSetInfo = "write state"
	opFolders = "read state"
	opLoad    = "read state of"
	opIntents = "read state of"
	opCommit  = "write state of"
)

// batchRows is how many rows travel at once.
const batchRows = 1000
