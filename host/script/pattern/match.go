package pattern

// matcher tries a pattern at one place after another. The recursion is as deep
// as the pattern has items: repeats are loops.
type matcher struct {
	src      string
	p        *Pattern
	captures [maxCaptures]Span
	budget   *Budget
	err      error
}

// match tries the items from pc on at s; it returns where the match ends, or -1.
func (m *matcher) match(s, pc int) int {
	for ; pc < len(m.p.items); pc++ {
		if m.spend(1) {
			return -1
		}
		it := &m.p.items[pc]
		switch it.op {
		case opByte:
			switch it.repeat {
			case 0:
				if s >= len(m.src) || !it.set.has(m.src[s]) {
					return -1
				}
				s++
			case '?':
				if s < len(m.src) && it.set.has(m.src[s]) {
					if end := m.match(s+1, pc+1); end >= 0 || m.err != nil {
						return end
					}
				}
			case '-':
				return m.shortest(it, s, pc)
			default:
				return m.longest(it, s, pc)
			}
		case opOpen, opClose:
			return m.capture(it, s, pc)
		case opPosition:
			m.captures[it.index] = Span{s, -1}
		case opBack:
			if s = m.again(it.index, s); s < 0 {
				return -1
			}
		case opBalance:
			if s = m.balance(it, s); s < 0 {
				return -1
			}
		case opFrontier:
			if !m.frontier(it, s) {
				return -1
			}
		case opEnd:
			if s != len(m.src) {
				return -1
			}
		}
	}
	return s
}

// capture notes where a capture begins or ends, and forgets it when the rest
// does not match.
func (m *matcher) capture(it *item, s, pc int) int {
	old := m.captures[it.index]
	if it.op == opOpen {
		m.captures[it.index] = Span{s, s}
	} else {
		m.captures[it.index].End = s
	}
	end := m.match(s, pc+1)
	if end < 0 {
		m.captures[it.index] = old
	}
	return end
}

// longest takes as many bytes as it can, and gives them back one by one.
func (m *matcher) longest(it *item, s, pc int) int {
	n := 0
	for s+n < len(m.src) && it.set.has(m.src[s+n]) {
		n++
	}
	if m.spend(n) {
		return -1
	}
	least := 0
	if it.repeat == '+' {
		least = 1
	}
	for ; n >= least; n-- {
		if end := m.match(s+n, pc+1); end >= 0 || m.err != nil {
			return end
		}
		if m.spend(1) {
			return -1
		}
	}
	return -1
}

// shortest takes no more bytes than the rest needs.
func (m *matcher) shortest(it *item, s, pc int) int {
	for {
		if end := m.match(s, pc+1); end >= 0 || m.err != nil {
			return end
		}
		if s >= len(m.src) || !it.set.has(m.src[s]) || m.spend(1) {
			return -1
		}
		s++
	}
}

func (m *matcher) again(index, s int) int {
	c := m.captures[index]
	if c.End < 0 { // a position capture is the empty text
		return s
	}
	text := m.src[c.Start:c.End]
	if m.spend(len(text)/8) || len(m.src)-s < len(text) || m.src[s:s+len(text)] != text {
		return -1
	}
	return s + len(text)
}

func (m *matcher) balance(it *item, s int) int {
	if s >= len(m.src) || m.src[s] != it.x {
		return -1
	}
	depth := 1
	for at := s + 1; at < len(m.src); at++ {
		switch m.src[at] {
		case it.y:
			if depth--; depth == 0 {
				m.spend(at - s)
				return at + 1
			}
		case it.x:
			depth++
		}
	}
	m.spend(len(m.src) - s)
	return -1
}

// frontier holds where a byte outside the set meets one inside; the text is
// framed by NUL.
func (m *matcher) frontier(it *item, s int) bool {
	var before, after byte
	if s > 0 {
		before = m.src[s-1]
	}
	if s < len(m.src) {
		after = m.src[s]
	}
	return !it.set.has(before) && it.set.has(after)
}

// spend counts steps and reports whether to give up.
func (m *matcher) spend(n int) bool {
	if m.err == nil {
		m.err = m.budget.take(n)
	}
	return m.err != nil
}
