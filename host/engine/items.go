package engine

import (
	"cmp"
	"iter"
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// item is one message of a step. row is shared by all the steps that concern
// the same message: each notes in it what it has done, and records it.
type item struct {
	meta mail.Meta
	row  *state.Row // nil for a message that is new
	more *extra     // nil for most
}

// extra is what is to be known of few items only.
type extra struct {
	// marked is shared by the two steps that expunge one copy and mark the
	// other: whether the other carries the mark. nil elsewhere.
	marked *bool
	// agreed are the flags that the row agrees on when an upgrade was delivered
	// with those in meta.
	agreed mail.Flags
	// placeholder are the flags of the placeholder that an upgrade replaces.
	placeholder mail.Flags
	// standsFor is the message that a near message is a placeholder of, or nil.
	standsFor *Identity
	// note is the option that does not keep the message near, of an expiry.
	note  string
	again bool   // not new: it was removed on the other side, and is brought back
	moved *moved // for a move: what it makes of the message
}

// extra returns what there is besides, to be read.
func (it *item) extra() extra {
	if it.more == nil {
		return extra{}
	}
	return *it.more
}

// also returns what there is besides, to be written. Copies of the item do not see
// it.
func (it *item) also() *extra {
	own := it.extra()
	it.more = &own
	return it.more
}

// items is the list of a step's messages: packed, since there may be a million. It is
// handed on as a whole, as Metas is.
type items struct {
	metas Metas
	rows  []*state.Row // nil where no message has one
	more  []*extra     // nil likewise
}

func itemsOf(list ...item) items {
	var out items
	for _, it := range list {
		out.add(it)
	}
	return out
}

func (l *items) len() int { return l.metas.Len() }

func (l *items) add(it item) {
	n := l.len()
	l.metas.Add(it.meta)
	l.rows, l.more = addOne(l.rows, n, it.row), addOne(l.more, n, it.more)
}

// addOne adds to a list that is as long as another one, or nil as long as there is
// nothing in it.
func addOne[T any](list []*T, n int, one *T) []*T {
	if one == nil && list == nil {
		return nil
	}
	if list == nil {
		list = make([]*T, n, n+1)
	}
	return append(list, one)
}

func (l *items) at(i int) item {
	it := item{meta: l.metas.At(i)}
	if l.rows != nil {
		it.row = l.rows[i]
	}
	if l.more != nil {
		it.more = l.more[i]
	}
	return it
}

// setMore notes what there is besides about the i-th message.
func (l *items) setMore(i int, more *extra) {
	if l.more == nil {
		l.more = make([]*extra, l.len())
	}
	l.more[i] = more
}

// all yields the messages with their numbers.
func (l *items) all() iter.Seq2[int, item] {
	return func(yield func(int, item) bool) {
		for i := range l.len() {
			if !yield(i, l.at(i)) {
				return
			}
		}
	}
}

// slice returns the messages from one up to another.
func (l *items) slice(from, to int) []item {
	out := make([]item, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, l.at(i))
	}
	return out
}

// chunks yields the messages of the list as it is now, a few at a time.
func (l *items) chunks(n int) iter.Seq[[]item] {
	now := *l
	return func(yield func([]item) bool) {
		for from := 0; from < now.len(); from += n {
			if !yield(now.slice(from, min(from+n, now.len()))) {
				return
			}
		}
	}
}

// drop takes out the messages that are chosen, and returns how many. A list that was
// handed on before stays as it was.
func (l *items) drop(chosen func(item) bool) int {
	var first int
	for first = range l.len() {
		if chosen(l.at(first)) {
			return l.dropFrom(first, chosen)
		}
	}
	return 0
}

// dropFrom is drop when the first message that is chosen was found.
func (l *items) dropFrom(first int, chosen func(item) bool) int {
	var kept items
	for i, it := range l.all() {
		if i < first || i > first && !chosen(it) {
			kept.add(it)
		}
	}
	n := l.len() - kept.len()
	*l = kept
	return n
}

// sort orders the messages by key.
func (l *items) sort() {
	sorted, before := true, mail.Key("")
	for m := range l.metas.All() {
		if m.Key < before {
			sorted = false
			break
		}
		before = m.Key
	}
	if sorted {
		return
	}
	list := l.slice(0, l.len())
	slices.SortStableFunc(list, func(a, b item) int { return cmp.Compare(a.meta.Key, b.meta.Key) })
	*l = itemsOf(list...)
}
