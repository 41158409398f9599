package syntax

import "strings"

// Nearest returns the candidate a misspelt name most likely means, or "". It
// forgives case and underscores, and about one mistake in three letters.
func Nearest(name string, candidates []string) string {
	best, least := "", len(name)/3+1
	plain := squash(name)
	for _, c := range candidates {
		if c == name {
			continue
		}
		if squash(c) == plain {
			return c
		}
		if d := distance(name, c, least); d < least || d == least && best == "" && d < len(c) {
			best, least = c, d
		}
	}
	return best
}

func squash(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s))
}

// distance counts the insertions, removals, changes and swaps of neighbours
// between two names; more than limit is reported as limit+1.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	older, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], older[j-2]+1)
			}
		}
		older, prev, cur = prev, cur, older
	}
	return min(prev[len(b)], limit+1)
}
