package engine

import (
	"maps"
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// allMail tells of a folder that is every folder at once (RFC 6154; "All Mail" of
// Gmail) where others are in sight beside it: each message would be near twice.
func (e *Engine) allMail() {
	seen := func(f *mail.Folder) bool { return !f.Hidden && f.Fault == "" && f.Selectable() }
	far := e.listed[state.Far]
	others := 0
	for _, f := range far {
		if seen(f) && !f.HasAttr(`\All`) {
			others++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(far)) {
		if f := far[name]; others > 0 && seen(f) && !e.leftOut(name) && f.HasAttr(`\All`) {
			e.told(name, `it holds what the other folders hold, so that each message is kept twice; leave it out with folders = { "*", "!\\All" }`)
		}
	}
}
