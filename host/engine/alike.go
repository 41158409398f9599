package engine

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// There are servers that rewrite the header of what they are given. Their copy
// has another identity than ours, and is the same message all the same: by its
// Message-ID, or by its date, author and subject. That is too weak to pair any
// two messages by. It is enough where something else says already which message
// is meant: a row, or a delivery a moment ago.

// likeness is what a header still has in common with a rewritten one. A server
// may have added the Message-ID.
type likeness struct{ id, rest string }

func likenessOf(header []byte) likeness {
	field := fields(header, "message-id", "date", "from", "subject")
	like := likeness{id: field["message-id"]}
	if field["date"] != "" {
		like.rest = field["date"] + "\n" + field["from"] + "\n" + field["subject"]
	}
	return like
}

// alike reports whether two headers may be of one message.
func alike(a, b []byte) bool { return likenessOf(a).of(likenessOf(b)) }

// of reports whether two headers may be of one message.
func (x likeness) of(y likeness) bool {
	if x.id != "" && y.id != "" {
		return x.id == y.id
	}
	return x.rest != "" && x.rest == y.rest
}

// fields returns the first value of each of the named fields, with the space in
// it made even.
func fields(header []byte, names ...string) map[string]string {
	out := make(map[string]string, len(names))
	header = bytes.ReplaceAll(header, []byte("\r\n"), []byte{'\n'})
	for _, folded := range []string{"\n ", "\n\t"} {
		header = bytes.ReplaceAll(header, []byte(folded), []byte{' '})
	}
	for line := range bytes.Lines(header) {
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok {
			continue
		}
		for _, want := range names {
			if _, again := out[want]; !again && strings.EqualFold(string(name), want) {
				out[want] = strings.Join(strings.Fields(string(value)), " ")
			}
		}
	}
	return out
}

// replaced decides about messages of one side whose header is not the one that
// was recorded: whether other messages have their keys now, or the store merely
// altered what it was given. The copies on the other side are as they were, and
// tell.
func (r *reading) replaced(ctx context.Context, side state.Side, rows []state.Row, found map[mail.Key][]byte) (bool, error) {
	var keys mail.KeySet
	byKey := map[mail.Key]state.Row{}
	for _, row := range rows {
		if _, odd := found[row.Key(side)]; odd && row.Key(side.Other()) != "" {
			keys.Add(row.Key(side.Other()))
			byKey[row.Key(side.Other())] = row
		}
	}
	var altered []*state.Row
	ref := mail.Ref{Name: r.p.name, Epoch: r.epoch(side.Other())}
	if r.listed(side.Other()) != nil && !keys.Empty() {
		err := r.e.store(side.Other()).Describe(ctx, ref, keys, mail.WantHeader, func(ds []mail.Description) error {
			for _, d := range ds {
				row, ours := byKey[d.Key]
				if ours && HeaderIdentity(d.Header, -1).Header == row.Ident && alike(d.Header, found[row.Key(side)]) {
					row.Ident, row.Size = "", -1
					altered = append(altered, &row)
				}
			}
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	if len(altered) < len(found) {
		return true, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.altered = append(r.altered, altered...)
	return false, nil
}

// noteAltered adds to a plan that the copies of some rows differ, unless the
// rows change or go anyway: then the next run finds it out again.
func (r *reading) noteAltered(plan *FolderPlan) {
	busy := map[int64]bool{}
	for _, id := range plan.drop {
		busy[id] = true
	}
	for _, row := range plan.put {
		busy[row.ID] = true
	}
	for _, s := range plan.Steps {
		for _, it := range s.items.all() {
			if it.row != nil {
				busy[it.row.ID] = true
			}
		}
	}
	for _, row := range r.altered {
		if !busy[row.ID] {
			plan.put = append(plan.put, row)
			busy[row.ID] = true
		}
	}
}

// pairAlike pairs deliveries with what arrived, where their identities do not:
// those of which exactly one on either side has the same likeness.
func (r *reading) pairAlike(ctx context.Context, far, near []mail.Meta) ([][2]mail.Meta, error) {
	if len(far) == 0 || len(near) == 0 {
		return nil, nil
	}
	var list [2][]candidate
	for i, metas := range [][]mail.Meta{far, near} {
		side := []state.Side{state.Far, state.Near}[i]
		at := make(map[mail.Key]mail.Meta, len(metas))
		var keys mail.KeySet
		for _, m := range metas {
			at[m.Key] = m
			keys.Add(m.Key)
		}
		err := r.e.store(side).Describe(ctx, refOf(r.p.name, r.results[side]), keys, mail.WantHeader, func(ds []mail.Description) error {
			for _, d := range ds {
				list[i] = append(list[i], candidate{at[d.Key], likenessOf(d.Header)})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	byID := func(l likeness) string { return l.id }
	byRest := func(l likeness) string { return l.rest }
	pairs := onlyOnes(list[0], list[1], byID)
	used := map[mail.Key]bool{}
	for _, p := range pairs {
		used[p[0].Key], used[p[1].Key] = true, true
	}
	for i := range list {
		list[i] = slices.DeleteFunc(list[i], func(c candidate) bool { return used[c.meta.Key] })
	}
	return append(pairs, onlyOnes(list[0], list[1], byRest)...), nil
}

// candidate is a message that pairAlike looks at.
type candidate struct {
	meta mail.Meta
	like likeness
}

// onlyOnes pairs those that are the only ones of their kind on either side.
func onlyOnes(far, near []candidate, kind func(likeness) string) [][2]mail.Meta {
	by := map[string]*[2][]candidate{}
	for i, list := range [][]candidate{far, near} {
		for _, c := range list {
			k := kind(c.like)
			if k == "" {
				continue
			}
			if by[k] == nil {
				by[k] = new([2][]candidate)
			}
			by[k][i] = append(by[k][i], c)
		}
	}
	var pairs [][2]mail.Meta
	for _, both := range by {
		f, n := both[0], both[1]
		// Two Message-IDs that differ are two messages, whatever else is alike.
		if len(f) == 1 && len(n) == 1 && (f[0].like.id == "" || n[0].like.id == "" || f[0].like.id == n[0].like.id) {
			pairs = append(pairs, [2]mail.Meta{f[0].meta, n[0].meta})
		}
	}
	return pairs
}
