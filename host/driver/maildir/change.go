package maildir

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// changer applies the changes of one call.
type changer struct {
	s       *Store
	f       *folder
	look    *locator
	words   *wordReader
	letters table             // for the keywords that are to be set
	targets map[string]target // of moves
	dirty   map[string]bool   // directories that were changed
}

// Change renames and removes files. A file that is not where it was is looked
// for again, in one reading for the whole batch.
func (s *Store) Change(ctx context.Context, ref mail.Ref, cs []mail.Change) ([]mail.Outcome, error) {
	const op = "change messages"
	ctx, done, err := s.begin(ctx, op, ref.Name)
	if err != nil {
		return nil, err
	}
	defer done()
	f, err := s.folderToChange(ctx, op, ref)
	if err != nil {
		return nil, err
	}
	f.renames.Lock()
	defer f.renames.Unlock()

	var wanted mail.KeySet
	for _, one := range cs {
		wanted.Add(one.Key)
	}
	c := &changer{s: s, f: f, look: s.locator(op, f, wanted, true),
		targets: map[string]target{}, dirty: map[string]bool{}}
	var words []string
	for _, one := range cs {
		words = append(words, one.Add.Keywords()...)
	}
	if c.letters, err = s.giveLetters(ctx, f, words); err != nil {
		return nil, ioFault(op, ref.Name, err)
	}
	c.words = &wordReader{words: c.letters, known: map[string]mail.Flags{}}

	out := make([]mail.Outcome, len(cs))
	for i, one := range cs {
		if ctx.Err() != nil {
			// What was done stays done; the next run sees it.
			err = context.Cause(ctx)
			break
		}
		out[i] = c.apply(ctx, one)
	}
	// Targets of moves first: a message may be found twice after a power cut,
	// never nowhere.
	dirs := slices.SortedFunc(maps.Keys(c.dirty), func(a, b string) int { return c.order(a) - c.order(b) })
	if serr := s.disk.Dirs(dirs...); err == nil {
		err = serr
	}
	if err != nil {
		return nil, ioFault(op, ref.Name, err)
	}
	return out, nil
}

func (c *changer) order(dir string) int {
	if dir == c.f.dir+"/cur" || dir == c.f.dir+"/new" {
		return 1
	}
	return 0
}

func (c *changer) apply(ctx context.Context, one mail.Change) mail.Outcome {
	o := mail.Outcome{Key: one.Key}
	do := func(entry) error {
		return fault.New(fault.Internal, "change message", "change %d is unknown", one.Op)
	}
	switch one.Op {
	case mail.ChangeFlags:
		do = func(e entry) error { return c.flags(e, one, &o) }
	case mail.ChangeRemove:
		do = func(e entry) error { return c.remove(e, &o) }
	case mail.ChangeMove:
		to, err := c.target(ctx, one.To)
		if err != nil {
			o.Err = err
			return o
		}
		do = func(e entry) error { return c.move(ctx, e, to, &o) }
	}
	there, err := c.look.do(ctx, one.Key, do)
	if err != nil {
		o.Err = ioFault("change message", c.f.name, err)
		var known *fault.Error
		if errors.As(o.Err, &known) && known.Key == "" {
			known.Key = string(one.Key)
		}
		return o
	}
	o.Gone = !there
	return o
}

// flags gives a message's file another name. A message in new/ that gets flags
// goes to cur/, where they count.
func (c *changer) flags(e entry, one mail.Change, o *mail.Outcome) error {
	sep := c.s.opts.InfoSeparator[0]
	name := parseName(e.name, sep)
	letters := dropLetters(name.letters, c.letters.lettersOf(one.Remove)) + string(c.letters.lettersOf(one.Add))
	to := entry{name: name.with(letters, sep), cut: e.cut}
	flags, err := c.words.flags(parseName(to.name, sep).letters)
	if err != nil {
		return err
	}
	before, err := c.words.flags(name.letters)
	if err != nil {
		return err
	}
	if flags.Equal(before) {
		// Nothing to do; but only the file itself says that it is still there.
		_, err := os.Lstat(c.f.path(e))
		o.Flags, o.Dropped = flags, one.Add.Minus(flags)
		return err
	}
	if err := c.rename(e, to); err != nil {
		return err
	}
	o.Flags, o.Dropped, o.Mark = flags, one.Add.Minus(flags), renamed(e.name, to.name)
	return nil
}

// rename renames a file within the folder.
func (c *changer) rename(e, to entry) error {
	err := renameInto(c.f.path(e), c.f.path(to))
	if errors.Is(err, fs.ErrExist) {
		// The name is taken by a double of the message. If it is the same
		// file, one of its two names can go.
		same, serr := sameFile(c.f.path(e), c.f.path(to))
		if serr != nil || !same {
			return errors.Join(err, serr)
		}
		if strings.EqualFold(e.name, to.name) {
			// Where a file system does not tell the cases of letters apart it is one
			// name of one file: removing it would remove the message.
			err = os.Rename(c.f.path(e), c.f.path(to))
		} else {
			err = os.Remove(c.f.path(e))
		}
	}
	if err != nil {
		return err
	}
	c.f.note(to)
	c.dirty[c.f.dir+"/cur"] = true
	if e.new {
		c.dirty[c.f.dir+"/new"] = true
	}
	return nil
}

func sameFile(a, b string) (bool, error) {
	x, err := os.Lstat(a)
	if err != nil {
		return false, err
	}
	y, err := os.Lstat(b)
	return err == nil && os.SameFile(x, y), err
}

// remove removes a message, in all of its files.
func (c *changer) remove(e entry, o *mail.Outcome) error {
	others, err := c.sure(e)
	if err != nil {
		return err
	}
	for _, file := range append(others, e) {
		if err := os.Remove(c.f.path(file)); err != nil && (file == e || !missing(err)) {
			return err
		}
		c.dirty[c.f.dir+"/cur"] = true
		if file.new {
			c.dirty[c.f.dir+"/new"] = true
		}
	}
	e.gone = true
	c.f.note(e)
	o.Mark = removed(append(others, e)...)
	return nil
}

// sure returns the further files of a message, and refuses when it is not clear
// which of them is the message.
func (c *changer) sure(e entry) ([]entry, error) {
	others, equal, err := c.s.others(c.f, e)
	if err == nil && !equal {
		err = fault.New(fault.Exists, "change message", "%d different files have this name before the flags", len(others)+1).
			InFolder(c.f.name).WithHint("rename one of them in %s, or remove it", c.f.dir+e.sub())
	}
	return others, err
}
