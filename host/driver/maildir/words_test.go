package maildir_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/maildir"
	"github.com/imapfw/imapfw/host/mail"
)

// put delivers messages with flags and returns what became of them.
func put(t testing.TB, s *maildir.Store, folder string, flags ...mail.Flags) []mail.Placed {
	t.Helper()
	var ds []driver.Delivery
	for i, f := range flags {
		d, err := s.Deliver(t.Context(), mail.Ref{Name: folder}, mail.Meta{Flags: f}, bodyOf(fmt.Sprintf("Subject: %d\n\n", i)))
		require.NoError(t, err)
		ds = append(ds, d)
	}
	placed, err := s.Commit(t.Context(), mail.Ref{Name: folder}, ds)
	require.NoError(t, err)
	for _, p := range placed {
		require.NoError(t, p.Err)
	}
	return placed
}

func flagsOf(t testing.TB, s *maildir.Store, folder string) map[mail.Key]mail.Flags {
	t.Helper()
	out := map[mail.Key]mail.Flags{}
	_, err := s.Changes(t.Context(), mail.Ref{Name: folder}, "", func(metas []mail.Meta) error {
		for _, m := range metas {
			out[m.Key] = m.Flags
		}
		return nil
	})
	require.NoError(t, err)
	return out
}

func TestKeywordsAsDovecotKeepsThem(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	for _, folder := range []string{"A", "B", "C"} {
		require.NoError(t, s.CreateFolder(t.Context(), folder))
	}
	// Dovecot was here before.
	table := filepath.Join(root, "B", "dovecot-keywords")
	require.NoError(t, os.WriteFile(table, []byte("0 theirs\n3 Work\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(root, "B", "cur", "1.x:2,Sad"), nil, 0o600))
	require.Equal(t, mail.NewFlags(`\Seen`, "theirs", "Work"), flagsOf(t, s, "B")["1.x"])

	a := put(t, s, "A", mail.NewFlags("work", "$Forwarded"))[0]
	require.Equal(t, mail.NewFlags("work", "$Forwarded"), a.Flags)
	require.FileExists(t, filepath.Join(root, "A", "cur", string(a.Key)+":2,Pa"))
	text, err := os.ReadFile(filepath.Join(root, "A", "dovecot-keywords"))
	require.NoError(t, err)
	require.Equal(t, "0 work\n", string(text))

	// The letter differs in B, where it is taken; C uses the account's.
	b := put(t, s, "B", mail.NewFlags("work", "later"))[0]
	require.FileExists(t, filepath.Join(root, "B", "cur", string(b.Key)+":2,bd"))
	text, err = os.ReadFile(table)
	require.NoError(t, err)
	require.Equal(t, "0 theirs\n1 later\n3 Work\n", string(text))
	c := put(t, s, "C", mail.NewFlags("later"))[0]
	require.FileExists(t, filepath.Join(root, "C", "cur", string(c.Key)+":2,b"))

	// A mail reader moves a message from A to C: the letter means the same.
	require.NoError(t, os.Rename(filepath.Join(root, "A", "cur", string(a.Key)+":2,Pa"), filepath.Join(root, "C", "cur", string(a.Key)+":2,Pa")))
	require.Equal(t, mail.NewFlags("work", "$Forwarded"), flagsOf(t, s, "C")[a.Key])

	// We move one to B, where it means something else.
	out, err := s.Change(t.Context(), mail.Ref{Name: "C"}, []mail.Change{{Key: a.Key, Op: mail.ChangeMove, To: "B"}})
	require.NoError(t, err)
	require.NoError(t, out[0].Err)
	require.FileExists(t, filepath.Join(root, "B", "cur", string(a.Key)+":2,Pd"))
	require.True(t, mail.NewFlags("work", "$Forwarded").Equal(flagsOf(t, s, "B")[a.Key]))
}

func TestUnknownLettersStay(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	require.NoError(t, os.WriteFile(filepath.Join(root, "F", "cur", "1.x:2,SXa,ext"), nil, 0o600))
	require.Equal(t, mail.NewFlags(`\Seen`), flagsOf(t, s, "F")["1.x"])
	out, err := s.Change(t.Context(), mail.Ref{Name: "F"}, []mail.Change{{
		Key: "1.x", Op: mail.ChangeFlags, Add: mail.NewFlags(`\Flagged`, "work"), Remove: mail.NewFlags(`\Seen`)}})
	require.NoError(t, err)
	require.Equal(t, mail.NewFlags(`\Flagged`, "work"), out[0].Flags)
	require.FileExists(t, filepath.Join(root, "F", "cur", "1.x:2,FXab,ext"), "the letter that nobody explains was not given away")
}

func TestKeywordsTheUserNamed(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root, Letters: map[string]string{"w": "Work", "j": "$Junk"}})
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	p := put(t, s, "F", mail.NewFlags("work", "other"))[0]
	require.Equal(t, mail.NewFlags("Work"), p.Flags, "what has no letter is not kept, and that is told")
	require.FileExists(t, filepath.Join(root, "F", "cur", string(p.Key)+":2,w"))
	require.NoFileExists(t, filepath.Join(root, "F", "dovecot-keywords"))
}

func TestFlagsInNew(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	for name, dir := range map[string]string{"1.plain": "new", "2.flagged:2,F": "new", "3.bare": "cur", "4.full:2,": "cur", ".hidden": "cur"} {
		require.NoError(t, os.WriteFile(filepath.Join(root, "F", dir, name), nil, 0o600))
	}
	require.Equal(t, map[mail.Key]mail.Flags{"1.plain": {}, "2.flagged": mail.NewFlags(`\Flagged`), "3.bare": {}, "4.full": {}}, flagsOf(t, s, "F"))
	require.FileExists(t, filepath.Join(root, "F", "new", "1.plain"), "reading renames nothing")
	require.FileExists(t, filepath.Join(root, "F", "new", "2.flagged:2,F"))

	seen := mail.NewFlags(`\Seen`)
	_, err := s.Change(t.Context(), mail.Ref{Name: "F"}, []mail.Change{
		{Key: "1.plain", Op: mail.ChangeFlags, Remove: seen},
		{Key: "2.flagged", Op: mail.ChangeFlags, Add: seen},
		{Key: "3.bare", Op: mail.ChangeFlags, Add: seen},
	})
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "F", "new", "1.plain"), "it is as new as before")
	require.FileExists(t, filepath.Join(root, "F", "cur", "2.flagged:2,FS"))
	require.FileExists(t, filepath.Join(root, "F", "cur", "3.bare:2,S"))
}

