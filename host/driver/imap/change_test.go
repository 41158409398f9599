package imap_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func change(op mail.ChangeOp, to string, first, last uint32) []mail.Change {
	var cs []mail.Change
	for uid := first; uid <= last; uid++ {
		cs = append(cs, mail.Change{Key: mail.UIDKey(uid), Op: op, To: to, Add: mail.NewFlags(`\Seen`)})
	}
	return cs
}

func TestStoreThatIsRefusedConcernsOneMessage(t *testing.T) {
	s := memory(t, imaptest.Options{})
	fill(t, s.Account(""), 20)
	s.Hook(func(c imaptest.Command) error {
		if c.Name == "STORE" && c.Covers(7) {
			return imaptest.No("", "not this one")
		}
		return nil
	})
	d := open(t, options(s.Addr(), "user", "secret"))
	out, err := d.Change(t.Context(), inbox, change(mail.ChangeFlags, "", 1, 22))
	require.NoError(t, err)
	for i, o := range out {
		switch i + 1 {
		case 7:
			require.ErrorIs(t, o.Err, fault.Refused)
			require.True(t, o.Flags.Empty())
		case 21, 22:
			require.True(t, o.Gone)
		default:
			require.NoError(t, o.Err)
			require.True(t, o.Flags.Has(mail.Seen))
		}
	}
	// A message that cannot be marked is not removed, the others are.
	out, err = d.Change(t.Context(), inbox, change(mail.ChangeRemove, "", 6, 8))
	require.NoError(t, err)
	require.ErrorIs(t, out[1].Err, fault.Refused)
	require.Len(t, list(t, s.Account(""), mail.Inbox), 18)
}

func TestRemovalWithoutUIDPLUSSparesOthersMarks(t *testing.T) {
	p := &imaptest.Proxy{}
	without := []string{"UIDPLUS", "MOVE"}
	a := proxied(t, imaptest.Options{Without: without}, p)
	fill(t, a, 10)
	require.NoError(t, a.CreateFolder("Trash"))
	require.NoError(t, a.SetFlags(mail.Inbox, mail.NewFlags(`\Deleted`, `\Seen`), 2, 9))
	opts := options(p.Addr(), "user", "secret")
	opts.Conn.Without = without
	d := open(t, opts)
	out, err := d.Change(t.Context(), inbox, append(change(mail.ChangeRemove, "", 4, 5), change(mail.ChangeMove, "Trash", 7, 7)...))
	require.NoError(t, err)
	for _, o := range out {
		require.NoError(t, o.Err)
	}
	there := list(t, a, mail.Inbox)
	var left []uint32
	for _, m := range there {
		left = append(left, m.UID)
		require.Equal(t, m.UID == 2 || m.UID == 9, m.Flags.Has(mail.Deleted), "others' marks are as they were")
	}
	require.Equal(t, []uint32{1, 2, 3, 6, 8, 9, 10}, left)
	require.Len(t, list(t, a, "Trash"), 1)
	for _, c := range p.Commands() {
		require.NotContains(t, c, "UID EXPUNGE")
		require.NotContains(t, c, "UID MOVE")
	}
}

func TestMoveWithoutMOVERemovesOnlyWhatWasCopied(t *testing.T) {
	s := memory(t, imaptest.Options{Without: []string{"MOVE"}})
	a := s.Account("")
	fill(t, a, 10)
	require.NoError(t, a.CreateFolder("To"))
	s.Hook(func(c imaptest.Command) error {
		if c.Name == "COPY" && c.Covers(3) {
			return imaptest.No("OVERQUOTA", "full")
		}
		return nil
	})
	opts := options(s.Addr(), "user", "secret")
	opts.Conn.Without = []string{"MOVE"}
	d := open(t, opts)
	out, err := d.Change(t.Context(), inbox, change(mail.ChangeMove, "To", 1, 5))
	require.NoError(t, err)
	require.ErrorIs(t, out[2].Err, fault.Quota)
	to := list(t, a, "To")
	require.Len(t, to, 4)
	for _, i := range []int{0, 1, 3, 4} {
		require.NoError(t, out[i].Err)
		uid, _ := out[i].NewKey.UID()
		at := slices.IndexFunc(to, func(m imaptest.Message) bool { return m.UID == uid })
		require.Equal(t, imaptest.SampleMessage(i, 500).Content, to[at].Content, "the new key is this message's")
	}
	left := list(t, a, mail.Inbox)
	require.Len(t, left, 6)
	require.EqualValues(t, 3, left[0].UID)
}

