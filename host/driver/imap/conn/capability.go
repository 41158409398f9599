package conn

import (
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// capabilities are what the server can do, without what is to be ignored.
type capabilities struct {
	set     imap.CapSet // nil while they are not known
	without []string
}

// read replaces the capabilities by a list the server sent.
func (c *capabilities) read(list []Value) {
	c.set = imap.CapSet{}
	for _, v := range list {
		if isAtom(v.Text) && !c.ignored(v.Text) {
			c.set[canonicalCap(v.Text)] = struct{}{}
		}
	}
}

// canonicalCap is the spelling under which package imap knows a capability.
func canonicalCap(name string) imap.Cap {
	for _, c := range [...]imap.Cap{imap.CapIMAP4rev1, imap.CapIMAP4rev2} {
		if strings.EqualFold(name, string(c)) {
			return c
		}
	}
	return imap.Cap(strings.ToUpper(name))
}

// ignored reports whether a capability, or one that it stands on, is not to be
// used.
func (c *capabilities) ignored(name string) bool {
	return slices.ContainsFunc(c.without, func(w string) bool {
		return strings.EqualFold(w, name) ||
			strings.EqualFold(w, string(imap.CapCondStore)) && strings.EqualFold(name, string(imap.CapQResync)) ||
			strings.EqualFold(w, string(imap.CapUTF8Accept)) && strings.EqualFold(name, "UTF8=ONLY")
	})
}

// has reports whether there is a capability, also when another one implies it.
func (c *capabilities) has(name imap.Cap) bool { return !c.ignored(string(name)) && c.set.Has(name) }

// names reports whether the server names a capability itself.
func (c *capabilities) names(name imap.Cap) bool {
	_, ok := c.set[name]
	return ok
}

// notEnabled takes QRESYNC away: it needs ENABLE, while CONDSTORE, which comes
// with it, does not.
func (c *capabilities) notEnabled() {
	if _, ok := c.set[imap.CapQResync]; ok {
		delete(c.set, imap.CapQResync)
		c.set[imap.CapCondStore] = struct{}{}
	}
}

// forClient is the list imapclient is given. IMAP4rev2 is left out where
// IMAP4rev1 is there: it has not been enabled, but imapclient would write names
// as if it were.
func (c *capabilities) forClient() string {
	var list []string
	_, rev1 := c.set[imap.CapIMAP4rev1]
	for name := range c.set {
		if name != imap.CapIMAP4rev2 || !rev1 {
			list = append(list, string(name))
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}
