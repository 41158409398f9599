package naming

import (
	"maps"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Renaming returns the far names for giving a near folder another near name.
// Renaming a folder takes along those below it; where they would not get the
// same names on both sides it is fault.Unsupported. That is so where a renaming
// changes what is below what ("flatten"), or names one of them by itself ("map").
func (t *Table) Renaming(from, to string) (farFrom, farTo string, err error) {
	if strings.EqualFold(from, mail.Inbox) || strings.EqualFold(to, mail.Inbox) {
		return "", "", fault.New(fault.Refused, "rename folder", "the inbox stays what it is").InFolder(from)
	}
	if farFrom, err = t.Far(from); err != nil {
		return "", "", err
	}
	if farTo, err = t.Far(to); err != nil {
		return "", "", err
	}
	apart := func(folder string) error {
		return fault.New(fault.Unsupported, "rename folder", "the folder %q would not go along alike on both sides", folder).
			InFolder(from).WithHint("rename the folders below it one by one")
	}
	for _, far := range slices.Sorted(maps.Keys(t.far)) {
		e := t.far[far]
		if e.err != nil {
			continue // it is not kept in step
		}
		tail, below := strings.CutPrefix(far, farFrom+"/")
		nearTail, nearBelow := strings.CutPrefix(e.near, from+"/")
		if below != nearBelow {
			return "", "", apart(e.near)
		}
		if !below {
			continue
		}
		if near, err := t.Near(farTo + "/" + tail); err != nil || near != to+"/"+nearTail {
			return "", "", apart(e.near)
		}
	}
	return farFrom, farTo, nil
}
