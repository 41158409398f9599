package imap

import (
	"iter"

	goimap "github.com/emersion/go-imap/v2"

	"github.com/imapfw/imapfw/host/mail"
)

// intersect returns the UIDs that are in both sets.
func intersect(a, b mail.KeySet) mail.KeySet {
	var out mail.KeySet
	x, y := a.UIDs(), b.UIDs()
	for len(x) > 0 && len(y) > 0 {
		if first, last := max(x[0].First, y[0].First), min(x[0].Last, y[0].Last); first <= last {
			out.AddUIDs(first, last)
		}
		if x[0].Last < y[0].Last {
			x = x[1:]
		} else {
			y = y[1:]
		}
	}
	return out
}

// minus returns the UIDs of a that are not in b.
func minus(a, b mail.KeySet) mail.KeySet {
	var out mail.KeySet
	drop := b.UIDs()
	for _, r := range a.UIDs() {
		first, last := uint64(r.First), uint64(r.Last)
		for len(drop) > 0 && uint64(drop[0].Last) < first {
			drop = drop[1:]
		}
		for _, d := range drop {
			if uint64(d.First) > last {
				break
			}
			if uint64(d.First) > first {
				out.AddUIDs(uint32(first), d.First-1)
			}
			first = uint64(d.Last) + 1
		}
		if first <= last {
			out.AddUIDs(uint32(first), uint32(last))
		}
	}
	return out
}

// pieces yields a set of UIDs in pieces of at most n, in order. It costs nothing
// per UID.
func pieces(set mail.KeySet, n int) iter.Seq[mail.KeySet] {
	return func(yield func(mail.KeySet) bool) {
		var piece mail.KeySet
		room := uint64(n)
		for _, r := range set.UIDs() {
			for first := uint64(r.First); first <= uint64(r.Last); {
				last := min(uint64(r.Last), first+room-1)
				piece.AddUIDs(uint32(first), uint32(last))
				room -= last - first + 1
				first = last + 1
				if room == 0 {
					if !yield(piece) {
						return
					}
					piece, room = mail.KeySet{}, uint64(n)
				}
			}
		}
		if !piece.Empty() {
			yield(piece)
		}
	}
}

// halves cuts a set of at least two UIDs in two.
func halves(set mail.KeySet) []mail.KeySet {
	var out []mail.KeySet
	for piece := range pieces(set, (set.Len()+1)/2) {
		out = append(out, piece)
	}
	return out
}

// bounds returns the first and the last UID of a set that is not empty.
func bounds(set mail.KeySet) (first, last uint32) {
	ranges := set.UIDs()
	return ranges[0].First, ranges[len(ranges)-1].Last
}

// imapSet returns a set of UIDs as imapclient takes it.
func imapSet(set mail.KeySet) goimap.UIDSet {
	out := make(goimap.UIDSet, 0, len(set.UIDs()))
	for _, r := range set.UIDs() {
		out = append(out, goimap.UIDRange{Start: goimap.UID(r.First), Stop: goimap.UID(r.Last)})
	}
	return out
}
