package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/state"
)

// Keep says which far messages are kept near. The others stay far, and are
// neither new nor removed.
type Keep struct {
	// Messages is asked about far messages, with the near names of their
	// folders; nil keeps them all.
	Messages *predicate.Predicate
	// Call runs the functions of Messages; nil where it has none.
	Call func(ctx context.Context, id string, v *predicate.View) (bool, error)
}

// keeper returns the far side with the messages marked that are not kept near. A
// message that the predicate fails on is kept, and told as a failure.
func (e *Engine) keeper() driver.Store {
	return endpoint.Filter(e.Far, endpoint.FilterOptions{
		Messages: e.Keep.Messages, Call: e.Keep.Call, Keep: true,
		Failed: func(ctx context.Context, folder string, key mail.Key, err error) error {
			return e.folderFailed(ctx, folder, withKey(err, key))
		},
	})
}

// keepRules are what the predicate decides about by itself.
func (e *Engine) keepRules() KeepRules {
	rules := KeepRules{Never: e.Convert}
	if p := e.Keep.Messages; p != nil {
		rules.Flagged, rules.Unread = p.Mentions(predicate.Flagged), p.Mentions(predicate.Seen)
	}
	return rules
}

// hasRoom reports whether the newest messages that max_messages keeps near are
// fewer than it allows, while the far side has older ones that were never near:
// those have no row, and only a reading in full shows them.
func (r *reading) hasRoom(in Input) bool {
	if r.e.Policy.MaxMessages <= 0 || r.e.Keep.Messages != nil || r.p.far == nil || r.results[state.Far].Complete {
		return false
	}
	known := in.Far.New.Len()
	for _, row := range in.Rows {
		if row.Far != "" && !in.Far.Gone[row.ID] {
			known++
		}
	}
	// A Maildir does not tell how many messages it has.
	return (r.p.far.Count < 0 || r.p.far.Count > known) && len(in.candidates()) < r.e.Policy.MaxMessages
}
