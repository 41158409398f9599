package endpoint

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
)

// Rate is how fast a Store may be used. It is shared by the endpoints that one
// server sees as one user.
type Rate struct {
	octets, calls *bucket
}

// NewRate returns a rate of octets of content and of calls, each per second. 0
// is no limit. What was not used for a second is saved up, no more.
func NewRate(octets, calls float64) *Rate {
	return &Rate{octets: newBucket(octets), calls: newBucket(calls)}
}

// bucket is a token bucket that may be overdrawn: whoever finds it empty waits,
// whoever does not takes what he needs at once. So a message larger than a
// second's worth goes through, and everybody pays for it afterwards.
type bucket struct {
	rate float64 // per second

	mu   sync.Mutex
	left float64
	at   time.Time
}

func newBucket(rate float64) *bucket {
	if rate <= 0 {
		return nil
	}
	return &bucket{rate: rate, left: rate}
}

// take waits until the bucket is not overdrawn, then takes n.
func (b *bucket) take(ctx context.Context, n float64) error {
	if b == nil || n <= 0 {
		return nil
	}
	for {
		wait := b.try(n)
		if wait <= 0 {
			return nil
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		}
	}
}

// try takes n, or tells how long it is until somebody may.
func (b *bucket) try(n float64) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if !b.at.IsZero() {
		b.left = min(b.rate, b.left+now.Sub(b.at).Seconds()*b.rate)
	}
	b.at = now
	if b.left < 0 {
		return max(time.Duration(-b.left/b.rate*float64(time.Second)), time.Millisecond)
	}
	b.left -= n
	return 0
}

// Throttle returns a Store that is used no faster than a rate. Waiting honours
// the context.
func Throttle(inner driver.Store, rate *Rate) driver.Store {
	return &around{
		Store: inner,
		run: func(ctx context.Context, c *call, do func() error) error {
			if c.op == OpOpen {
				return do()
			}
			if err := rate.calls.take(ctx, 1); err != nil {
				return err
			}
			return do()
		},
		body: func(ctx context.Context, _ *call, _ mail.Meta, body mail.Body) mail.Body {
			if _, twice := body.Reader.(io.Seeker); twice {
				// Read twice, it still goes over the wire once.
				paid := false
				body.Reader = onRead(body.Reader, func(int) error {
					if paid {
						return nil
					}
					paid = true
					return rate.octets.take(ctx, float64(body.Size))
				})
				return body
			}
			body.Reader = onRead(body.Reader, func(n int) error { return rate.octets.take(ctx, float64(n)) })
			return body
		},
	}
}
