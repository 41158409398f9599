package scenario_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imapfw/imapfw/luaapi"
)

// sync is a run, whose plan, tellings and exit code are as the file says.
func (w *world) sync(b *block, args []string) error {
	head, want := b.text, slices.Clone(b.body)
	head, _, _ = strings.Cut(head, " -> ")
	var err error
	if w.once, err = parseOnce(args); err != nil {
		return err
	}
	if err := w.tryKilled(); err != nil {
		return err
	}
	killed := w.kill > 0
	out, err := w.whole()
	w.once, w.usual = once{}, args[0] == "sync" && (len(args) == 1 || args[1] == "->")
	if err != nil {
		return err
	}
	if out.code != luaapi.ExitDone {
		head = fmt.Sprintf("%s -> %d", head, out.code)
	}
	have := slices.Clone(out.lines)
	if killed {
		have = nil // how far it came depends on what went on side by side
	}
	if w.update {
		b.text, b.body = head, keepVague(want, have)
		return nil
	}
	if w.kills != nil {
		want = have // the killed run may have done any part of it
	}
	if head != b.text {
		return fmt.Errorf("it ended with %d:\n    %s\nlog:\n%s", out.code, strings.Join(have, "\n    "), out.log)
	}
	if !slices.Equal(keepVague(want, have), want) {
		return fmt.Errorf("it did\n    %s\nand should have done\n    %s\nlog:\n%s",
			strings.Join(have, "\n    "), strings.Join(want, "\n    "), out.log)
	}
	return nil
}

// keepVague writes lines as a file has them that says only a part of some: a line
// "error ~ text" stands for one that begins with "error" and holds the text.
func keepVague(want, have []string) []string {
	have = slices.Clone(have)
	for _, line := range want {
		kind, text, vague := strings.Cut(line, " ~ ")
		if !vague {
			continue
		}
		for i, h := range have {
			if strings.HasPrefix(h, kind) && strings.Contains(h, text) {
				have[i] = line
				break
			}
		}
	}
	return have
}

// whole is a dry run and a run. The dry run must show what the run does, and
// change nothing at all.
func (w *world) whole() (outcome, error) {
	var dry outcome
	kill := w.kill
	if kill == 0 {
		before, err := w.everything()
		if err != nil {
			return dry, err
		}
		if dry, err = w.run(true); err != nil {
			return dry, err
		}
		after, err := w.everything()
		if err != nil {
			return dry, err
		}
		if err := w.differ("after a dry run, it all", before, after); err != nil {
			return dry, err
		}
	}
	out, err := w.run(false)
	w.kill, w.last = 0, out
	if err == nil && kill == 0 && !slices.Equal(dry.plan, out.plan) {
		err = fmt.Errorf("a dry run showed\n    %s\nand the run did\n    %s\nlog:\n%s",
			strings.Join(dry.plan, "\n    "), strings.Join(out.plan, "\n    "), out.log)
	}
	return out, err
}

// everything is all there is: both sides, and the files of ours.
func (w *world) everything() ([]string, error) {
	var out []string
	for _, s := range []side{w.far, w.near} {
		have, err := s.list()
		if err != nil {
			return nil, err
		}
		out = append(out, w.messages.shown(have)...)
	}
	err := filepath.WalkDir(w.home, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(path, w.home+"/state") {
			out = append(out, path)
		}
		return err
	})
	return out, err
}

// inStep is a run that must do everything, and leave both sides the same.
func (w *world) inStep() error {
	out, err := w.whole()
	if err != nil {
		return err
	}
	if out.code != luaapi.ExitDone {
		return fmt.Errorf("it ended with %d:\n    %s\nlog:\n%s", out.code, strings.Join(out.lines, "\n    "), out.log)
	}
	far, near, err := w.both()
	if err != nil {
		return err
	}
	return w.differ("far, unlike near,", w.messages.shown(near), w.messages.shown(far))
}

func (w *world) both() (far, near content, err error) {
	if far, err = w.far.list(); err == nil {
		near, err = w.near.list()
	}
	return far, near, err
}

// after checks what no scenario has to ask for.
func (w *world) after() error {
	if err := w.strays(); err != nil {
		return err
	}
	if w.file.setting("not still") == "" {
		if err := w.still(); err != nil {
			return fmt.Errorf("another run, without news: %w", err)
		}
	}
	if w.file.setting("forgets") == "" {
		if err := w.forget(); err != nil {
			return fmt.Errorf("another run, without the state: %w", err)
		}
	}
	return nil
}

// still runs once more: nothing may change.
func (w *world) still() error {
	before, err := w.everything()
	if err != nil {
		return err
	}
	code := luaapi.ExitDone
	if w.usual {
		code = w.last.code
	}
	out, err := w.whole()
	if err != nil {
		return err
	}
	after, err := w.everything()
	if err != nil {
		return err
	}
	if out.code != code || len(out.plan) > 0 && code == luaapi.ExitDone {
		return fmt.Errorf("it ended with %d, and did\n    %s\nlog:\n%s", out.code, strings.Join(out.lines, "\n    "), out.log)
	}
	return w.differ("after it, it all", before, after)
}

// forget runs without state: no message may be lost on any side.
func (w *world) forget() error {
	farBefore, nearBefore, err := w.both()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(w.state()); err != nil {
		return err
	}
	out, err := w.run(false)
	if err != nil {
		return err
	}
	farAfter, nearAfter, err := w.both()
	if err != nil {
		return err
	}
	for name, pair := range map[string][2]content{"far": {farBefore, farAfter}, "near": {nearBefore, nearAfter}} {
		for folder, list := range pair[0] {
			if lost := w.missing(list, pair[1][folder]); len(lost) > 0 {
				return fmt.Errorf("%s lost %v from %s\n    %s\nlog:\n%s", name, lost, folder, strings.Join(out.lines, "\n    "), out.log)
			}
		}
	}
	return nil
}

// missing returns the names of messages that are in one list and not in another.
func (w *world) missing(before, after []found) []string {
	counts := map[string]int{}
	for _, f := range after {
		counts[string(crlf(f.body))]++
	}
	var lost []string
	for _, f := range before {
		if counts[string(crlf(f.body))]--; counts[string(crlf(f.body))] < 0 {
			name, _ := w.messages.recognise(f)
			lost = append(lost, name)
		}
	}
	return lost
}

// strays looks for what a name of a folder put beside the sides.
func (w *world) strays() error {
	entries, err := os.ReadDir(w.home)
	for _, e := range entries {
		name, _, _ := strings.Cut(e.Name(), ".")
		if !slices.Contains([]string{"far", "near", "state", "me"}, name) {
			return fmt.Errorf("there is %s beside both sides", e.Name())
		}
	}
	return err
}
