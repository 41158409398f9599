package lualib

import (
	"fmt"
	"strings"
	"time"
)

// layouts are the conversions that Go's own layouts express.
var layouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'h': "Jan",
	'c': "Mon Jan _2 15:04:05 2006", 'd': "02", 'D': "01/02/06", 'e': "_2", 'F': "2006-01-02",
	'H': "15", 'I': "03", 'm': "01", 'M': "04", 'p': "PM", 'r': "03:04:05 PM", 'R': "15:04",
	'S': "05", 'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05", 'y': "06", 'Y': "2006",
	'z': "-0700", 'Z': "MST",
}

// Strftime formats a time as strftime(3) does in the C locale, whatever the
// user's: the result ends up in Date: headers.
func Strftime(format string, t time.Time) (string, error) {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out.WriteByte(format[i])
			continue
		}
		if i++; i == len(format) {
			return "", fmt.Errorf("the format ends with '%%'")
		}
		c := format[i]
		if (c == 'E' || c == 'O') && i+1 < len(format) { // alternative forms are the same in the C locale
			i++
			c = format[i]
		}
		if layout, ok := layouts[c]; ok {
			out.WriteString(t.Format(layout))
			continue
		}
		if !convert(&out, c, t) {
			return "", fmt.Errorf("invalid conversion specifier '%%%c'", c)
		}
	}
	return out.String(), nil
}

func convert(out *strings.Builder, c byte, t time.Time) bool {
	isoYear, isoWeek := t.ISOWeek()
	weekday := int(t.Weekday())
	switch c {
	case '%':
		out.WriteByte('%')
	case 'n':
		out.WriteByte('\n')
	case 't':
		out.WriteByte('\t')
	case 'C':
		fmt.Fprintf(out, "%02d", t.Year()/100)
	case 'g':
		fmt.Fprintf(out, "%02d", isoYear%100)
	case 'G':
		fmt.Fprintf(out, "%d", isoYear)
	case 'j':
		fmt.Fprintf(out, "%03d", t.YearDay())
	case 's':
		fmt.Fprintf(out, "%d", t.Unix())
	case 'u':
		fmt.Fprintf(out, "%d", (weekday+6)%7+1)
	case 'U': // weeks from the first Sunday
		fmt.Fprintf(out, "%02d", (t.YearDay()+6-weekday)/7)
	case 'V':
		fmt.Fprintf(out, "%02d", isoWeek)
	case 'w':
		fmt.Fprintf(out, "%d", weekday)
	case 'W': // weeks from the first Monday
		fmt.Fprintf(out, "%02d", (t.YearDay()+6-(weekday+6)%7)/7)
	default:
		return false
	}
	return true
}
