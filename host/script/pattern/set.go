package pattern

import "math/bits"

// set is a set of bytes.
type set [4]uint64

func (s *set) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *set) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }

func (s *set) addRange(from, to byte) {
	for c := int(from); c <= int(to); c++ {
		s.add(byte(c))
	}
}

func (s *set) addSet(t set) {
	for i := range s {
		s[i] |= t[i]
	}
}

func (s *set) invert() {
	for i := range s {
		s[i] = ^s[i]
	}
}

// only returns the byte of a set that has one.
func (s *set) only() (byte, bool) {
	n, at := 0, 0
	for i, w := range s {
		n += bits.OnesCount64(w)
		if w != 0 {
			at = i*64 + bits.TrailingZeros64(w)
		}
	}
	return byte(at), n == 1
}

// one returns the set of a single byte.
func one(c byte) set {
	var s set
	s.add(c)
	return s
}

// class returns what %c stands for: a class, its complement for a capital, or
// the byte itself.
func class(c byte) set {
	lower := c | 0x20
	var s set
	switch {
	case c < 'A' || c > 'z' || (c > 'Z' && c < 'a'):
		return one(c)
	case lower == 'a':
		s.addRange('a', 'z')
		s.addRange('A', 'Z')
	case lower == 'c':
		s.addRange(0, 0x1f)
		s.add(0x7f)
	case lower == 'd':
		s.addRange('0', '9')
	case lower == 'g':
		s.addRange(0x21, 0x7e)
	case lower == 'l':
		s.addRange('a', 'z')
	case lower == 'p':
		s.addRange(0x21, 0x2f)
		s.addRange(0x3a, 0x40)
		s.addRange(0x5b, 0x60)
		s.addRange(0x7b, 0x7e)
	case lower == 's':
		s.addRange('\t', '\r')
		s.add(' ')
	case lower == 'u':
		s.addRange('A', 'Z')
	case lower == 'w':
		s.addRange('a', 'z')
		s.addRange('A', 'Z')
		s.addRange('0', '9')
	case lower == 'x':
		s.addRange('0', '9')
		s.addRange('a', 'f')
		s.addRange('A', 'F')
	case lower == 'z':
		s.add(0)
	default:
		return one(c)
	}
	if c != lower {
		s.invert()
	}
	return s
}
