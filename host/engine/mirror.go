package engine

import (
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
)

// pairing reports whether the folder was never in step with what the state knows
// of it: nothing is removed then.
func (r *reading) pairing() bool {
	return r.p.known == nil || r.p.known.Policy == "" || r.e.doubt != ""
}

// checkMirror refuses to mirror a folder for the first time to where there is mail
// that does not come from its source: it would have to go. A folder that is
// paired anew is left alone for this run.
func (r *reading) checkMirror() error {
	target := r.e.Policy.Mirror
	if target == 0 {
		return nil
	}
	own := 0
	delta := r.deltas[target]
	for m := range delta.New.All() {
		if !m.Hidden {
			own++
		}
	}
	switch {
	case own == 0:
	case r.p.known == nil:
		return fault.New(fault.Guard, "mirror", "the %s side holds %d messages that are not on the %s side, and mirroring would remove them",
			target, own, target.Other()).InFolder(r.p.name).
			WithHint("nothing was changed; sync once without mirror, or move them elsewhere")
	case r.pairing():
		r.notes = append(r.notes, "the "+target.String()+" side has mail of its own, which is left alone in this run")
	}
	return nil
}

// unmirrored tells about a folder that only the target of a mirror has. It is
// left alone, with what is in it.
func (e *Engine) unmirrored(p *pair, missing state.Side) {
	if e.Policy.Mirror != 0 && missing == e.Policy.Mirror.Other() && p.known == nil {
		e.told(p.name, "the folder is on the %s side only, which is a mirror: it is left alone", e.Policy.Mirror)
	}
}
