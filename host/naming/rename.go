package naming

import (
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Kind is one way of turning a far name into a near one.
type Kind string

// The kinds, as in api.rename.
const (
	StripPrefix Kind = "strip_prefix"
	AddPrefix   Kind = "add_prefix"
	Map         Kind = "map"
	Flatten     Kind = "flatten"
	Lower       Kind = "lower"
	Pair        Kind = "pair"
)

// Step is one rule of a renaming, as plain data.
type Step struct {
	Kind Kind
	// Prefix is for StripPrefix and AddPrefix, as text: a separator at its end
	// belongs to it.
	Prefix string
	// Names is for Map, far name to near name. It is the only rule that
	// renames INBOX, and only when INBOX is a name in it. In place of a far name
	// there may be a special use (`\Sent`, RFC 6154): it stands for the folder
	// that the server marks with it, whatever that is called. A name wins over
	// it.
	Names map[string]string
	// Separator is for Flatten: what stands for "/" in the near name.
	Separator string
	// ToNear and ToFar are for Pair: ids of functions, which Call finds.
	ToNear, ToFar string
}

// Call runs a function by its id on a name.
type Call func(id, name string) (string, error)

// Rename is a list of steps: applied in order from far to near, and their
// inverses in reverse order from near to far.
type Rename struct {
	steps []Step
	back  []map[string]string // of each Map step: near name to far name
	call  Call
}

// NewRename checks the steps. call may be nil when there is no Pair.
func NewRename(steps []Step, call Call) (*Rename, error) {
	steps = slices.Clone(steps)
	r := &Rename{steps: steps, back: make([]map[string]string, len(steps)), call: call}
	for i := range steps {
		n := len(steps[i].Names)
		steps[i].foldInbox()
		s := steps[i]
		if len(s.Names) < n {
			return nil, fault.New(fault.Config, "", "rename.map has a name below INBOX twice, in another case")
		}
		if err := s.check(call); err != nil {
			return nil, err
		}
		if s.Kind != Map {
			continue
		}
		given := make(map[string]string, len(s.Names)) // also by special uses
		r.back[i] = make(map[string]string, len(s.Names))
		for far, near := range s.Names {
			if other, twice := given[near]; twice {
				return nil, fault.New(fault.Config, "", "rename.map gives %q and %q the same name %q",
					min(far, other), max(far, other), near)
			}
			if given[near] = far; !isUse(far) {
				r.back[i][near] = far
			}
		}
	}
	return r, nil
}

// foldInbox writes the inbox in the names of a step as it is written elsewhere.
func (s *Step) foldInbox() {
	s.Prefix = foldInbox(s.Prefix)
	if s.Names == nil {
		return
	}
	names := make(map[string]string, len(s.Names))
	for far, near := range s.Names {
		names[foldInbox(far)] = foldInbox(near)
	}
	s.Names = names
}

func (s Step) check(call Call) error {
	bad := func(format string, args ...any) error {
		return fault.New(fault.Config, "", "rename."+string(s.Kind)+" "+format, args...)
	}
	switch s.Kind {
	case StripPrefix, AddPrefix:
		if s.Prefix == "" {
			return bad("needs a prefix")
		}
	case Map:
		if len(s.Names) == 0 {
			return bad("needs at least one name")
		}
		if err := checkUses(s.Names); err != nil {
			return err
		}
		for far, near := range s.Names {
			if err := checkName(far); err != nil {
				return bad("cannot take the name %q", far)
			}
			if err := checkName(near); err != nil {
				return bad("cannot give the name %q", near)
			}
		}
	case Flatten:
		if s.Separator == "" || strings.Contains(s.Separator, "/") {
			return bad(`needs a separator without "/"`)
		}
	case Lower:
	case Pair:
		if s.ToNear == "" || s.ToFar == "" {
			return bad("needs both functions, to_near and to_far")
		}
		if call == nil {
			return bad("cannot be used here: there is nobody to run its functions")
		}
	default:
		return fault.New(fault.Config, "", "%q is no way of renaming", s.Kind)
	}
	return nil
}

// checkName refuses what no store can hold as a name of levels joined by "/".
func checkName(name string) error {
	if name == "" || strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") ||
		strings.Contains(name, "//") || strings.ContainsAny(name, "\x00\r\n") {
		return fault.New(fault.BadName, "", "%q is no name for a folder", name)
	}
	return nil
}

// ToNear returns the near name of one far folder, where the list of them is not
// at hand: names that are given by special use stay.
func (r *Rename) ToNear(far string) (string, error) {
	near, _, err := r.forward(far)
	return near, err
}

// forward applies the steps to a far name. The names before each step are in
// trail.
func (r *Rename) forward(far string) (near string, trail []string, err error) {
	near = far
	for i := range r.steps {
		trail = append(trail, near)
		if near, err = r.apply(i, near); err != nil {
			return "", nil, err
		}
		if before := trail[i]; strings.EqualFold(near, mail.Inbox) && before != mail.Inbox {
			if r.steps[i].Kind != Map {
				return "", nil, fault.New(fault.BadName, "rename", "%q would become the inbox by %s", far, r.steps[i].Kind).
					WithHint("only rename.map can make a folder the inbox")
			}
			near = mail.Inbox
		}
		near = foldInbox(near) // as the stores write it
	}
	return near, trail, checkName(near)
}

func (r *Rename) apply(i int, name string) (string, error) {
	s := r.steps[i]
	if s.Kind == Map {
		if near, ok := s.Names[name]; ok {
			return near, nil
		}
		return name, nil
	}
	if name == mail.Inbox {
		return name, nil
	}
	switch s.Kind {
	case StripPrefix:
		return strings.TrimPrefix(name, s.Prefix), nil
	case AddPrefix:
		return s.Prefix + name, nil
	case Flatten:
		return strings.ReplaceAll(name, "/", s.Separator), nil
	case Lower:
		return strings.ToLower(name), nil
	case Pair:
		return r.run(s.ToNear, name)
	}
	return name, nil
}

// invert undoes step i. plain decides about StripPrefix, the one step that two
// names can come from: true leaves the name without the prefix.
func (r *Rename) invert(i int, name string, plain bool) (string, error) {
	s := r.steps[i]
	if s.Kind == Map {
		if far, ok := r.back[i][name]; ok {
			return far, nil
		}
		return name, nil
	}
	if name == mail.Inbox {
		return name, nil
	}
	switch s.Kind {
	case StripPrefix:
		if plain && !strings.HasPrefix(name, s.Prefix) {
			return name, nil
		}
		return s.Prefix + name, nil
	case AddPrefix:
		return strings.TrimPrefix(name, s.Prefix), nil
	case Flatten:
		return strings.ReplaceAll(name, s.Separator, "/"), nil
	case Pair:
		return r.run(s.ToFar, name)
	}
	return name, nil
}

func (r *Rename) run(id, name string) (string, error) {
	out, err := r.call(id, name)
	if err != nil {
		return "", (&fault.Error{Code: fault.CodeOf(err), Op: "rename", Err: err}).InFolder(name)
	}
	return out, nil
}

// reversible reports whether step i can give before back when it sees after.
// Lower and StripPrefix forget something that the list of real names remembers;
// every other step must be its own proof.
func (r *Rename) reversible(i int, before, after string) (bool, error) {
	switch r.steps[i].Kind {
	case StripPrefix, Lower:
		return true, nil
	}
	got, err := r.invert(i, after, true)
	return got == before, err
}
