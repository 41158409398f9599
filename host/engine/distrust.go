package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/imapfw/imapfw/host/state"
)

// distrusted is in the place of the epoch of a folder whose keys must not be
// believed. It is the epoch of no folder.
const distrusted = "distrusted"

// distrust writes down for every folder that its keys are not to be believed on
// the sides that are in doubt. It is done before the sides get a new mark, which
// ends the doubt: what this run does not get to pair anew (it may be killed, it
// may be told to look into some folders only) is paired anew by a later one.
func (e *Engine) distrust(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(e.known)) {
		record := e.known[name]
		record.FarCursor, record.NearCursor, record.Policy = "", "", ""
		if e.doubted.Has(state.Far) {
			record.FarEpoch = distrusted
		}
		if e.doubted.Has(state.Near) {
			record.NearEpoch = distrusted
		}
		if err := e.State.Commit(ctx, name, &state.Change{Folder: &record}); err != nil {
			return err
		}
		e.known[name] = record
	}
	return nil
}

// distrusts reports whether what the state knows of a folder says nothing about
// one of its sides: neither which messages nor whether there is such a folder.
func (e *Engine) distrusts(known state.Folder, side state.Side) bool {
	epoch := known.FarEpoch
	if side == state.Near {
		epoch = known.NearEpoch
	}
	return e.doubted.Has(side) || epoch == distrusted
}
