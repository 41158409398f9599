package endpoint_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/mail"
)

// ledger is a caller that keeps the crash protocol: which messages it has
// announced and what it was told of them.
type ledger struct {
	t         testing.TB
	intents   map[mail.Key]mail.Key // source -> reserved key
	pairs     map[mail.Key]mail.Placed
	doubtful  []mail.Key
	batches   []int
	beginFail error
	endFail   error
}

func newLedger(t testing.TB) *ledger {
	return &ledger{t: t, intents: map[mail.Key]mail.Key{}, pairs: map[mail.Key]mail.Placed{}}
}

func (l *ledger) options() endpoint.CopyOptions {
	return endpoint.CopyOptions{Begin: l.begin, End: l.end}
}

func (l *ledger) begin(_ context.Context, r mail.Reservation, keys []mail.Key) error {
	if l.beginFail != nil {
		return l.beginFail
	}
	require.Empty(l.t, l.intents, "the batch before was settled")
	for i, k := range keys {
		l.intents[k] = ""
		if len(r.Keys) > 0 {
			l.intents[k] = r.Keys[i]
		}
	}
	return nil
}

func (l *ledger) end(_ context.Context, b endpoint.CopyBatch) error {
	if l.endFail != nil {
		return l.endFail
	}
	n := 0
	for _, c := range b.Copied {
		require.Contains(l.t, l.intents, c.Source, "nothing is delivered before it was announced")
		require.Equal(l.t, l.intents[c.Source], c.Meta.Key)
		if c.Placed.Err == nil {
			l.pairs[c.Source] = c.Placed
			n++
		}
	}
	l.batches = append(l.batches, n)
	l.doubtful = append(l.doubtful, b.Doubtful...)
	for _, k := range b.Keys {
		if !slices.Contains(b.Doubtful, k) {
			delete(l.intents, k)
		}
	}
	return nil
}
