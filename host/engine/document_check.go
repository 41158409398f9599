package engine

import (
	"fmt"
	"slices"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// check refuses a document that does not fit together: something in it was
// changed by hand that is not to be changed.
func (f *PlanFile) check() error {
	seen := map[Text]bool{}
	for i := range f.Accounts {
		d := &f.Accounts[i]
		if d.Account == "" || seen[d.Account] {
			return badPlan("account %q is there twice, or without a name", d.Account)
		}
		seen[d.Account] = true
		if err := d.check(); err != nil {
			return badPlan("account %q: %v", d.Account, err)
		}
	}
	return nil
}

func (d *PlanDocument) check() error {
	if d.State.Run < 0 || d.State.Run > 0 && d.State.ID == "" {
		return fmt.Errorf("its state is run %d of %q", d.State.Run, d.State.ID)
	}
	if _, err := d.Once.once(); err != nil {
		return err
	}
	names, ids := map[Text]bool{}, map[int]bool{}
	for i := range d.Folders {
		part := &d.Folders[i]
		if part.Name == "" || names[part.Name] {
			return fmt.Errorf("folder %q is there twice, or without a name", part.Name)
		}
		names[part.Name] = true
		if err := part.check(ids); err != nil {
			return fmt.Errorf("folder %q: %w", part.Name, err)
		}
	}
	return nil
}

func (p *DocPart) check(ids map[int]bool) error {
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.ID <= 0 || ids[s.ID] {
			return fmt.Errorf("step %d is there twice, or has no number", s.ID)
		}
		ids[s.ID] = true
		if err := s.check(); err != nil {
			return fmt.Errorf("step %d: %w", s.ID, err)
		}
	}
	for _, d := range p.Decisions {
		if d.Row <= 0 || !slices.Contains([]Conflict{ConflictRemove, ConflictKeep, ConflictFar, ConflictNear}, d.Is) {
			return fmt.Errorf("decision %q about row %d", d.Is, d.Row)
		}
	}
	for _, r := range p.Pairs {
		if r.ID != 0 || r.Far == "" || r.Near == "" {
			return fmt.Errorf("a pair lacks a side: %q, %q", r.Far, r.Near)
		}
	}
	for _, r := range p.Rows {
		if r.ID < 0 || r.ID == 0 && r.Far == "" && r.Near == "" {
			return fmt.Errorf("a row without a number and without a message")
		}
	}
	return nil
}

func (s *DocStep) check() error {
	side, err := parseSide(s.Side)
	if err != nil {
		return err
	}
	folder, changes, moves := false, false, false
	switch s.Op {
	case OpPull, OpPush:
		if (s.Op == OpPull) != (side == state.Near) {
			return fmt.Errorf("a %s that writes the %s side", s.Op, side)
		}
	case OpFlag:
		changes = true
	case OpMove:
		moves = true
	case OpRename:
		folder, moves = true, true
	case OpCreate, OpDrop:
		folder = true
	case OpRemove:
	default:
		return fmt.Errorf("%q is no operation", s.Op)
	}
	switch {
	case moves != (s.To != "") && s.Op != OpRemove: // what is removed may go to the trash
		return fmt.Errorf("a %s to %q", s.Op, s.To)
	case changes != (len(s.Add)+len(s.Remove) > 0) && s.Op != OpMove, s.Narrowed != nil && !changes:
		return fmt.Errorf("a %s of the flags +%q -%q", s.Op, s.Add, s.Remove)
	case s.Expiry && (s.Op != OpRemove || side != state.Near):
		return fmt.Errorf("an expiry that is a %s %s", s.Op, side)
	case s.Form != FormMessage && s.Op != OpPull || !slices.Contains([]Form{FormMessage, FormPlaceholder, FormUpgrade}, s.Form):
		return fmt.Errorf("a %s of the form %q", s.Op, s.Form)
	}
	for _, names := range [][]string{s.Add, s.Remove} {
		if _, err := parseFlags(names); err != nil {
			return err
		}
	}
	if n := s.Narrowed; n != nil {
		add, err1 := parseFlags(n.Add)
		remove, err2 := parseFlags(n.Remove)
		whole := mail.NewFlags(s.Add...)
		if err1 != nil || err2 != nil || !add.Minus(whole).Empty() || !remove.Minus(mail.NewFlags(s.Remove...)).Empty() {
			return fmt.Errorf("narrowed to flags that it does not change: +%q -%q", n.Add, n.Remove)
		}
	}
	return s.checkMessages(folder)
}

