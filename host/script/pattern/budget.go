package pattern

import "errors"

// ErrTooComplex is the error of a search that used up its budget.
var ErrTooComplex = errors.New("pattern too complex: it tries too many ways to match this text")

// pollEvery is how many steps go by between two looks at the context: about
// twenty microseconds.
const pollEvery = 4096

// Budget bounds the work of one or more searches. The zero value has the
// default limit and never polls. It is for one goroutine.
type Budget struct {
	// Limit is the most steps; 0 means DefaultLimit.
	Limit int64
	// Poll is asked every few thousand steps; its error ends the search.
	Poll func() error

	used     int64
	nextPoll int64
}

// DefaultLimit takes about a second on a slow machine.
const DefaultLimit = 50_000_000

// Used returns the steps taken so far.
func (b *Budget) Used() int64 { return b.used }

func (b *Budget) take(n int) error {
	b.used += int64(n)
	if b.used < b.nextPoll {
		return nil
	}
	b.nextPoll = b.used + pollEvery
	limit := b.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	if b.used > limit {
		return ErrTooComplex
	}
	if b.Poll != nil {
		return b.Poll()
	}
	return nil
}
