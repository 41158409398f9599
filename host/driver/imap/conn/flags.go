package conn

// isAtomChar is what imapclient takes for part of an atom. It reads bytes from
// 0x80 to 0x9f as control characters.
func isAtomChar(c byte) bool {
	switch c {
	case '(', ')', '{', ' ', '%', '*', '"', '\\', ']':
		return false
	}
	return c > ' ' && c < 0x7f || c >= 0xa0
}

func isAtom(s string) bool {
	for i := range len(s) {
		if !isAtomChar(s[i]) {
			return false
		}
	}
	return s != ""
}

// validFlag reports whether a flag can be read and set by imapclient.
func validFlag(s string) bool {
	if len(s) > 0 && s[0] == '\\' {
		s = s[1:]
	}
	return isAtom(s)
}

// appendFlags appends a list of flags, without those that imapclient would die
// of. They are not lost on the server: flags are added and taken away one by
// one, never set as a whole.
func appendFlags(dst []byte, list []Value) []byte {
	dst = append(dst, '(')
	n := len(dst)
	for _, v := range list {
		if v.Kind != Atom || v.Text != `\*` && !validFlag(v.Text) {
			continue
		}
		if len(dst) > n {
			dst = append(dst, ' ')
		}
		dst = append(dst, v.Text...)
	}
	return append(dst, ')')
}

// appendRawFlags does the same from the bytes of a list, without its
// parentheses and without allocating: every FETCH has one.
func appendRawFlags(dst, list []byte) []byte {
	dst = append(dst, '(')
	n := len(dst)
	for len(list) > 0 {
		end := 0
		for end < len(list) && list[end] != ' ' {
			end++
		}
		if flag := list[:end]; validFlagBytes(flag) {
			if len(dst) > n {
				dst = append(dst, ' ')
			}
			dst = append(dst, flag...)
		}
		list = list[min(end+1, len(list)):]
	}
	return append(dst, ')')
}

func validFlagBytes(flag []byte) bool {
	if len(flag) > 0 && flag[0] == '\\' {
		flag = flag[1:]
	}
	for _, c := range flag {
		if !isAtomChar(c) {
			return false
		}
	}
	return len(flag) > 0
}
