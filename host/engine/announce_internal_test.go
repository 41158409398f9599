package engine

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// TestTheLastBatchIsWaitedFor: where the last messages are just being announced, there are
// no others, and these are not forgotten.
func TestTheLastBatchIsWaitedFor(t *testing.T) {
	last := &batch{intents: map[mail.Key]*state.Intent{}}
	for _, arrives := range []*batch{last, nil} {
		synctest.Test(t, func(t *testing.T) {
			c := &copier{step: &Step{}}
			c.announcing.coming = make(chan struct{})
			var got *batch
			var err error
			done := make(chan struct{})
			go func() {
				defer close(done)
				got, err = c.begin(t.Context())
			}()
			synctest.Wait()
			c.announcing.arrive(arrives)
			<-done
			require.NoError(t, err)
			require.Same(t, arrives, got)
			again, err := c.begin(t.Context())
			require.NoError(t, err)
			require.Nil(t, again)
		})
	}
}
