package endpoint

import (
	"context"
	"iter"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
)

// keysPerValue keeps a key set on the wire far below wire.MaxSize, also with
// long names.
const keysPerValue = 30_000

// portions yields a set in pieces that may cross a channel. The empty set is one
// empty piece.
func portions(s mail.KeySet) iter.Seq[mail.KeySet] {
	if len(s.Names()) <= keysPerValue && len(s.UIDs()) <= keysPerValue {
		return func(yield func(mail.KeySet) bool) { yield(s) }
	}
	return s.Chunks(keysPerValue)
}

// sendKeys sends a key set under a name.
func sendKeys(ctx context.Context, s interface {
	Send(context.Context, wire.Value) error
}, name string, keys mail.KeySet) error {
	for piece := range portions(keys) {
		if err := s.Send(ctx, wire.Map{name: piece}); err != nil {
			return err
		}
	}
	return nil
}