// A letter that is in file names anywhere, unexplained, is somebody's: a keyword
// that got it would be on messages that never had it.
func TestLettersOfOthersAreNotGivenAway(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	for _, folder := range []string{"Old", "F"} {
		require.NoError(t, s.CreateFolder(t.Context(), folder))
	}
	theirs := filepath.Join(root, "Old", "cur", "1.x:2,Sac")
	require.NoError(t, os.WriteFile(theirs, nil, 0o600))
	p := put(t, s, "F", mail.NewFlags("one", "two"))[0] // Old was never read
	require.FileExists(t, filepath.Join(root, "F", "cur", string(p.Key)+":2,bd"))
	require.Equal(t, mail.NewFlags(`\Seen`), flagsOf(t, s, "Old")["1.x"])
	_, err := s.Change(t.Context(), mail.Ref{Name: "Old"}, []mail.Change{{Key: "1.x", Op: mail.ChangeFlags, Add: mail.NewFlags("two"), Remove: mail.NewFlags(`\Seen`)}})
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "Old", "cur", "1.x:2,acd"))
}

// Dovecot names files before it writes what it named them by.
func TestTableThatIsWrittenLater(t *testing.T) {
	root := t.TempDir()
	s := open(t, maildir.Options{Path: root})
	require.NoError(t, s.CreateFolder(t.Context(), "F"))
	require.NoError(t, os.WriteFile(filepath.Join(root, "F", "cur", "1.x:2,a"), nil, 0o600))
	settled := func() mail.Cursor {
		var c mail.Cursor
		require.Eventually(t, func() bool {
			res, err := s.Changes(t.Context(), mail.Ref{Name: "F"}, "", func([]mail.Meta) error { return nil })
			require.NoError(t, err)
			again, err := s.Changes(t.Context(), mail.Ref{Name: "F"}, "", func([]mail.Meta) error { return nil })
			require.NoError(t, err)
			c = res.Cursor
			return c == again.Cursor
		}, 10*time.Second, time.Millisecond)
		return c
	}
	before := settled()
	require.Empty(t, flagsOf(t, s, "F")["1.x"].Strings())
	require.NoError(t, os.WriteFile(filepath.Join(root, "F", "dovecot-keywords"), []byte("0 work\n"), 0o600))
	require.NotEqual(t, before, settled(), "the folder is to be read again")
	require.Equal(t, mail.NewFlags("work"), flagsOf(t, s, "F")["1.x"])
}

// Files keep their keys whatever separator the programs have that rename them.
func TestSeveralSeparators(t *testing.T) {
	for _, own := range []string{":", "!", "#"} {
		root := t.TempDir()
		s := open(t, maildir.Options{Path: root, InfoSeparator: own})
		require.NoError(t, s.CreateFolder(t.Context(), "F"))
		for name, dir := range map[string]string{
			"1.colon:2,S": "cur", "2.bang!2,FS": "cur", "3.semicolon;2,R": "cur", "4.new!2,F": "new",
			"5.u,U=7,FMD5=ab:2,S": "cur", "6.both!2,S:2,FS": "cur", "7.bare": "new",
		} {
			require.NoError(t, os.WriteFile(filepath.Join(root, "F", dir, name), nil, 0o600))
		}
		want := map[mail.Key]mail.Flags{
			"1.colon": mail.NewFlags(`\Seen`), "2.bang": mail.NewFlags(`\Seen`, `\Flagged`), "3.semicolon": mail.NewFlags(`\Answered`),
			"4.new": mail.NewFlags(`\Flagged`), "5.u,U=7,FMD5=ab": mail.NewFlags(`\Seen`), "6.both": mail.NewFlags(`\Seen`, `\Flagged`), "7.bare": {},
		}
		require.Equal(t, want, flagsOf(t, s, "F"), own)
		var cs []mail.Change
		for key := range want {
			cs = append(cs, mail.Change{Key: key, Op: mail.ChangeFlags, Add: mail.NewFlags(`\Draft`)})
			want[key] = want[key].Union(mail.NewFlags(`\Draft`))
		}
		out, err := s.Change(t.Context(), mail.Ref{Name: "F"}, cs)
		require.NoError(t, err)
		for _, o := range out {
			require.NoError(t, o.Err)
			require.False(t, o.Gone)
		}
		require.Equal(t, want, flagsOf(t, s, "F"), own)
		require.FileExists(t, filepath.Join(root, "F", "cur", "2.bang"+own+"2,DFS"), "it is written as configured")
		require.FileExists(t, filepath.Join(root, "F", "cur", "7.bare"+own+"2,D"))
		require.FileExists(t, filepath.Join(root, "F", "cur", "6.both!2,S"+own+"2,DFS"))
	}
}
