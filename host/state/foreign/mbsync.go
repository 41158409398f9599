package foreign

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/imapfw/imapfw/host/mail"
)

// mbsync 1.4 keeps, for each pair of mailboxes, a text file: a header of words
// and numbers, an empty line, and one line for each message:
//
//	FarUidValidity 1795908199
//	NearUidValidity 1795908199
//	MaxPulledUid 8
//	MaxPushedUid 8
//	MaxExpiredFarUid 4
//
//	1 1 ~
//	2 0 S
//	3 3 >F
//
// The words before version 1.4 said Master and Slave.

// maxLine is longer than any line that mbsync writes.
const maxLine = 256

// ParseMbsync reads a state file of mbsync. name is for the errors, which tell
// the line.
func ParseMbsync(name string, r io.Reader) (*State, error) {
	p := mbsyncParser{name: name, r: bufio.NewReaderSize(r, maxLine), state: &State{File: name}, far: map[uint32]bool{}, near: map[uint32]bool{}}
	if err := p.header(); err != nil {
		return nil, err
	}
	for {
		text, err := p.next()
		if errors.Is(err, io.EOF) {
			return p.state, nil
		}
		if err == nil {
			err = p.entry(text)
		}
		if err != nil {
			return nil, err
		}
	}
}

type mbsyncParser struct {
	name      string
	r         *bufio.Reader
	line      int
	state     *State
	far, near map[uint32]bool // UIDs that have a pair
}

// next returns the next line without its end.
func (p *mbsyncParser) next() (string, error) {
	p.line++
	text, err := p.r.ReadSlice('\n')
	switch {
	case err == nil:
		return string(text[:len(text)-1]), nil
	case errors.Is(err, io.EOF) && len(text) == 0:
		return "", io.EOF
	case errors.Is(err, io.EOF):
		return "", p.bad("the line is cut short")
	case errors.Is(err, bufio.ErrBufferFull):
		return "", p.bad("the line is too long")
	}
	return "", err
}

func (p *mbsyncParser) bad(format string, args ...any) error {
	return broken(p.name+":"+strconv.Itoa(p.line), format, args...).
		WithHint("it is not a state file of mbsync 1.1 or later, or it is damaged")
}

func (p *mbsyncParser) header() error {
	for {
		text, err := p.next()
		if errors.Is(err, io.EOF) {
			return p.bad("the header does not end")
		}
		if err != nil {
			return err
		}
		if text == "" {
			break
		}
		word, number, _ := strings.Cut(text, " ")
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return p.bad("%q is no line of a header", text)
		}
		switch word {
		case "FarUidValidity", "MasterUidValidity":
			p.state.FarEpoch = number
		case "NearUidValidity", "SlaveUidValidity":
			p.state.NearEpoch = number
		case "MaxExpiredFarUid", "MaxExpiredMasterUid":
			p.state.ExpiredTo = uint32(n)
		case "MaxPulledUid", "MaxPushedUid", "MaxExpiredSlaveUid":
		default:
			return p.bad("%q is not known", word)
		}
	}
	if p.state.FarEpoch == "" || p.state.NearEpoch == "" {
		return p.bad("the UIDVALIDITY of a side is missing")
	}
	return nil
}

// entry reads "FAR NEAR [<>][~^X]FLAGS".
func (p *mbsyncParser) entry(text string) error {
	fields := strings.Fields(text)
	if len(fields) < 2 || len(fields) > 3 {
		return p.bad("%q is no pair of messages", text)
	}
	var pair Pair
	for i, uid := range []*uint32{&pair.Far, &pair.Near} {
		n, err := strconv.ParseUint(strings.TrimPrefix(fields[i], "-"), 10, 32)
		if err != nil {
			return p.bad("%q is no UID", fields[i])
		}
		if fields[i][0] == '-' || uint32(n) == ^uint32(0) { // before 1.3: it was not copied
			pair.Kind, n = Skipped, 0
		}
		*uid = uint32(n)
	}
	if len(fields) == 3 {
		if err := p.flags(&pair, fields[2]); err != nil {
			return err
		}
	}
	if pair.Far == 0 && pair.Near == 0 {
		return p.bad("%q is a pair of nothing", text)
	}
	if pair.Far != 0 && p.far[pair.Far] || pair.Near != 0 && p.near[pair.Near] {
		return p.bad("%q: the message has a pair already", text)
	}
	p.far[pair.Far], p.near[pair.Near] = true, true
	p.state.Pairs = append(p.state.Pairs, pair)
	return nil
}

func (p *mbsyncParser) flags(pair *Pair, text string) error {
	letters := text
	switch letters[0] {
	case '<':
		pair.Kind, letters = FarPlaceholder, letters[1:]
	case '>':
		pair.Kind, letters = NearPlaceholder, letters[1:]
	}
	switch {
	case strings.HasPrefix(letters, "^"):
		pair.Kind, letters = Skipped, letters[1:]
	case strings.HasPrefix(letters, "~"), strings.HasPrefix(letters, "X"):
		pair.Kind, letters = Expired, letters[1:]
	}
	flags, rest := letterFlags(letters)
	if rest != "" {
		return p.bad("%q holds flags that are not known", text)
	}
	pair.Flags = flags
	return nil
}

// letterFlags reads the letters that Maildir has for flags. rest is what it does
// not know.
func letterFlags(letters string) (flags mail.Flags, rest string) {
	var names []string
	for _, c := range letters {
		switch c {
		case 'D':
			names = append(names, `\Draft`)
		case 'F':
			names = append(names, `\Flagged`)
		case 'P':
			names = append(names, "$Forwarded")
		case 'R':
			names = append(names, `\Answered`)
		case 'S':
			names = append(names, `\Seen`)
		case 'T':
			names = append(names, `\Deleted`)
		default:
			rest += string(c)
		}
	}
	return mail.NewFlags(names...), rest
}