func TestMoveToNowhere(t *testing.T) {
	for _, without := range [][]string{nil, {"MOVE"}} {
		s := memory(t, imaptest.Options{Without: without})
		fill(t, s.Account(""), 3)
		opts := options(s.Addr(), "user", "secret")
		opts.Conn.Without = without
		out, err := open(t, opts).Change(t.Context(), inbox, change(mail.ChangeMove, "Nowhere", 1, 4))
		require.NoError(t, err)
		for i, o := range out {
			if i == 3 {
				require.True(t, o.Gone)
				continue
			}
			require.ErrorIs(t, o.Err, fault.NotFound)
			require.ErrorContains(t, o.Err, "Nowhere")
		}
		require.Len(t, list(t, s.Account(""), mail.Inbox), 3)
	}
}

func TestFlagsGoInFewCommands(t *testing.T) {
	p := &imaptest.Proxy{}
	fill(t, proxied(t, imaptest.Options{}, p), 200)
	d := open(t, options(p.Addr(), "user", "secret"))
	changes(t, d, "")
	p.Trace()
	var cs []mail.Change
	for uid := uint32(1); uid <= 200; uid++ {
		c := mail.Change{Key: mail.UIDKey(uid), Op: mail.ChangeFlags, Add: mail.NewFlags(`\Seen`)}
		if uid%2 == 0 {
			c.Add, c.Remove = mail.NewFlags(`\Flagged`, "Work"), mail.NewFlags(`\Seen`)
		}
		cs = append(cs, c)
	}
	_, err := d.Change(t.Context(), inbox, cs)
	require.NoError(t, err)
	commands := p.Commands()
	require.Len(t, commands, 4, "two additions, one removal, one look: %v", commands)
}

func TestFoldersOfAServerThatDoesNotMakeParents(t *testing.T) {
	p := &imaptest.Proxy{}
	made := map[string]bool{}
	p.Client = func(line string) string { // one connection: no race
		tag, rest, _ := strings.Cut(line, " ")
		name, ok := strings.CutPrefix(rest, "CREATE ")
		if !ok {
			return ""
		}
		name = strings.Trim(name, `"`)
		if at := strings.LastIndexByte(name, '/'); at >= 0 && !made[name[:at]] {
			return tag + " NO parent does not exist"
		}
		made[name] = true
		return ""
	}
	proxied(t, imaptest.Options{}, p)
	opts := options(p.Addr(), "user", "secret")
	opts.Connections = 1
	d := open(t, opts)
	require.NoError(t, d.CreateFolder(t.Context(), "a/b/c"))
	require.NoError(t, d.CreateFolder(t.Context(), "a/b/c"), "it is there already")
	require.NoError(t, d.Subscribe(t.Context(), "a/b/c"))
	folders, err := d.Folders(t.Context())
	require.NoError(t, err)
	var names []string
	for _, f := range folders {
		names = append(names, fmt.Sprintf("%s %v", f.Name, f.Subscribed))
	}
	require.Equal(t, []string{"INBOX true", "a false", "a/b false", "a/b/c true"}, names)

	opts.SubscribedOnly = true
	folders, err = open(t, opts).Folders(t.Context())
	require.NoError(t, err)
	require.Len(t, folders, 4, "filtered is not gone")
	require.True(t, folders[1].Hidden)
	require.False(t, folders[0].Hidden)
	require.False(t, folders[3].Hidden)
}

// The connection may be lost just then: the marks come back on the next one.
func TestMarksOfOthersComeBackAfterALostConnection(t *testing.T) {
	for _, before := range []bool{true, false} {
		for _, op := range []mail.ChangeOp{mail.ChangeRemove, mail.ChangeMove} {
			p := &imaptest.Proxy{}
			var cut atomic.Bool
			p.Client = func(line string) string {
				if before && strings.HasSuffix(line, " EXPUNGE") && cut.CompareAndSwap(false, true) {
					p.Cut()
					return "* OK too late"
				}
				return ""
			}
			p.Server = func(line string) []string {
				if !before && strings.HasSuffix(line, " EXPUNGE") && cut.CompareAndSwap(false, true) {
					p.Cut()
				}
				return []string{line}
			}
			without := []string{"UIDPLUS", "MOVE"}
			a := proxied(t, imaptest.Options{Without: without}, p)
			fill(t, a, 10)
			require.NoError(t, a.CreateFolder("Trash"))
			require.NoError(t, a.SetFlags(mail.Inbox, mail.NewFlags(`\Deleted`), 2, 9))
			opts := options(p.Addr(), "user", "secret")
			opts.Conn.Without = without
			_, err := open(t, opts).Change(t.Context(), inbox, change(op, "Trash", 4, 5))
			require.Equal(t, op == mail.ChangeMove, err != nil, "a removal is repeated, a copy is not: %v", err)
			require.True(t, cut.Load())
			deleted := map[uint32]bool{}
			for _, m := range list(t, a, mail.Inbox) {
				if m.UID != 4 && m.UID != 5 {
					deleted[m.UID] = m.Flags.Has(mail.Deleted)
				}
			}
			require.Equal(t, map[uint32]bool{1: false, 2: true, 3: false, 6: false, 7: false, 8: false, 9: true, 10: false}, deleted)
		}
	}
}
