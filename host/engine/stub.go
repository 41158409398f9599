package engine

import "github.com/imapfw/imapfw/host/state"

// A near copy may be a placeholder, which has a header of its own that says what
// it stands for. Moved to another folder it is recognised by that.

// stubs makes what a placeholder is recognised by different from what any message is.
const stubs = "placeholder of "

// stub reports whether what is gone on a side was a placeholder.
func (d *departure) stub(side state.Side) bool {
	return d.row.Status == state.StatusPlaceholder && side == state.Near
}

// identity is what the copy on a side is recognised by.
func (d *departure) identity(side state.Side) sameHeader {
	if d.stub(side) && d.row.Ident != "" {
		return sameHeader{header: stubs + d.row.Ident}
	}
	return sameHeader{d.id.Header, d.id.bare()}
}
