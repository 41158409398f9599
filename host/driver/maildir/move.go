package maildir

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"syscall"

	"github.com/imapfw/imapfw/host/mail"
)

// target is a folder that messages are moved to.
type target struct {
	f    *folder
	keys map[string]bool // that are taken there
}

// target returns the folder of a move. It reads it once for each call.
func (c *changer) target(ctx context.Context, name string) (target, error) {
	if t, ok := c.targets[name]; ok {
		return t, nil
	}
	const op = "move message"
	f, err := c.s.folderToChange(ctx, op, mail.Ref{Name: name})
	if err != nil {
		return target{}, err
	}
	t := target{f: f, keys: map[string]bool{}}
	if f != c.f {
		list, err := c.s.readFolder(ctx, f, math.MaxInt, nil)
		if err != nil {
			return target{}, ioFault(op, name, err)
		}
		for _, e := range list.entries {
			t.keys[e.key()] = true
		}
	}
	c.targets[name] = t
	return t, nil
}

// move gives a message's file a name in another folder. It keeps its key unless
// that is taken there.
func (c *changer) move(ctx context.Context, e entry, to target, o *mail.Outcome) error {
	sep := c.s.opts.InfoSeparator[0]
	name := parseName(e.name, sep)
	flags, err := c.words.flags(name.letters)
	if err != nil {
		return err
	}
	if to.f == c.f {
		_, err := os.Lstat(c.f.path(e))
		o.Flags, o.NewKey = flags, mail.Key(e.key())
		return err
	}
	others, err := c.sure(e)
	if err != nil {
		return err
	}
	letters, kept, err := c.translate(ctx, name.letters, flags, to.f)
	if err != nil {
		return err
	}
	if to.keys[name.key] {
		name.key = string(c.s.keys.next())
	}
	moved := entry{name: name.key + name.middle, new: e.new}
	if !e.new || len(name.middle+name.letters+name.tail) > 0 {
		moved = entry{name: name.with(letters, sep)} // flags count in cur/
	}
	moved.cut = uint16(len(name.key))
	if err := c.s.relocate(ctx, c.f.path(e), to.f, moved); err != nil {
		return err
	}
	for _, other := range others { // the same message once more
		_ = os.Remove(c.f.path(other))
	}
	to.keys[name.key] = true
	e.gone = true
	c.f.note(e)
	for _, dir := range []string{to.f.dir + moved.sub(), c.f.dir + e.sub()} {
		c.dirty[dir[:len(dir)-1]] = true
	}
	o.Flags, o.Dropped, o.NewKey = kept, flags.Minus(kept), mail.Key(name.key)
	return nil
}

// translate writes letters in the language of another folder: the same keyword
// may have another letter there, and an unknown letter would become a keyword.
// It also returns the flags that the message then has.
func (c *changer) translate(ctx context.Context, letters string, flags mail.Flags, to *folder) (string, mail.Flags, error) {
	if letterBits(letters) == 0 || c.s.opts.NoKeywords || len(c.s.opts.Letters) > 0 {
		return letters, flags, nil
	}
	there, err := c.s.giveLetters(ctx, to, flags.Keywords())
	if err != nil {
		return "", mail.Flags{}, err
	}
	out := dropLetters(letters, []byte("abcdefghijklmnopqrstuvwxyz"))
	for _, l := range []byte(letters) {
		// A letter that means nothing here and nothing there is kept.
		if 'a' <= l && l <= 'z' && c.letters[l-'a'] == "" && there[l-'a'] == "" {
			out += string(l)
		}
	}
	out += string(there.lettersOf(flags))
	return out, there.flagsOf(out), nil
}

// relocate moves a file into another folder, also to another file system.
func (s *Store) relocate(ctx context.Context, from string, to *folder, as entry) error {
	err := renameInto(from, to.path(as))
	if !errors.Is(err, syscall.EXDEV) {
		return err
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return err
	}
	d := &delivery{store: s, dir: to.dir, key: mail.Key(as.key())}
	if err := s.prepare(to, d); err != nil {
		return err
	}
	defer d.Abort()
	body := mail.Body{Reader: io.LimitReader(src, info.Size()), Size: info.Size(), LineEnds: mail.LF}
	if err := d.write(ctx, info.ModTime(), body); err != nil {
		return err
	}
	if _, err := s.disk.Files(ctx, to.dir, []string{d.tmp()}); err != nil {
		return err
	}
	if err := renameNew(d.tmp(), to.path(as)); err != nil {
		return err
	}
	d.take()
	if err := s.disk.Dirs(to.dir + "/" + as.sub()[1:4]); err != nil {
		return err
	}
	return os.Remove(from)
}
