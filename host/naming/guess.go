package naming

import "slices"

// FarNames returns the far names that a near name may stand for, where the list
// of far folders is not at hand: more than one with StripPrefix. A nil Rename
// changes nothing.
func (r *Rename) FarNames(near string) []string {
	if r == nil {
		return []string{near}
	}
	var out []string
	for _, plain := range []bool{false, true} {
		far := near
		var err error
		for i := len(r.steps) - 1; i >= 0 && err == nil; i-- {
			far, err = r.invert(i, far, plain)
		}
		if err == nil && checkName(far) == nil && !slices.Contains(out, far) {
			out = append(out, far)
		}
	}
	return out
}
