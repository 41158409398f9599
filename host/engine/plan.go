package engine

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// Op is what a step does.
type Op string

// The operations of a plan.
const (
	OpPull   Op = "pull"   // copy far messages to the near side
	OpPush   Op = "push"   // copy near messages to the far side
	OpFlag   Op = "flags"  // add and remove flags
	OpMove   Op = "move"   // move messages to another folder of the same side
	OpRemove Op = "delete" // remove messages for good
	OpCreate Op = "create" // create a folder
	OpDrop   Op = "remove" // remove a folder
	OpRename Op = "rename" // rename a folder
)

// Plan is what a run will do, before it does any of it. It is a value: it can
// be looked at, printed, and steps or messages can be dropped from it.
type Plan struct {
	Folders []*FolderPlan

	renames []renaming // of folders, in the order in which they are done
	forget  []string   // folders that are nowhere any more
}

// FolderPlan is the plan for one pair of folders.
type FolderPlan struct {
	Name  string
	Steps []*Step

	refs      map[state.Side]mail.Ref
	record    state.Folder        // the record to write when everything was done
	replaced  []replaced          // placeholders whose messages were delivered
	partly    bool                // a near copy is replaced by another: cut short, the near side is to be read in full
	put       []*state.Row        // rows that changed without anything to do
	drop      []int64             // rows to be forgotten
	pairing   bool                // it was never in step with what the state knows of it
	reset     bool                // forget everything first: the folder is paired anew
	settle    []int64             // intents that are resolved
	late      []state.Intent      // intents that are resolved when everything was done
	blocked   atomic.Bool         // something was left alone: the cursors stay where they were
	renewed   map[int64]bool      // rows of drop whose messages are copied as new ones
	ambiguous int                 // messages that nobody can say are or are not each other
	again     Sides               // the sides that the next run is to read in full
	left      bool                // nothing is done in it, and nothing recorded
	notes     []string            // what a script left alone, and why
	contested []contested         // conflicts that were settled
	names     map[mail.Key]string // the Message-IDs of pairs that are not recorded yet, by far key
	options   string              // see policy
	limits    string
	refused   int // messages that are set aside, as it goes on
	earlier   map[earlier]string
	finished  bool // everything in it is done and recorded
	only      bool // when everything in it is done, the run is

	marks struct {
		sync.Mutex
		done [state.Near + 1]mail.Mark // what the run changed on each side, and recorded
		lost [state.Near + 1]bool      // rows changed in other ways too
	}

	census census
	// removed is the side that the folder was removed on, or 0; lively tells that
	// it has new or changed messages on the other.
	removed state.Side
	lively  bool
	lost    []lost // messages that are gone, on one side or both
	strays  []lost // new messages of which an intent tells
	// apart are the flags that a side is known not to keep, by that side.
	apart [state.Near + 1]mail.Flags
}

// Step is one operation on the messages of one folder and side. Keys are those
// of the source for pull and push, else of the side that is written.
type Step struct {
	ID          int
	Op          Op
	Folder      string
	Side        state.Side // the side that is written
	To          string     // the other folder, for move; the new name, for rename
	Add, Remove mail.Flags // for flags
	// Expiry marks removals of near copies that are not kept near any more. The
	// far side keeps the messages, so they are neither guarded nor spooled.
	Expiry bool
	// Form says what is delivered by a pull, where that is not simply the message.
	Form        Form
	FolderCount int // messages the folder holds on the side the keys are of
	Reason      string

	items items
	was   *flagStep // as it was before it was narrowed
}

// Keys returns the keys of the step's messages.
func (s *Step) Keys() mail.KeySet {
	var keys mail.KeySet
	for m := range s.items.metas.All() {
		keys.Add(m.Key)
	}
	return keys
}

// Count returns the number of messages of the step.
func (s *Step) Count() int {
	if s.ofFolder() {
		return 1
	}
	return s.items.len()
}

// ofFolder reports whether the step is about a folder, not about messages.
func (s *Step) ofFolder() bool { return s.Op == OpCreate || s.Op == OpDrop || s.Op == OpRename }

// source is the side that the keys are of.
func (s *Step) source() state.Side {
	if s.Op == OpPull || s.Op == OpPush {
		return s.Side.Other()
	}
	return s.Side
}

// Value returns the step as plain data, as scripts and printed plans show it.
func (s *Step) Value() wire.Map {
	return wire.Map{
		"id": int64(s.ID), "op": string(s.Op), "folder": s.Folder, "side": s.Side.String(), "to": s.To, "expiry": s.Expiry, "form": string(s.Form),
		"count": int64(s.Count()), "folder_count": int64(s.FolderCount), "reason": s.Reason,
		"add": list(s.Add.Strings()), "remove": list(s.Remove.Strings()), "keys": s.Keys(),
	}
}

