package conn

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// utf7 is the alphabet of RFC 3501 section 5.1.3.
func utf7() *base64.Encoding {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,"
	return base64.NewEncoding(alphabet).WithPadding(base64.NoPadding).Strict()
}

// direct reports whether a byte stands for itself in modified UTF-7.
func direct(c byte) bool { return ' ' <= c && c <= '~' }

// EncodeName returns a folder name in modified UTF-7 (RFC 3501 section 5.1.3).
// Bytes that are not UTF-8 become U+FFFD.
func EncodeName(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); {
		if c := name[i]; direct(c) {
			b.WriteByte(c)
			if c == '&' {
				b.WriteByte('-')
			}
			i++
			continue
		}
		end := i
		for end < len(name) && !direct(name[end]) {
			end++
		}
		var wide []byte
		for _, unit := range utf16.Encode([]rune(name[i:end])) {
			wide = append(wide, byte(unit>>8), byte(unit))
		}
		b.WriteString("&" + utf7().EncodeToString(wide) + "-")
		i = end
	}
	return b.String()
}

// DecodeName returns the UTF-8 form of a folder name as the server writes it,
// and false when it is neither modified UTF-7 nor UTF-8: such a folder can be
// listed, but not be named again other than by its raw form.
func DecodeName(raw string) (string, bool) {
	if !utf8.ValidString(raw) {
		return "", false
	}
	var b strings.Builder
	shifted := false // the last thing was a base64 run
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c < ' ' || c == 0x7f:
			return "", false
		case c != '&':
			b.WriteByte(c)
			shifted = false
			i++
		default:
			end := strings.IndexByte(raw[i:], '-')
			if end < 0 {
				return "", false
			}
			run := raw[i+1 : i+end]
			i += end + 1
			if run == "" {
				b.WriteByte('&')
				shifted = false
				continue
			}
			text, ok := decodeRun(run)
			if !ok || shifted {
				return "", false
			}
			b.WriteString(text)
			shifted = true
		}
	}
	return b.String(), true
}

// decodeRun decodes one base64 run. Characters that stand for themselves must
// not be in it: a name has one encoding only.
func decodeRun(run string) (string, bool) {
	if strings.ContainsAny(run, "\r\n") {
		return "", false
	}
	wide, err := utf7().DecodeString(run)
	if err != nil || len(wide) == 0 || len(wide)%2 != 0 {
		return "", false
	}
	units := make([]uint16, 0, len(wide)/2)
	for i := 0; i < len(wide); i += 2 {
		units = append(units, uint16(wide[i])<<8|uint16(wide[i+1]))
	}
	runes := utf16.Decode(units)
	for i, r := range runes {
		if r < utf8.RuneSelf && direct(byte(r)) || r == utf8.RuneError && !wasError(units, i, runes) {
			return "", false
		}
	}
	return string(runes), true
}

// wasError reports whether the i-th rune was sent as U+FFFD, rather than made
// from half of a surrogate pair.
func wasError(units []uint16, i int, runes []rune) bool {
	at := 0
	for _, r := range runes[:i] {
		at += utf16.RuneLen(r)
	}
	return units[at] == utf8.RuneError
}

// repairName makes a name that imapclient accepts out of one that it would die
// of. The result names no folder that exists: what cannot be decoded becomes
// U+FFFD.
func repairName(raw string, utf8Names bool) string {
	if strings.EqualFold(raw, "INBOX") {
		return "INBOX"
	}
	if utf8Names && utf8.ValidString(raw) && !strings.ContainsFunc(raw, isControl) {
		return strings.ReplaceAll(raw, "&", "&-")
	}
	if _, ok := DecodeName(raw); ok {
		return raw
	}
	var b strings.Builder
	for _, r := range raw {
		if r == '&' || r == utf8.RuneError || isControl(r) {
			r = utf8.RuneError
		}
		b.WriteRune(r)
	}
	return b.String()
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
