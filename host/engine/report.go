package engine

import (
	"errors"
	"fmt"
	"sync"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// Note is something the user is told that is no failure.
type Note struct {
	Folder string
	Text   string
}

// Report is what a run did. Its methods may be called from several goroutines
// until Run returns it.
type Report struct {
	Engine  string
	DryRun  bool
	Folders int // that were looked into; unchanged ones are not
	Pulled, Pushed,
	FlagsFar, FlagsNear,
	RemovedFar, RemovedNear,
	MovedFar, MovedNear,
	Renamed, FoldersRemoved,
	Created,
	Restored,
	Expired int // near copies that are not kept any more; far they stay
	Notes    []Note
	Failures []error
	// Refused are the messages that are set aside, those of earlier runs too.
	Refused []Refusal

	mu   sync.Mutex
	seen map[string]bool // what is in Notes and Failures
}

// note adds a note. One that an earlier attempt had too is not new.
func (r *Report) note(folder, text string) (isNew bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if isNew = r.isNew(folder + "\x00" + text); isNew {
		r.Notes = append(r.Notes, Note{Folder: folder, Text: text})
	}
	return isNew
}

// fail adds a failure. One that an earlier attempt had too is not new.
func (r *Report) fail(err error) (isNew bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := asFault(err)
	if !r.isNew(f.Folder + "\x00" + f.Key + "\x00" + err.Error()) {
		return false
	}
	r.Failures = append(r.Failures, err)
	return true
}

// isNew reports whether something was not told yet.
func (r *Report) isNew(what string) bool {
	if r.seen[what] {
		return false
	}
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	r.seen[what] = true
	return true
}

func (r *Report) count(field *int, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*field += n
}

// setAside adds messages that are set aside.
func (r *Report) setAside(list []Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Refused = append(r.Refused, list...)
}

// failure names what failed.
type failure struct{ folder, key string }

// failedKeys returns the messages that failed so far.
func (r *Report) failedKeys() map[failure]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[failure]bool, len(r.Failures))
	for _, err := range r.Failures {
		f := asFault(err)
		out[failure{f.Folder, f.Key}] = true
	}
	return out
}

// Changes is the number of changes made on either side.
func (r *Report) Changes() int {
	return r.Pulled + r.Pushed + r.FlagsFar + r.FlagsNear + r.RemovedFar + r.RemovedNear + r.MovedFar + r.MovedNear + r.Renamed + r.FoldersRemoved + r.Created + r.Restored + r.Expired
}

// Err is nil when everything was done; else it tells that some was not.
func (r *Report) Err() error {
	if len(r.Failures) == 0 {
		if len(r.Refused) == 0 {
			return nil
		}
		return &fault.Error{Code: fault.Partial, Op: "sync",
			Message: fmt.Sprintf("%d messages are set aside, the rest is done", len(r.Refused))}
	}
	temporary := len(r.Refused) == 0
	for _, err := range r.Failures {
		temporary = temporary && fault.IsTemporary(err)
	}
	return &fault.Error{Code: fault.Partial, Op: "sync", Temporary: temporary,
		Message: fmt.Sprintf("%d folders or messages failed, the rest is done", len(r.Failures)),
		Err:     r.Failures[0]}
}

// Value returns the report as plain data.
func (r *Report) Value() wire.Map {
	r.mu.Lock()
	defer r.mu.Unlock()
	notes, failures := make(wire.List, 0, len(r.Notes)), make(wire.List, 0, len(r.Failures))
	for _, n := range r.Notes {
		notes = append(notes, wire.Map{"folder": n.Folder, "text": n.Text})
	}
	for _, err := range r.Failures {
		failures = append(failures, asFault(err))
	}
	refused := make(wire.List, 0, min(len(r.Refused), maxListed))
	for _, one := range r.Refused[:min(len(r.Refused), maxListed)] {
		refused = append(refused, one.value())
	}
	return wire.Map{
		"refused": int64(len(r.Refused)), "set_aside": refused,
		"engine": r.Engine, "dry_run": r.DryRun, "folders": int64(r.Folders),
		"pulled": int64(r.Pulled), "pushed": int64(r.Pushed),
		"flags_far": int64(r.FlagsFar), "flags_near": int64(r.FlagsNear),
		"removed_far": int64(r.RemovedFar), "removed_near": int64(r.RemovedNear),
		"moved_far": int64(r.MovedFar), "moved_near": int64(r.MovedNear),
		"renamed": int64(r.Renamed), "folders_removed": int64(r.FoldersRemoved),
		"created": int64(r.Created), "expired": int64(r.Expired), "restored": int64(r.Restored), "notes": notes, "failures": failures,
	}
}

// maxListed is how many of the messages that are set aside a report lists.
const maxListed = 1000

func asFault(err error) *fault.Error {
	var e *fault.Error
	if errors.As(err, &e) && e.Error() == err.Error() {
		return e
	}
	return &fault.Error{Code: fault.CodeOf(err), Temporary: fault.IsTemporary(err), Final: fault.IsFinal(err),
		After: fault.AfterOf(err), Message: err.Error()}
}
