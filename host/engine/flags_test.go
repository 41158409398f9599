package engine_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/mail"
)

// whatBecomes is what the documents say of one flag, in the plainest words.
func whatBecomes(rule engine.FlagRule, base, far, near bool) bool {
	switch {
	case rule == engine.FlagFar:
		return far
	case rule == engine.FlagNear:
		return near
	case rule == engine.FlagUnion:
		return far || near
	case far != base:
		return far
	}
	return near
}

// Whatever is done to flags on both sides, by whatever rules: each is decided as
// it is said, both sides agree, and a further run changes nothing. Runs are killed
// on the way.
func TestAnyFlags(t *testing.T) {
	names := []string{`\Seen`, `\Flagged`, `\Answered`, `\Draft`, "work", "$Forwarded"}
	some := rapid.Custom(func(t *rapid.T) mail.Flags {
		return mail.NewFlags(rapid.SliceOf(rapid.SampledFrom(names)).Draw(t, "flags")...)
	})
	has := func(f mail.Flags, name string) bool { return !f.Intersect(mail.NewFlags(name)).Empty() }
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.SampledFrom([]string{"imap-maildir", "imap-imap-uidless", "maildir-maildir"}).Draw(t, "kind"))
		w.policy.Flags = rapid.MapOf(rapid.SampledFrom(append(names, "WORK")),
			rapid.SampledFrom([]engine.FlagRule{engine.FlagMerge, engine.FlagFar, engine.FlagNear, engine.FlagUnion})).Draw(t, "rules")
		rule := func(name string) engine.FlagRule {
			found := engine.FlagMerge
			for flag, r := range w.policy.Flags { // the last of two that differ in case is as good as the first
				if strings.EqualFold(flag, name) {
					found = r
				}
			}
			return found
		}
		if _, twice := w.policy.Flags["WORK"]; twice {
			delete(w.policy.Flags, "work")
		}
		for range 3 {
			m := w.message()
			m.Flags = some.Draw(t, "first")
			w.far.Add("INBOX", m)
		}
		w.sync()
		for range rapid.IntRange(1, 3).Draw(t, "runs") {
			base := flagsByBody(w.far)
			require.Equal(t, base, flagsByBody(w.near))
			for _, m := range w.far.Snapshot()["INBOX"] {
				w.far.SetFlags("INBOX", m.Key, some.Draw(t, "far"))
			}
			for _, m := range w.near.Snapshot()["INBOX"] {
				w.near.SetFlags("INBOX", m.Key, some.Draw(t, "near"))
			}
			far, near := flagsByBody(w.far), flagsByBody(w.near)
			if n := rapid.IntRange(0, 30).Draw(t, "killed at"); n > 0 {
				mend, _ := w.killAt(n)
				_, _ = w.run()
				mend()
			}
			w.sync()
			for body, got := range flagsByBody(w.far) {
				for _, name := range names {
					want := whatBecomes(rule(name), has(base[body], name), has(far[body], name), has(near[body], name))
					require.Equal(t, want, has(got, name), "%s, rule %s: base %q far %q near %q", name, rule(name), base[body], far[body], near[body])
				}
			}
			w.same()
		}
		w.still()
	})
}