func (s *DocStep) checkMessages(folder bool) error {
	if folder {
		if s.Count != 1 || len(s.Messages) > 0 {
			return fmt.Errorf("a %s of a folder with messages", s.Op)
		}
		return nil
	}
	groups, err := s.messages()
	if err != nil {
		return err
	}
	n := 0
	for _, g := range groups {
		n += g.keys.Len()
	}
	if n != s.Count {
		return fmt.Errorf("it says %d messages, and names %d", s.Count, n)
	}
	return nil
}

// planned are messages of a document that have the same flags.
type planned struct {
	keys  mail.KeySet
	flags mail.Flags
}

// messages returns the messages of a step. A document may name billions of UIDs
// in a few bytes: they stay ranges.
func (s *DocStep) messages() ([]planned, error) {
	var out []planned
	var uids mail.KeySet
	n := 0
	names := map[mail.Key]bool{}
	for _, group := range s.Messages {
		flags, err := parseFlags(group.Flags)
		if err != nil {
			return nil, err
		}
		keys, err := group.set()
		if err != nil {
			return nil, err
		}
		for _, r := range keys.UIDs() {
			uids.AddUIDs(r.First, r.Last)
			n += int(r.Last-r.First) + 1
		}
		for _, name := range keys.Names() {
			if names[name] {
				return nil, fmt.Errorf("message %q is there twice", string(name))
			}
			names[name] = true
		}
		out = append(out, planned{keys, flags})
	}
	if uids.Len() != n {
		return nil, fmt.Errorf("a message is there twice, among the UIDs %s", shorten(docKeys(uids).UIDs))
	}
	return out, nil
}

// parseFlags reads flags, and refuses what is none.
func parseFlags(names []string) (mail.Flags, error) {
	flags := mail.NewFlags(names...)
	if len(flags.Strings()) != len(names) {
		return flags, fmt.Errorf("%q are no flags", names)
	}
	return flags, nil
}

func parseSide(word string) (state.Side, error) {
	switch word {
	case state.Far.String():
		return state.Far, nil
	case state.Near.String():
		return state.Near, nil
	}
	return 0, fmt.Errorf("%q is no side", word)
}

// once returns what the command line said when the plan was made.
func (d DocOnce) once() (Once, error) {
	var o Once
	var err error
	if d.Pull != nil {
		o.NarrowPull = true
		if o.Pull, err = ParseOps(*d.Pull...); err != nil {
			return o, err
		}
	}
	if d.Push != nil {
		o.NarrowPush = true
		if o.Push, err = ParseOps(*d.Push...); err != nil {
			return o, err
		}
	}
	if d.Folders != nil {
		o.Folders = make([]string, len(*d.Folders))
		for i, name := range *d.Folders {
			o.Folders[i] = string(name)
		}
	}
	return o, nil
}

func docOnce(o Once) DocOnce {
	var d DocOnce
	if o.NarrowPull {
		d.Pull = opWords(o.Pull)
	}
	if o.NarrowPush {
		d.Push = opWords(o.Push)
	}
	if o.Folders != nil {
		d.Folders = new(texts(o.Folders))
	}
	return d
}

func opWords(ops Ops) *[]string {
	words := []string{}
	for _, one := range []string{"new", "upgrade", "flags", "delete"} {
		if ops&opNames[one] != 0 {
			words = append(words, one)
		}
	}
	return &words
}

func texts(list []string) []Text {
	out := make([]Text, len(list))
	for i, s := range list {
		out[i] = Text(s)
	}
	return out
}
