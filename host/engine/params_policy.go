package engine

import (
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// encode writes a policy as plain data; decodePolicy reads it.
func (p Policy) encode() wire.Map {
	flags := wire.Map{}
	for name, rule := range p.Flags {
		flags[name] = string(rule)
	}
	return wire.Map{
		"pull": int64(p.Pull), "push": int64(p.Push), "mirror": int64(p.Mirror), "expunge": int64(p.Expunge),
		"create": int64(p.Create), "remove": int64(p.Remove), "subscribe": int64(p.Subscribe),
		"trash_far": p.Trash.Far, "trash_near": p.Trash.Near,
		"trash_new_only": int64(p.Trash.NewOnly), "trash_from_other": int64(p.Trash.FromOther),
		"max_size": p.MaxSize, "max_messages": int64(p.MaxMessages), "expire_unread": p.ExpireUnread,
		"conflict": string(p.Conflict), "flags": flags, "copy_date": p.CopyDate,
		"guard": p.Guard.On, "guard_max": int64(p.Guard.Max), "guard_share": p.Guard.Share, "guard_hard": int64(p.Guard.Hard),
		"guard_account": int64(p.Guard.Account), "guard_new": int64(p.Guard.New),
		"undo": p.Undo.On, "undo_keep": int64(p.Undo.Keep), "undo_size": p.Undo.Size, "undo_path": p.Undo.Path,
	}
}

func decodePolicy(r *params) Policy {
	sides := func(name string) Sides { return Sides(r.number(name)) }
	p := Policy{
		Pull: Ops(r.number("pull")), Push: Ops(r.number("push")), Mirror: state.Side(r.number("mirror")),
		Expunge: sides("expunge"), Create: sides("create"), Remove: sides("remove"), Subscribe: sides("subscribe"),
		Trash: Trash{Far: r.text("trash_far"), Near: r.text("trash_near"),
			NewOnly: sides("trash_new_only"), FromOther: sides("trash_from_other")},
		MaxSize: r.number("max_size"), MaxMessages: int(r.number("max_messages")), ExpireUnread: r.bool("expire_unread"),
		Conflict: Conflict(r.text("conflict")), CopyDate: r.bool("copy_date"),
		Guard: Guard{On: r.bool("guard"), Max: int(r.number("guard_max")), Share: r.float("guard_share"), Hard: int(r.number("guard_hard")),
			Account: int(r.number("guard_account")), New: int(r.number("guard_new"))},
		Undo: Undo{On: r.bool("undo"), Keep: time.Duration(r.number("undo_keep")), Size: r.number("undo_size"), Path: r.text("undo_path")},
	}
	for name, v := range param[wire.Map](r, "flags") {
		rule, ok := v.(string)
		if !ok && r.bad == nil {
			r.bad = fault.New(fault.Internal, "set up the engine", "the rule of %s is a %T", name, v)
		}
		if p.Flags == nil {
			p.Flags = map[string]FlagRule{}
		}
		p.Flags[name] = FlagRule(rule)
	}
	return p
}

func (o Once) encode() wire.Map {
	return wire.Map{"pull": int64(o.Pull), "push": int64(o.Push), "narrow_pull": o.NarrowPull, "narrow_push": o.NarrowPush,
		"folders": list(o.Folders), "some": o.Folders != nil, "allow_removals": int64(o.AllowRemovals)}
}

func decodeOnce(r *params) Once {
	o := Once{Pull: Ops(r.number("pull")), Push: Ops(r.number("push")), NarrowPull: r.bool("narrow_pull"), NarrowPush: r.bool("narrow_push"),
		Folders: r.texts("folders"), AllowRemovals: int(r.number("allow_removals"))}
	if r.bool("some") && o.Folders == nil {
		o.Folders = []string{}
	}
	return o
}
