package engine

import (
	"cmp"
	"maps"
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// undoPlan is what is to be given back, folder by folder.
type undoPlan []*undoFolder

type undoFolder struct {
	name   string
	lost   []*lostMessage
	moved  []*movedMessage       // here, by the run
	trash  []*movedMessage       // from here to the trash, by the run
	flags  map[int64]*flagChange // by row
	unkept int                   // removed, and not kept
	// removed tells that the run removed the folder itself.
	removed bool
}

// lostMessage is a message that a run removed, on one side or both.
type lostMessage struct {
	state.Event
	written Sides // where the run removed it
}

// movedMessage is a message that a run moved to a folder, from Other.
type movedMessage struct {
	state.Event
	written Sides // where the run moved it; on the other side it had been moved
}

// flagChange is what a run made of the flags of a message, in all.
type flagChange struct {
	row           int64
	written       Sides
	before, after mail.Flags
}

func (c *flagChange) add() mail.Flags    { return c.before.Minus(c.after) }
func (c *flagChange) remove() mail.Flags { return c.after.Minus(c.before) }

// reverse finds out what gives back what the events of a run took. It is a pure
// function.
func reverse(events []state.Event) undoPlan {
	folders := map[string]*undoFolder{}
	lost := map[int64]*lostMessage{} // by row
	// A message that moves gets another row: what was done to it before is done
	// to that one.
	now := map[int64]state.Event{}
	for _, ev := range events {
		if Op(ev.Op) == OpMove && ev.Was != 0 && ev.Row != 0 {
			now[ev.Was] = ev
		}
	}
	for _, ev := range events {
		if to, moved := now[ev.Row]; moved && Op(ev.Op) == OpFlag {
			ev.Row, ev.Folder = to.Row, to.Folder
		}
		f := folders[ev.Folder]
		if f == nil {
			f = &undoFolder{name: ev.Folder, flags: map[int64]*flagChange{}}
			folders[ev.Folder] = f
		}
		switch Op(ev.Op) {
		case OpFlag:
			c := f.flags[ev.Row]
			if c == nil {
				c = &flagChange{row: ev.Row, before: ev.Before}
				f.flags[ev.Row] = c
			}
			c.after, c.written = ev.After, c.written|sidesOf(ev.Side)
		case OpMove:
			if ev.Row != 0 {
				f.moved = append(f.moved, &movedMessage{Event: ev, written: sidesOf(ev.Side)})
			}
		case OpDrop:
			f.removed = true
		case logTrash:
			f.trash = append(f.trash, &movedMessage{Event: ev, written: sidesOf(ev.Side)})
		case OpRemove:
			if l := lost[ev.Row]; l != nil && ev.Row != 0 {
				l.written |= sidesOf(ev.Side)
				l.Spool = cmp.Or(l.Spool, ev.Spool)
				continue
			}
			l := &lostMessage{Event: ev, written: sidesOf(ev.Side)}
			lost[ev.Row] = l
			f.lost = append(f.lost, l)
		}
	}
	for _, f := range folders {
		for _, l := range f.lost {
			// A message that was flagged and removed comes back as it was before
			// both.
			if c := f.flags[l.Row]; c != nil && l.Row != 0 {
				l.Before = c.before
				delete(f.flags, l.Row)
			}
			l.Before = l.Before.Minus(mail.Flags{System: mail.Deleted})
		}
		f.lost = slices.DeleteFunc(f.lost, func(l *lostMessage) bool {
			if l.Spool == "" {
				f.unkept++
			}
			return l.Spool == ""
		})
		maps.DeleteFunc(f.flags, func(_ int64, c *flagChange) bool { return c.add().Empty() && c.remove().Empty() })
	}
	var plan undoPlan
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		if f := folders[name]; len(f.lost)+len(f.moved)+len(f.trash)+len(f.flags)+f.unkept > 0 || f.removed {
			plan = append(plan, f)
		}
	}
	return plan
}

func (p undoPlan) empty() bool { return len(p) == 0 }

func (p undoPlan) restores() bool {
	return slices.ContainsFunc(p, func(f *undoFolder) bool { return len(f.lost) > 0 })
}

// value is the plan as it is printed.
func (p undoPlan) value(back []renamedFolder) wire.Map {
	steps := wire.List{}
	add := func(folder, op string, n int, reason string) {
		if n > 0 {
			steps = append(steps, wire.Map{"id": int64(len(steps) + 1), "op": op, "folder": folder, "side": "both",
				"count": int64(n), "reason": reason, "add": wire.List{}, "remove": wire.List{}})
		}
	}
	for _, f := range p {
		add(f.name, "flags", len(f.flags), "as they were before the run")
		if f.removed {
			add(f.name, "create", 1, "removed by the run")
		}
		add(f.name, "move", len(f.moved), "back to where they were")
		add(f.name, "restore", len(f.trash), "out of the trash")
		add(f.name, "restore", len(f.lost), "removed by the run")
		add(f.name, "lost", f.unkept, "removed by the run and not kept")
	}
	for _, r := range back {
		add(r.to, "rename", 1, "back to "+r.from)
	}
	return wire.Map{"steps": steps}
}

// sortedFlags returns the changes of flags, those that are alike together.
func (f *undoFolder) sortedFlags() []*flagChange {
	return slices.SortedFunc(maps.Values(f.flags), func(a, b *flagChange) int {
		return cmp.Or(cmp.Compare(a.add().String(), b.add().String()), cmp.Compare(a.remove().String(), b.remove().String()),
			cmp.Compare(a.row, b.row))
	})
}
