// Package foreign reads what other sync tools remember about the folders they
// kept in step, so that their users can change over without copying their mail
// again. It reads only: nothing of another tool is ever changed.
package foreign

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

const op = "read foreign state"

// Source is the memory of a tool.
type Source interface {
	// Find returns what the tool remembers about a pair of folders as their
	// stores list them, or nil when that is nothing.
	Find(far, near mail.Folder) (*State, error)
}

// Check says why the UIDs of the state are not those of the folders, whose epochs
// their stores tell; empty when they are.
func (s *State) Check(far, near string) string {
	if s.FarNow != "" {
		far = s.FarNow
	}
	if s.NearNow != "" {
		near = s.NearNow
	}
	switch {
	case far != s.FarEpoch:
		return fmt.Sprintf("the far side's UIDVALIDITY was %s, and is %s now", s.FarEpoch, far)
	case s.NearEpoch != "" && near != s.NearEpoch:
		return fmt.Sprintf("the near side's UIDVALIDITY was %s, and is %s now", s.NearEpoch, near)
	}
	return ""
}

// State is what a tool remembers about one pair of folders.
type State struct {
	File string // where it was found
	// FarEpoch is the UIDVALIDITY that the far UIDs are of. NearEpoch is that
	// of the near UIDs, empty where the tool keeps none.
	FarEpoch, NearEpoch string
	// FarNow and NearNow are the UIDVALIDITYs that the folders have now, where
	// they are Maildirs and the tool keeps the number in them.
	FarNow, NearNow string
	Pairs           []Pair
	// ExpiredTo is the highest far UID that was left out for its age: up to it,
	// a message without a pair is not to be kept near.
	ExpiredTo uint32

	marks []string // what a file name may say of its folder; nil: nothing is asked
}

// Pair is one message that the tool has seen on both sides. A UID of 0 means that
// it is gone on that side.
type Pair struct {
	Far, Near uint32
	Flags     mail.Flags // last agreed on
	Kind      Kind
}

// Kind is what a pair stands for.
type Kind uint8

// The kinds of pairs.
const (
	Ordinary Kind = iota
	// Expired is a far message that is not kept near any more. Its near copy
	// may be there still, marked as deleted.
	Expired
	// NearPlaceholder and FarPlaceholder are messages of which that side has
	// only the header.
	NearPlaceholder
	FarPlaceholder
	// Skipped is a message that was too large to be copied at all.
	Skipped
)

// UID returns the UID of a pair on a side.
func (p Pair) UID(side state.Side) uint32 {
	if side == state.Far {
		return p.Far
	}
	return p.Near
}

// Keys finds the messages of a folder by the UIDs that the tool gave them. In a
// Maildir these are in the names of the files. A UID that two files claim is
// nobody's, and so is one whose file came from another folder: others counts
// them.
func (s *State) Keys(keys []mail.Key) (byUID map[uint32]mail.Key, others int) {
	byUID = make(map[uint32]mail.Key, len(keys))
	marks := s.accepted(keys)
	twice := map[uint32]bool{}
	for _, key := range keys {
		uid, isUID := key.UID()
		if !isUID {
			var mark string
			if uid, mark = nameUID(string(key)); uid == 0 {
				continue // it came from elsewhere, and the tool has not seen it yet
			}
			if s.marks != nil && !slices.Contains(marks, mark) {
				others++
				continue
			}
		}
		if _, taken := byUID[uid]; taken {
			twice[uid] = true
			others++
			continue
		}
		byUID[uid] = key
	}
	for uid := range twice {
		delete(byUID, uid)
		others++
	}
	return byUID, others
}

// accepted returns the marks that the files of this folder carry. Where the user
// renames folders in the tool's configuration, which we have not read, no mark
// is the expected one: then one that is on all of the files is as good.
func (s *State) accepted(keys []mail.Key) []string {
	found := map[string]bool{}
	for _, key := range keys {
		if uid, mark := nameUID(string(key)); uid != 0 {
			found[mark] = true
		}
	}
	if len(found) == 1 {
		for mark := range found {
			return []string{mark}
		}
	}
	return s.marks
}

// canonical returns a folder name with all that stands for "/" in the names of
// files made equal.
func canonical(name string) string {
	return strings.Join(strings.FieldsFunc(name, func(c rune) bool { return c == '/' || c == '.' || c == '!' }), "/")
}

// names returns what a tool may call a folder, in canonical form: our name, the
// store's own, and the end of its directory's path, which is in the encoding of
// the disk.
func names(folders ...mail.Folder) []string {
	var out []string
	add := func(name string) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, f := range folders {
		add(canonical(f.Name))
		add(canonical(f.Raw))
		raw := strings.Split(canonical(f.Raw), "/")
		if n := strings.Count(canonical(f.Name), "/") + 1; n <= len(raw) {
			tail := raw[len(raw)-n:]
			if f.Name == mail.Inbox || strings.HasPrefix(f.Name, mail.Inbox+"/") {
				tail[0] = mail.Inbox // wherever its directory is
			}
			add(strings.Join(tail, "/"))
		}
	}
	return out
}

// broken is the fault of a file or folder of state that is not as it must be.
func broken(file, format string, args ...any) *fault.Error {
	e := fault.New(fault.IO, op, format, args...)
	e.Message = file + ": " + e.Message
	return e
}

// asked is broken for what the user named.
func asked(e *fault.Error) *fault.Error {
	e.Code = fault.Config
	return e
}
