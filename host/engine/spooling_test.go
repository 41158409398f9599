package engine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/mail"
)

// away is a store in which a message is elsewhere while bodies are read, and back
// afterwards: a mail reader moved it, and undid that.
type away struct {
	driver.Store
	key mail.Key
}

func (a away) Unwrap() driver.Store { return a.Store }

func (a away) Bodies(ctx context.Context, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	var rest mail.KeySet
	for key := range keys.All() {
		if key != a.key {
			rest.Add(key)
		}
	}
	return a.Store.Bodies(ctx, ref, rest, fn)
}

// What did not get into the spool is not removed, even if it seemed to be gone.
func TestWhatIsBackIsNotRemovedWithoutASpool(t *testing.T) {
	eachKind(t, func(t *testing.T, w *world) {
		withUndo(t, w)
		for range 3 {
			w.far.Add("INBOX", w.message())
		}
		w.sync()
		far, near := w.far.Snapshot()["INBOX"], w.near.Snapshot()["INBOX"]
		w.far.Remove("INBOX", far[0].Key)
		w.far.Remove("INBOX", far[1].Key)
		var gone mail.Key
		for _, m := range near {
			if string(m.Body) == string(far[0].Body) {
				gone = m.Key
			}
		}
		w.well(w.between(w.far, away{w.near, gone}, func(c *engine.Config) { c.Spool = w.spool }))
		require.Len(t, w.near.Snapshot()["INBOX"], 2, "it is not in the spool")
		w.sync()
		require.Equal(t, 1, count(w.near, "INBOX"), "the next run sees that it is back")
		w.same()

		r, err := w.undo(0)
		require.NoError(t, err)
		require.NoError(t, r.Err())
		w.sync()
		require.Equal(t, 2, count(w.near, "INBOX"))
	})
}
