package scenario_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/imapfw/imapfw/host/mail"
)

// play tells the whole scenario.
func (w *world) play() error {
	for _, b := range w.file.blocks {
		if !b.does() {
			continue
		}
		if err := w.step(b); err != nil {
			return fmt.Errorf("%s:%d: %s: %w", w.file.path, b.line, b.text, err)
		}
	}
	return w.after()
}

// step does what one block says.
func (w *world) step(b *block) error {
	args := b.args()
	switch first := args[0]; {
	case first == "sync" || first == "undo":
		return w.sync(b, args)
	case b.text == "in step":
		return w.inStep()
	case b.text == "lose state":
		return os.RemoveAll(w.state())
	case first == "kill" && len(args) == 3:
		var err error
		w.kill, err = strconv.Atoi(args[2])
		return err
	case b.text == "options":
		w.account.options = strings.Join(b.body, "\n")
	case b.text == "far options":
		w.account.far = strings.Join(b.body, "\n")
	case b.text == "near options":
		w.account.near = strings.Join(b.body, "\n")
	case b.text == "lua":
		w.account.lua = strings.Join(b.body, "\n")
	case first == "class" && len(args) == 2:
		w.account.class = args[1]
	case b.text == "both":
		for _, name := range []string{"far", "near"} {
			if err := w.sideIs(name, b); err != nil {
				return err
			}
		}
	case b.text == "far" || b.text == "near":
		return w.sideIs(first, b)
	case first == "far" || first == "near":
		return w.happen(w.side(first), b, args[1], args[2:])
	case strings.Contains(b.text, ": "):
		// A setting, which was read before.
	default:
		return fmt.Errorf("nothing like that can happen")
	}
	return nil
}

func (w *world) side(name string) side {
	if name == "far" {
		return w.far
	}
	return w.near
}

// sideIs fills a side that is named for the first time, and later insists on
// what it holds.
func (w *world) sideIs(name string, b *block) error {
	s := w.side(name)
	if !w.filled[s] {
		w.filled[s] = true
		return w.fill(s, b.body)
	}
	have, err := s.list()
	if err != nil {
		return err
	}
	shown := w.messages.shown(have)
	if w.update {
		if b.text == "both" && name == "near" {
			return w.differ("near", b.body, shown)
		}
		b.body = shown
		return nil
	}
	wanted, err := parseListing(b.body)
	if err != nil {
		return err
	}
	return w.differ(name, lines(wanted), shown)
}

func (w *world) differ(name string, want, have []string) error {
	if slices.Equal(want, have) {
		return nil
	}
	return fmt.Errorf("%s holds\n    %s\nand should hold\n    %s\nlog of the last run:\n%s",
		name, strings.Join(have, "\n    "), strings.Join(want, "\n    "), w.last.log)
}

func (w *world) fill(s side, body []string) error {
	for _, line := range body {
		folder, list, err := folderLine(line)
		if err != nil {
			return err
		}
		if err := s.makeFolder(folder); err != nil {
			return err
		}
		if err := w.add(s, folder, list); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) add(s side, folder string, list []entry) error {
	for _, e := range list {
		m, err := w.messages.get(e.name, e.special)
		if err != nil {
			return err
		}
		if err := s.add(folder, m, e.flags); err != nil {
			return err
		}
	}
	return nil
}

// happen does what another program does to a side.
func (w *world) happen(s side, b *block, verb string, args []string) error {
	need := map[string]int{"flag": 2, "move": 2, "copy": 2, "remove": 1, "folder": 1, "drop": 1, "rename": 2, "renumber": 1, "subscribe": 1, "unsubscribe": 1}
	if len(args) < need[verb] {
		return fmt.Errorf("%s needs %d words", verb, need[verb])
	}
	switch verb {
	case "new":
		_, text, _ := strings.Cut(b.text, " new ")
		return w.fill(s, []string{text})
	case "flag":
		var on, off []string
		for _, word := range args[1:] {
			if rest, ok := strings.CutPrefix(word, "-"); ok {
				off = append(off, rest)
			} else {
				on = append(on, strings.TrimPrefix(word, "+"))
			}
		}
		return w.each(s, args[:1], func(folder string, f found) error {
			return s.flag(folder, f, mail.NewFlags(on...), mail.NewFlags(off...))
		})
	case "move":
		if err := s.makeFolder(args[1]); err != nil {
			return err
		}
		return w.each(s, args[:1], func(folder string, f found) error { return s.move(folder, f, args[1]) })
	case "copy":
		if err := s.makeFolder(args[1]); err != nil {
			return err
		}
		return w.each(s, args[:1], func(_ string, f found) error {
			return s.add(args[1], &message{date: f.date, body: bytes.ReplaceAll(f.body, []byte("\r\n"), []byte("\n"))}, f.flags)
		})
	case "remove":
		picked, err := w.pick(s, args)
		for folder, list := range picked {
			if err == nil {
				err = s.remove(folder, list)
			}
		}
		return err
	case "folder":
		return s.makeFolder(args[0])
	case "drop":
		return s.dropFolder(args[0])
	case "rename":
		return s.renameFolder(args[0], args[1])
	}
	return w.able(s, b, verb, args)
}

// each does something to each message that words name.
func (w *world) each(s side, words []string, do func(folder string, f found) error) error {
	picked, err := w.pick(s, words)
	if err != nil {
		return err
	}
	for folder, list := range picked {
		for _, f := range list {
			if err := do(folder, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// able does what only some sides can.
func (w *world) able(s side, b *block, verb string, args []string) error {
	switch verb {
	case "renumber":
		if r, ok := s.(renumberer); ok {
			return r.renumber(args[0])
		}
	case "subscribe", "unsubscribe":
		if r, ok := s.(subscriber); ok {
			return r.subscribe(args[0], verb == "subscribe")
		}
	case "subscribed:":
		if r, ok := s.(subscriber); ok {
			return w.subscriptions(r, b, args)
		}
	case "backup", "restore":
		if r, ok := s.(rewinder); ok && verb == "backup" {
			return r.backup()
		} else if ok {
			return r.restore()
		}
	case "refuse", "accept", "limit":
		if r, ok := s.(refuser); ok {
			return w.refusal(r, b, verb, args)
		}
	case "vanish", "appear":
		if r, ok := s.(vanisher); ok && verb == "vanish" {
			return r.vanish()
		} else if ok {
			return r.appear()
		}
	default:
		return fmt.Errorf("%q is nothing that can happen to a side", verb)
	}
	return fmt.Errorf("this side cannot do that: skip the driver, and say why")
}

func (w *world) subscriptions(s subscriber, b *block, want []string) error {
	have, err := s.subscribed()
	if err != nil {
		return err
	}
	if w.update {
		before, _, _ := strings.Cut(b.text, ":")
		b.text = strings.TrimSpace(before + ": " + strings.Join(have, " "))
		return nil
	}
	slices.Sort(want)
	return w.differ("the list of subscriptions", want, have)
}

// refusal makes a side refuse messages, or take them again.
func (w *world) refusal(s refuser, b *block, verb string, args []string) error {
	switch verb {
	case "accept":
		s.accept()
	case "limit":
		n, err := number(args[0])
		s.limit(n)
		return err
	default:
		_, text, _ := strings.Cut(b.text, " refuse ")
		name, why, ok := strings.Cut(text, ": ")
		m := w.messages.byName[name]
		if !ok || m == nil {
			return fmt.Errorf("which message, and why?")
		}
		s.refuse(m, why)
	}
	return nil
}
