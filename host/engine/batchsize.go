package engine

import "time"

// A batch is copied, made durable and recorded as one. Its size follows the rate
// at which messages come: making a batch durable costs about the same whatever
// its size, so batches are large where much comes in little time, and where
// little comes, nobody waits long for what is done to be recorded.
const (
	batchMessages = 500
	batchBytes    = 8 << 20

	largestMessages = 4 * batchMessages

	// A batch that took less than quick is followed by one of twice its size, one
	// that took longer than slow by one of half its size.
	quick = 300 * time.Millisecond
	slow  = 2 * time.Second
)

// batchSize is how large the next batch may be. The zero value is ready.
type batchSize struct{ doubled int }

// messages is how many messages there may be in the next batch.
func (b *batchSize) messages() int { return batchMessages << b.doubled }

// bytes is after how many octets the next batch ends.
func (b *batchSize) bytes() int64 { return batchBytes << b.doubled }

// took notes how long the delivery of a batch took.
func (b *batchSize) took(d time.Duration) {
	switch {
	case d < quick && b.messages() < largestMessages:
		b.doubled++
	case d > slow && b.doubled > 0:
		b.doubled--
	}
}
