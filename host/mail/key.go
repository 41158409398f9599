package mail

import "strconv"

// Key names one message within a folder and an epoch: an IMAP UID or the base
// name of a Maildir file (the part before the info separator).
//
// Keys of one folder are ordered as strings; a UID is written with ten digits
// so that this is also its numeric order.
type Key string

const uidDigits = 10

// UIDKey returns the key of an IMAP UID (RFC 9051 section 2.3.1.1).
func UIDKey(uid uint32) Key {
	var digits [uidDigits]byte
	for i := range digits {
		digits[uidDigits-1-i] = byte('0' + uid%10)
		uid /= 10
	}
	return Key(digits[:])
}

// UID returns the IMAP UID a key stands for, and false when it is not one.
func (k Key) UID() (uint32, bool) {
	if len(k) != uidDigits {
		return 0, false
	}
	for i := range len(k) {
		if k[i] < '0' || k[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(string(k), 10, 32)
	return uint32(n), err == nil
}
