package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// verifySample is how many pairs of a folder are looked at although nothing
// speaks against them.
const verifySample = 32

// verify finds out whether the pairs of an adoption are each one message, at
// little cost: files are read, from a server only what is needed. A pair whose
// sizes are equal is believed, but for a sample; where they differ, or where the
// sample has one that is wrong, the headers decide.
func (r *reading) verify(ctx context.Context, a *adoption) error {
	v := &verifying{r: r, a: a, seen: map[state.Side]map[mail.Key]seen{state.Far: {}, state.Near: {}}}
	var pairs, placeholders []*adopted
	for _, p := range a.pairs {
		if p.row.Status == state.StatusPair {
			pairs = append(pairs, p)
		} else {
			placeholders = append(placeholders, p)
		}
	}
	if err := v.placeholders(ctx, placeholders); err != nil {
		return err
	}
	for _, side := range []state.Side{state.Far, state.Near} {
		if err := v.look(ctx, side, pairs, false); err != nil {
			return err
		}
	}
	var look, fine []*adopted
	for _, p := range pairs {
		if far, near := v.size(p, state.Far), v.size(p, state.Near); far >= 0 && far == near {
			fine = append(fine, p)
		} else {
			look = append(look, p)
		}
	}
	sample, rest := spread(fine, verifySample)
	for _, side := range []state.Side{state.Far, state.Near} {
		if err := v.look(ctx, side, append(look, sample...), true); err != nil {
			return err
		}
	}
	v.judge(look)
	if v.judge(sample) > 0 {
		for _, side := range []state.Side{state.Far, state.Near} {
			if err := v.look(ctx, side, rest, true); err != nil {
				return err
			}
		}
		v.judge(rest)
		return nil
	}
	for _, p := range rest {
		v.describe(p)
	}
	return nil
}

// verifying is a verification under way.
type verifying struct {
	r    *reading
	a    *adoption
	seen map[state.Side]map[mail.Key]seen
}

// seen is what was seen of a message.
type seen struct {
	id   Identity
	like likeness
}

// look reads headers and sizes: of files always, of messages on a server when it
// is worth it.
func (v *verifying) look(ctx context.Context, side state.Side, pairs []*adopted, servers bool) error {
	var keys mail.KeySet
	want := mail.WantHeader
	for _, p := range pairs {
		key := p.row.Key(side)
		if _, done := v.seen[side][key]; done {
			continue
		}
		if _, isUID := key.UID(); isUID != servers {
			continue
		}
		if !servers {
			want |= mail.WantCRLFSize
		}
		keys.Add(key)
	}
	if keys.Empty() {
		return nil
	}
	err := v.r.e.store(side).Describe(ctx, refOf(v.r.p.name, v.r.results[side]), keys, want, func(ds []mail.Description) error {
		for _, d := range ds {
			size := v.a.metas[side][d.Key].Size
			if !servers {
				size = d.CRLFSize
			}
			v.seen[side][d.Key] = seen{HeaderIdentity(d.Header, size), likenessOf(d.Header)}
		}
		return nil
	})
	if _, partial := driver.AsPartial(err); partial {
		return nil // what cannot be read is not adopted
	}
	return err
}

// size is what both copies of a message have alike, -1 where it is not known.
func (v *verifying) size(p *adopted, side state.Side) int64 {
	if s, ok := v.seen[side][p.row.Key(side)]; ok {
		return s.id.bare()
	}
	return sizeOf(v.a.metas[side][p.row.Key(side)])
}

// judge compares the headers of pairs, and returns how many are of two messages.
func (v *verifying) judge(pairs []*adopted) (wrong int) {
	for _, p := range pairs {
		far, farSeen := v.seen[state.Far][p.row.Far]
		near, nearSeen := v.seen[state.Near][p.row.Near]
		switch {
		case !farSeen || !nearSeen, far.id.Header != near.id.Header && !far.like.of(near.like):
			v.wrong(p)
			wrong++
		case far.id.Header == near.id.Header:
			v.describe(p)
		}
		// The copies of a message that a tool or a server rewrote have no
		// identity in common.
	}
	return wrong
}

// placeholders looks at placeholders and their messages: a placeholder has the
// header of its message, but for the subject, and tells nothing of its size. What
// is noted is that of the message.
func (v *verifying) placeholders(ctx context.Context, pairs []*adopted) error {
	for _, side := range []state.Side{state.Far, state.Near} {
		for _, servers := range []bool{true, false} {
			if err := v.look(ctx, side, pairs, servers); err != nil {
				return err
			}
		}
	}
	for _, p := range pairs {
		far, farSeen := v.seen[state.Far][p.row.Far]
		near, nearSeen := v.seen[state.Near][p.row.Near]
		if !farSeen || !nearSeen || far.like.id != near.like.id {
			v.wrong(p)
			continue
		}
		p.row.Size, p.row.Ident = far.id.Size, far.id.Header
	}
	return nil
}

// wrong gives the messages of a pair back: it is of two.
func (v *verifying) wrong(p *adopted) {
	p.bad = true
	delete(v.a.used[state.Far], p.row.Far)
	delete(v.a.used[state.Near], p.row.Near)
}

// describe notes in a row what is known of its message.
func (v *verifying) describe(p *adopted) {
	p.row.Size = max(v.size(p, state.Far), sizeOf(v.a.metas[state.Far][p.row.Far]))
	for _, side := range []state.Side{state.Far, state.Near} {
		if s, ok := v.seen[side][p.row.Key(side)]; ok {
			p.row.Ident = s.id.Header
			return
		}
	}
}

// spread takes n of a list, from its whole length and with both of its ends.
func spread[T any](all []T, n int) (taken, rest []T) {
	if len(all) <= n {
		return all, nil
	}
	next := 0
	for i, one := range all {
		if i == next*(len(all)-1)/(n-1) {
			taken = append(taken, one)
			next++
		} else {
			rest = append(rest, one)
		}
	}
	return taken, rest
}