func list(in []string) wire.List {
	out := make(wire.List, len(in))
	for i, s := range in {
		out[i] = s
	}
	return out
}

// Steps returns the steps, in order, of which the given fields are equal; empty
// ones are not compared.
func (p *Plan) Steps(op Op, folder string, side state.Side) []*Step {
	var out []*Step
	for _, f := range p.Folders {
		for _, s := range f.Steps {
			if (op == "" || op == s.Op) && (folder == "" || folder == s.Folder) && (side == 0 || side == s.Side) {
				out = append(out, s)
			}
		}
	}
	return out
}

// Total returns the number of messages that the steps of an operation concern;
// of all operations when op is empty.
func (p *Plan) Total(op Op) int {
	n := 0
	for _, s := range p.Steps(op, "", 0) {
		n += s.Count()
	}
	return n
}

// Drop takes messages out of a step, or the whole step when no key is given. It
// returns how many were taken out. What is dropped is left alone: the next run
// looks at it again.
func (p *Plan) Drop(id int, keys *mail.KeySet, reason string) int {
	for _, f := range p.Folders {
		for i, s := range f.Steps {
			if s.ID != id {
				continue
			}
			f.blocked.Store(true)
			f.notes = append(f.notes, "left alone by the script: "+reason)
			if s.Op == OpMove {
				p.leaveMove(f, s)
			}
			if s.Op == OpCreate || s.Op == OpRename {
				// A folder that the state knows and a side lacks counts as
				// removed there: so the state must not hear of this one.
				f.Steps, f.left = nil, true
				return s.Count()
			}
			if keys == nil {
				f.Steps = append(f.Steps[:i:i], f.Steps[i+1:]...)
				return s.Count()
			}
			return s.without(func(k mail.Key) bool { return keys.Contains(k) })
		}
	}
	return 0
}

// Narrow leaves of a step that changes flags only these. That is all that may be
// altered in a step: what a plan would leave differently on the two sides, or do
// beyond what the options say, is not a script's to add. What is left out is
// looked at again by the next run.
func (p *Plan) Narrow(id int, add, remove mail.Flags, reason string) error {
	for _, f := range p.Folders {
		for _, s := range f.Steps {
			if s.ID != id {
				continue
			}
			if s.Op != OpFlag || !add.Minus(s.Add).Empty() || !remove.Minus(s.Remove).Empty() {
				return fault.New(fault.Config, "", "a step can be narrowed to some of the flags that it changes, and to nothing else")
			}
			switch {
			case add.Equal(s.Add) && remove.Equal(s.Remove):
				return nil
			case add.Empty() && remove.Empty():
				p.Drop(id, nil, reason)
				return nil
			}
			if s.was == nil {
				s.was = &flagStep{side: s.Side, add: s.Add, remove: s.Remove}
			}
			f.blocked.Store(true)
			f.notes = append(f.notes, "flags left alone by the script: "+reason)
			s.Add, s.Remove = add, remove
			return nil
		}
	}
	return nil
}

// Form is what a pull delivers.
type Form string

// The forms.
const (
	FormMessage     Form = ""            // the message
	FormPlaceholder Form = "placeholder" // a placeholder of it
	FormUpgrade     Form = "upgrade"     // the message, in the place of its placeholder
)

// known returns the messages of a step that have a row, by key.
func (s *Step) known() map[mail.Key]item {
	var out map[mail.Key]item
	for _, it := range s.items.all() {
		if it.row == nil {
			continue
		}
		if out == nil {
			out = map[mail.Key]item{}
		}
		out[it.meta.Key] = it
	}
	return out
}

// without drops the items whose key is chosen, and returns how many.
func (s *Step) without(chosen func(mail.Key) bool) int {
	return s.items.drop(func(it item) bool { return chosen(it.meta.Key) })
}

// number gives every step its ID.
func (p *Plan) number() {
	id := 0
	for _, f := range p.Folders {
		for _, s := range f.Steps {
			id++
			s.ID = id
		}
	}
}

// Value returns the plan as plain data.
func (p *Plan) Value() wire.Map {
	steps := wire.List{}
	for _, s := range p.Steps("", "", 0) {
		v := s.Value()
		delete(v, "keys") // a printed plan counts; the keys are asked for step by step
		steps = append(steps, v)
	}
	return wire.Map{"steps": steps}
}

// pairs reports whether messages are paired that were not before: the journal is
// to tell of them, also where nothing else is done.
func (p *Plan) pairs() bool {
	return slices.ContainsFunc(p.Folders, func(fp *FolderPlan) bool {
		return slices.ContainsFunc(fp.put, func(row *state.Row) bool { return row.ID < 0 })
	})
}
