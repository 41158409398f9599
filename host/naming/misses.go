package naming

import (
	"cmp"
	"slices"
	"strings"
)

// NearMisses returns the names that somebody who typed name may have meant, the
// likeliest first, and at most five: those that differ in case, that end with it
// or hold it, or that are a few mistakes away.
func NearMisses(name string, names []string) []string {
	type miss struct {
		name string
		far  int
	}
	typed := strings.ToLower(name)
	var found []miss
	for _, n := range names {
		have := strings.ToLower(n)
		_, last, nested := cutLast(have)
		far := -1
		switch {
		case have == typed:
			far = 0
		case nested && last == typed:
			far = 1
		case len(typed) > 2 && strings.Contains(have, typed), len(have) > 2 && strings.Contains(typed, have):
			far = 2
		default:
			if d := min(mistakes(typed, have), mistakes(typed, last)+1); d <= len(typed)/3+1 && d < len(have) {
				far = 2 + d
			}
		}
		if far >= 0 && n != name {
			found = append(found, miss{n, far})
		}
	}
	slices.SortStableFunc(found, func(a, b miss) int { return cmp.Compare(a.far, b.far) })
	var out []string
	for _, m := range found[:min(len(found), 5)] {
		out = append(out, m.name)
	}
	return out
}

// cutLast splits a name before its last level.
func cutLast(name string) (above, last string, nested bool) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// mistakes counts the letters that have to be put in, taken out or changed to
// make b out of a (Levenshtein's distance).
func mistakes(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := diagonal
			if a[i-1] != b[j-1] {
				change++
			}
			diagonal = row[j]
			row[j] = min(change, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
