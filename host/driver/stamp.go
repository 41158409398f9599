package driver

import (
	"slices"
	"strings"
)

// MergeStamp returns what a stamp becomes by SetStamp, see Stamper.
func MergeStamp(old, stamp string) string {
	set := strings.Fields(stamp)
	kept := slices.DeleteFunc(strings.Fields(old), func(word string) bool {
		name, _, named := strings.Cut(word, ":")
		return !named || slices.ContainsFunc(set, func(w string) bool { return strings.HasPrefix(w, name+":") })
	})
	return strings.Join(append(kept, set...), " ")
}
