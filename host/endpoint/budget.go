package endpoint

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// Budget bounds the bytes that are in flight at once, over everything that
// shares it. A nil Budget is no bound.
type Budget struct {
	capacity int64
	sem      *semaphore.Weighted
}

// NewBudget returns a budget of a number of bytes, at least one.
func NewBudget(bytes int64) *Budget {
	bytes = max(bytes, 1)
	return &Budget{capacity: bytes, sem: semaphore.NewWeighted(bytes)}
}

// take waits until n bytes fit, and returns how to give them back. A message
// larger than the whole budget takes all of it, and goes alone.
func (b *Budget) take(ctx context.Context, n int64) (func(), error) {
	if b == nil {
		return func() {}, nil
	}
	n = min(max(n, 1), b.capacity)
	if err := b.sem.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { b.sem.Release(n) }, nil
}
