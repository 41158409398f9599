package engine

import (
	"cmp"
	"context"
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// A plan needs the rows of the messages that something happened to, and those that are
// odd. The others are neither read nor kept in memory, however many there are.

// few reports whether the rows of what changed are enough to plan the folder. They
// are not where a plan weighs all its messages against each other, or where it is
// made of more than what changed.
func (r *reading) few() bool {
	if r.p.far == nil || r.p.near == nil || r.p.removed != 0 || r.p.was != nil || !r.e.fewFor(&r.p) {
		return false
	}
	policy := r.p.known.Policy // of another one all rows are looked at, see recallAll
	return policy == "" || policy == r.e.policyOf(&r.p)
}

// fewFor reports whether what is known of a folder, and the options, allow for it.
func (e *Engine) fewFor(p *pair) bool {
	k := p.known
	return k != nil && k.Messages > 0 && e.doubt == "" &&
		e.Policy.Mirror == 0 && e.Policy.MaxMessages <= 0 && e.Keep.Messages == nil && !e.Convert
}

// tooMany reports whether to load all the rows costs less than to look for those
// of n messages.
func (r *reading) tooMany(n int) bool { return n > r.e.fewRows && n > r.p.known.Messages/4 }

// fewRows is how many rows are few, however small their folder is.
const fewRows = 100

// gathering takes what is read of one side. Its rows are found when it is known
// what they are; or it turns out that all of them are needed.
type gathering struct {
	r     *reading
	side  state.Side
	metas []mail.Meta
	fresh Metas  // those that the sieve does not know
	sieve *sieve // nil as long as few messages came
	came  bool   // it is not as the last run left it
	c     *comparer
}

// gather returns what takes the messages of a side as they are read.
func (r *reading) gather(side state.Side) *gathering {
	g := &gathering{r: r, side: side}
	if !r.awaiting {
		g.c = newComparer(r.rows, side)
	}
	return g
}

func (g *gathering) add(ctx context.Context) func(batch []mail.Meta) error {
	return func(batch []mail.Meta) error {
		g.came = g.r.since(g.side) != "" // else it is read in full for other reasons
		if g.came && !g.r.early {
			g.r.e.news.tell()
		}
		if g.c == nil {
			return g.take(ctx, batch)
		}
		return g.c.add(batch)
	}
}

// take gathers a batch. Where there are many messages, most of them are as the rows
// tell.
func (g *gathering) take(ctx context.Context, batch []mail.Meta) (err error) {
	if g.sieve == nil {
		g.metas = append(g.metas, batch...)
		if !g.r.tooMany(len(g.metas)) {
			return nil
		}
		g.sieve, err = newSieve(ctx, g.r.e.State, g.r.p.recorded(), g.side, g.r.p.known.Messages)
		if err != nil {
			return err
		}
		batch, g.metas = g.metas, nil
	}
	for _, m := range batch {
		switch known, more := g.sieve.look(m); {
		case !known:
			g.fresh.Add(m)
		case more:
			g.metas = append(g.metas, m)
		}
	}
	return nil
}

// result is that of the reading, for those of its messages that were kept.
func (g *gathering) result(res mail.Result) mail.Result {
	if g.sieve == nil {
		return res
	}
	return g.sieve.partial(res)
}

// meetRows finds the rows of what was gathered, where they are not there yet.
func (r *reading) meetRows(ctx context.Context, sides [2]*gathering, results [2]mail.Result) error {
	if !r.awaiting {
		return nil
	}
	keys := r.announced()
	whole := false
	for i, g := range sides {
		for _, m := range g.metas {
			keys[i].Add(m.Key)
		}
		res := g.result(results[i])
		keys[i].AddSet(res.Gone)
		whole = whole || res.Complete || !res.Present.Empty() || r.tooMany(keys[i].Len())
	}
	if whole {
		if err := r.whole(ctx); err != nil {
			return err
		}
	} else {
		found, err := r.e.State.Find(ctx, r.p.recorded(), state.Wanted{Far: keys[0], Near: keys[1],
			Last: reusedLook + keys[0].Len() + keys[1].Len()})
		if err != nil {
			return err
		}
		slices.SortFunc(found.Rows, func(a, b state.Row) int {
			return cmp.Or(cmp.Compare(a.Far, b.Far), cmp.Compare(a.ID, b.ID))
		})
		r.rows, r.beyond, r.awaiting = found.Rows, found.Messages-len(found.Rows), false
		r.apart = apartIn(r.rows)
	}
	for _, g := range sides {
		if g.c == nil {
			g.c = newComparer(r.rows, g.side)
			if err := g.c.add(g.metas); err != nil {
				return err
			}
			for m := range g.fresh.All() {
				g.c.addNew(m)
			}
			g.metas, g.fresh = nil, Metas{}
		}
		g.c.beyond = r.beyond
	}
	return nil
}

// whole loads the rows that were left out. What a run that was cut short had done for
// some of the others is not in the state yet.
func (r *reading) whole(ctx context.Context) error {
	if !r.awaiting && r.beyond == 0 {
		return nil
	}
	completed := map[int64]state.Row{}
	for _, row := range r.rows {
		if r.touched[row.ID] {
			completed[row.ID] = row
		}
	}
	r.rows = nil
	if err := r.load(ctx, &r.rows); err != nil {
		return err
	}
	for i := range r.rows {
		if row, ok := completed[r.rows[i].ID]; ok {
			r.rows[i] = row
		}
	}
	r.beyond, r.awaiting = 0, false
	r.apart = apartIn(r.rows)
	return nil
}

func (r *reading) load(ctx context.Context, into *[]state.Row) error {
	return r.e.State.Load(ctx, r.p.recorded(), state.Far, func(rows []state.Row) error {
		if *into == nil {
			*into = make([]state.Row, 0, min(max(r.p.known.Messages, len(rows)), 1<<20))
		}
		*into = append(*into, rows...)
		return nil
	})
}

// rowsKept tells which of a folder's rows a reading has.
type rowsKept struct {
	early    bool // nobody knows yet whether the folder is planned
	awaiting bool // the rows are looked for when it is known which
	beyond   int  // rows of the folder that are not among those that were found
}
