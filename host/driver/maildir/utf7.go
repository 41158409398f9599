package maildir

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Modified UTF-7 (RFC 3501 section 5.1.3): printable ASCII stands for itself,
// "&" is written "&-", everything else is UTF-16 in base64 between "&" and "-",
// with "," in place of "/".
var utf7Base64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

var errUTF7 = errors.New("it is not modified UTF-7")

func encodeUTF7(s string) string {
	var out strings.Builder
	var run []rune
	flush := func() {
		if len(run) == 0 {
			return
		}
		var raw []byte
		for _, unit := range utf16.Encode(run) {
			raw = append(raw, byte(unit>>8), byte(unit))
		}
		out.WriteString("&" + utf7Base64.EncodeToString(raw) + "-")
		run = run[:0]
	}
	for _, r := range s {
		if r < 0x20 || r > 0x7e {
			run = append(run, r)
			continue
		}
		flush()
		if out.WriteByte(byte(r)); r == '&' {
			out.WriteByte('-')
		}
	}
	flush()
	return out.String()
}

// decodeUTF7 reads what encodeUTF7 writes, and nothing else: a name that is
// written in another way could not be found again by its UTF-8 form.
func decodeUTF7(s string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '&' {
			out.WriteByte(s[i])
			continue
		}
		end := strings.IndexByte(s[i:], '-')
		if end < 0 {
			return "", errUTF7
		}
		word := s[i+1 : i+end]
		i += end
		if word == "" {
			out.WriteByte('&')
			continue
		}
		raw, err := utf7Base64.DecodeString(word)
		if err != nil || len(raw)%2 != 0 {
			return "", errUTF7
		}
		units := make([]uint16, 0, len(raw)/2)
		for j := 0; j < len(raw); j += 2 {
			units = append(units, uint16(raw[j])<<8|uint16(raw[j+1]))
		}
		out.WriteString(string(utf16.Decode(units)))
	}
	if text := out.String(); utf8.ValidString(text) && encodeUTF7(text) == s {
		return text, nil
	}
	return "", errUTF7
}
