package mail

import "time"

// The dates that every store can keep. Servers and file systems count seconds in
// 32 bits, some of them without a sign: what is before 1970 comes back from
// Dovecot as a date around 2100.
var (
	firstDate = time.Unix(0, 0).UTC()
	lastDate  = time.Date(2106, 1, 1, 0, 0, 0, 0, time.UTC)
)

// StorableDate moves an arrival date into what every store can keep. The zero
// time, which is no date, stays.
func StorableDate(t time.Time) time.Time {
	switch {
	case t.IsZero():
		return t
	case t.Before(firstDate):
		return firstDate
	case t.After(lastDate):
		return lastDate
	}
	return t
}
