package luaapi

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// parseSize reads octets, or a number with a unit: "200k", "20M", "1G".
func parseSize(v any) (int64, error) {
	n, err := parseUnits(v, "a size such as \"20M\"", map[byte]float64{'k': 1 << 10, 'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30})
	return int64(min(n, 1<<62)), err
}

// parseAge reads seconds, or a number with a unit: "30s", "15m", "2h", "30d",
// "8w", "2y".
func parseAge(v any) (time.Duration, error) {
	const day = 24 * 60 * 60
	n, err := parseUnits(v, "an age such as \"30d\"",
		map[byte]float64{'s': 1, 'm': 60, 'h': 60 * 60, 'd': day, 'w': 7 * day, 'y': 365 * day})
	return time.Duration(min(n, math.MaxInt64/1e9) * float64(time.Second)), err
}

func parseUnits(v any, what string, units map[byte]float64) (float64, error) {
	n, unit := 0.0, 1.0
	switch v := v.(type) {
	case float64:
		n = v
	case string:
		digits := v
		if v != "" && units[v[len(v)-1]] != 0 {
			digits, unit = v[:len(v)-1], units[v[len(v)-1]]
		}
		var err error
		if n, err = strconv.ParseFloat(digits, 64); err != nil {
			return 0, fmt.Errorf("%q is not %s", v, what)
		}
	}
	if n *= unit; n < 0 || n != n {
		return 0, fmt.Errorf("%v is not %s", v, what)
	}
	return n, nil
}
