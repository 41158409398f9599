package endpoint

import (
	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
)

// What follows turns the plain data of a Store into wire values and back. The
// two halves of a pair name the same fields.

func encodeFolders(folders []mail.Folder) wire.List {
	out := make(wire.List, len(folders))
	for i, f := range folders {
		attrs := make(wire.List, len(f.Attrs))
		for j, a := range f.Attrs {
			attrs[j] = a
		}
		out[i] = wire.Map{"name": f.Name, "raw": f.Raw, "attrs": attrs, "subscribed": f.Subscribed,
			"count": int64(f.Count), "epoch": f.Epoch, "cursor": string(f.Cursor), "limit": f.Limit, "id": f.ID,
			"hidden": f.Hidden, "fault": f.Fault}
	}
	return out
}

func decodeFolders(list wire.List) ([]mail.Folder, error) {
	out := make([]mail.Folder, len(list))
	for i, v := range list {
		f := read(v)
		one := mail.Folder{Name: f.text("name"), Raw: f.text("raw"), Subscribed: f.bool("subscribed"),
			Count: int(f.int("count")), Epoch: f.text("epoch"), Cursor: mail.Cursor(f.text("cursor")),
			Limit: f.int("limit"), ID: f.text("id"), Hidden: f.bool("hidden"), Fault: f.text("fault")}
		for _, a := range f.list("attrs") {
			attr, ok := a.(string)
			if !ok {
				return nil, malformed("an attribute is a %T", a)
			}
			one.Attrs = append(one.Attrs, attr)
		}
		if f.err != nil {
			return nil, f.err
		}
		out[i] = one
	}
	return out, nil
}

// encodeResult leaves the key sets out: they go ahead of it, in pieces.
func encodeResult(r mail.Result) wire.Map {
	return wire.Map{"epoch": r.Epoch, "id": r.ID, "cursor": string(r.Cursor), "complete": r.Complete,
		"rewound": r.Rewound, "unsure": r.Unsure, "filtered": r.Filtered}
}

func decodeResult(v wire.Value, present, gone mail.KeySet) (mail.Result, error) {
	f := read(v)
	return mail.Result{Epoch: f.text("epoch"), ID: f.text("id"), Cursor: mail.Cursor(f.text("cursor")), Complete: f.bool("complete"),
		Rewound: f.bool("rewound"), Unsure: f.bool("unsure"), Filtered: f.bool("filtered"), Present: present, Gone: gone}, f.err
}

func encodeKeys(keys []mail.Key) wire.List {
	out := make(wire.List, len(keys))
	for i, k := range keys {
		out[i] = string(k)
	}
	return out
}

func decodeKeys(list wire.List) ([]mail.Key, error) {
	var out []mail.Key
	for _, v := range list {
		k, ok := v.(string)
		if !ok {
			return nil, malformed("a key is a %T", v)
		}
		out = append(out, mail.Key(k))
	}
	return out, nil
}

func encodeReservation(r mail.Reservation) wire.Map {
	return wire.Map{"epoch": r.Epoch, "keys": encodeKeys(r.Keys), "next": string(r.Next)}
}

func decodeReservation(v wire.Value) (mail.Reservation, error) {
	f := read(v)
	keys, err := decodeKeys(f.list("keys"))
	if f.err != nil {
		err = f.err
	}
	return mail.Reservation{Epoch: f.text("epoch"), Keys: keys, Next: mail.Key(f.text("next"))}, err
}

func encodePlaced(placed []mail.Placed) wire.List {
	out := make(wire.List, len(placed))
	for i, p := range placed {
		out[i] = wire.Map{"key": string(p.Key), "flags": p.Flags, "dropped": p.Dropped, "mark": p.Mark.String(), "altered": encodeAltered(p.Altered), "err": wire.Fault(p.Err)}
	}
	return out
}

func encodeAltered(a *mail.Altered) wire.Value {
	if a == nil {
		return nil
	}
	return wire.Map{"header": a.Header, "grown": a.Grown}
}

func decodeAltered(f *fields) *mail.Altered {
	m := field[wire.Map](f, "altered")
	if m == nil {
		return nil
	}
	inner := read(m)
	a := &mail.Altered{Header: inner.bytes("header"), Grown: inner.int("grown")}
	if f.err == nil {
		f.err = inner.err
	}
	return a
}

func decodePlaced(list wire.List) ([]mail.Placed, error) {
	out := make([]mail.Placed, len(list))
	for i, v := range list {
		f := read(v)
		out[i] = mail.Placed{Key: mail.Key(f.text("key")), Flags: f.flags("flags"), Dropped: f.flags("dropped"), Mark: f.mark("mark"), Altered: decodeAltered(f), Err: f.fault("err")}
		if f.err != nil {
			return nil, f.err
		}
	}
	return out, nil
}

func encodeChanges(cs []mail.Change) wire.List {
	out := make(wire.List, len(cs))
	for i, c := range cs {
		out[i] = wire.Map{"key": string(c.Key), "op": int64(c.Op), "add": c.Add, "remove": c.Remove, "to": c.To}
	}
	return out
}

func decodeChanges(list wire.List) ([]mail.Change, error) {
	out := make([]mail.Change, len(list))
	for i, v := range list {
		f := read(v)
		out[i] = mail.Change{Key: mail.Key(f.text("key")), Op: mail.ChangeOp(f.int("op")),
			Add: f.flags("add"), Remove: f.flags("remove"), To: f.text("to")}
		if f.err != nil {
			return nil, f.err
		}
	}
	return out, nil
}

func encodeOutcomes(os []mail.Outcome) wire.List {
	out := make(wire.List, len(os))
	for i, o := range os {
		out[i] = wire.Map{"key": string(o.Key), "flags": o.Flags, "dropped": o.Dropped, "new_key": string(o.NewKey), "mark": o.Mark.String(),
			"gone": o.Gone, "err": wire.Fault(o.Err)}
	}
	return out
}

func decodeOutcomes(list wire.List) ([]mail.Outcome, error) {
	out := make([]mail.Outcome, len(list))
	for i, v := range list {
		f := read(v)
		out[i] = mail.Outcome{Key: mail.Key(f.text("key")), Flags: f.flags("flags"), Dropped: f.flags("dropped"),
			NewKey: mail.Key(f.text("new_key")), Mark: f.mark("mark"), Gone: f.bool("gone"), Err: f.fault("err")}
		if f.err != nil {
			return nil, f.err
		}
	}
	return out, nil
}

// encodeFailed writes the messages that failed within a call.
func encodeFailed(p *driver.Partial) wire.List {
	out := make(wire.List, 0, len(p.Failed))
	for k, err := range p.Failed {
		out = append(out, wire.Map{"key": string(k), "err": wire.Fault(err)})
	}
	return out
}

func decodeFailed(p *driver.Partial, list wire.List) error {
	for _, v := range list {
		f := read(v)
		key, err := mail.Key(f.text("key")), f.fault("err")
		if f.err != nil {
			return f.err
		}
		p.Fail(key, err)
	}
	return nil
}
