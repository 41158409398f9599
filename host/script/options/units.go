package options

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseSize reads "200k", "20M", "1G" or a plain number of octets. As in mbsync,
// k is 1024; a B or iB may follow.
func ParseSize(s string) (int64, error) {
	bad := fmt.Errorf("%q is not a size such as \"20M\"", s)
	text := strings.ToLower(strings.TrimSpace(s))
	text = strings.TrimSuffix(strings.TrimSuffix(text, "b"), "i")
	unit := int64(1)
	if n := len(text); n > 0 {
		if i := strings.IndexByte("kmgt", text[n-1]); i >= 0 {
			unit, text = 1<<(10*(i+1)), strings.TrimSpace(text[:n-1])
		}
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n < 0 || n > math.MaxInt64/unit {
			return 0, bad
		}
		return n * unit, nil
	}
	if strings.Trim(text, "0123456789.") != "" {
		return 0, bad
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f*float64(unit) > 1<<53 {
		return 0, bad
	}
	return int64(f * float64(unit)), nil
}

var ageUnits = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour,
	'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour, 'y': 365 * 24 * time.Hour,
}

// ParseAge reads "30s", "15m", "2h", "30d", "8w" or "2y" (of 365 days).
func ParseAge(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is not an age such as \"30d\"", s)
	text := strings.TrimSpace(s)
	if text == "" {
		return 0, bad
	}
	unit, ok := ageUnits[text[len(text)-1]]
	n, err := strconv.ParseInt(strings.TrimSpace(text[:len(text)-1]), 10, 64)
	if !ok || err != nil || n < 0 || n > int64(math.MaxInt64/unit) {
		return 0, bad
	}
	return time.Duration(n) * unit, nil
}
