package foreign_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state/foreign"
)

func pair(far, near uint32, kind foreign.Kind, flags ...string) foreign.Pair {
	return foreign.Pair{Far: far, Near: near, Kind: kind, Flags: mail.NewFlags(flags...)}
}

// The files of testdata/mbsync were written by mbsync 1.4.4 that had pulled eight
// messages with different flags.
func TestMbsyncFiles(t *testing.T) {
	const ordinary, expired, placeholder = foreign.Ordinary, foreign.Expired, foreign.NearPlaceholder
	tests := []struct {
		file      string
		far, near string
		expiredTo uint32
		pairs     []foreign.Pair
	}{
		{"plain", "1795908448", "1795908449", 0, []foreign.Pair{
			pair(1, 1, ordinary), pair(2, 2, ordinary, `\Seen`), pair(3, 3, ordinary, `\Flagged`),
			pair(4, 4, ordinary, `\Answered`, `\Seen`), pair(5, 5, ordinary, `\Draft`), pair(6, 6, ordinary, `$Forwarded`),
			pair(7, 7, ordinary), pair(8, 8, ordinary, `\Deleted`)}},
		{"removed", "1795908448", "1795908449", 0, []foreign.Pair{
			pair(1, 1, ordinary), pair(2, 0, ordinary, `\Seen`), pair(3, 3, ordinary, `\Flagged`),
			pair(4, 4, ordinary, `\Deleted`), pair(5, 5, ordinary, `\Draft`), pair(6, 6, ordinary, `$Forwarded`),
			pair(7, 7, ordinary), pair(8, 8, ordinary, `\Deleted`)}},
		{"expired", "1795908455", "1795908455", 4, []foreign.Pair{
			pair(1, 1, expired), pair(2, 2, expired, `\Seen`), pair(3, 3, ordinary, `\Flagged`),
			pair(4, 4, expired, `\Answered`, `\Seen`), pair(5, 5, ordinary, `\Draft`), pair(6, 6, ordinary, `$Forwarded`),
			pair(7, 7, ordinary), pair(8, 8, ordinary, `\Deleted`)}},
		{"expunged", "1795908455", "1795908455", 4, []foreign.Pair{
			pair(3, 3, ordinary, `\Flagged`), pair(5, 5, ordinary, `\Draft`), pair(6, 6, ordinary, `$Forwarded`), pair(7, 7, ordinary)}},
		{"placeholder", "1795908461", "1795908461", 0, []foreign.Pair{
			pair(1, 1, ordinary), pair(2, 2, ordinary, `\Seen`), pair(3, 3, ordinary, `\Flagged`),
			pair(4, 4, ordinary, `\Answered`, `\Seen`), pair(5, 5, placeholder, `\Draft`), pair(6, 6, placeholder, `$Forwarded`),
			pair(7, 7, placeholder), pair(8, 8, placeholder, `\Deleted`)}},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			f, err := os.Open(filepath.Join("testdata", "mbsync", test.file))
			require.NoError(t, err)
			defer func() { require.NoError(t, f.Close()) }()
			s, err := foreign.ParseMbsync(f.Name(), f)
			require.NoError(t, err)
			require.Equal(t, test.far, s.FarEpoch)
			require.Equal(t, test.near, s.NearEpoch)
			require.Equal(t, test.expiredTo, s.ExpiredTo)
			require.Equal(t, test.pairs, s.Pairs)
		})
	}
}

const header = "FarUidValidity 1\nNearUidValidity 2\nMaxPulledUid 9\nMaxPushedUid 9\n\n"

func TestMbsyncText(t *testing.T) {
	good := map[string][]foreign.Pair{
		header:            nil,
		header + "1 1 \n": {pair(1, 1, foreign.Ordinary)},
		header + "1 1\n":  {pair(1, 1, foreign.Ordinary)},
		"MasterUidValidity 1\nSlaveUidValidity 2\nMaxExpiredSlaveUid 4\n\n3 -1 \n": {pair(3, 0, foreign.Skipped)},
		header + "1 1 <S\n": {pair(1, 1, foreign.FarPlaceholder, `\Seen`)},
		header + "1 0 XS\n": {pair(1, 0, foreign.Expired, `\Seen`)},
		header + "1 0 ^S\n": {pair(1, 0, foreign.Skipped, `\Seen`)},
		header + "0 7 FS\n": {pair(0, 7, foreign.Ordinary, `\Seen`, `\Flagged`)},
	}
	for text, want := range good {
		s, err := foreign.ParseMbsync("state", strings.NewReader(text))
		require.NoError(t, err, text)
		require.Equal(t, want, s.Pairs, text)
	}
	bad := map[string]string{
		"":                                   "state:1",
		"1:2 3:4:5\n1 1 S\n":                 "state:1", // isync before 1.1
		"FarUidValidity 1\n":                 "state:2",
		"FarUidValidity 1\n\n":               "state:2",
		"FarUidValidity x\n":                 "state:1",
		"Nonsense 1\n":                       "state:1",
		header + "1 1 S":                     "state:6", // cut short
		header + "1\n":                       "state:6",
		header + "1 1 S S\n":                 "state:6",
		header + "1 x S\n":                   "state:6",
		header + "1 99999999999 S\n":         "state:6",
		header + "1 1 Z\n":                   "state:6",
		header + "0 0 \n":                    "state:6",
		header + "1 1 \n1 2 \n":              "state:7",
		header + "1 1 \n2 1 \n":              "state:7",
		header + strings.Repeat("1", 300):    "state:6",
		strings.Repeat("FarUidValidity", 30): "state:1",
	}
	for text, at := range bad {
		_, err := foreign.ParseMbsync("state", strings.NewReader(text))
		require.ErrorIs(t, err, fault.IO, "%q", text)
		require.ErrorContains(t, err, at, "%q", text)
	}
}

// folder makes a Maildir folder as mbsync leaves it.
func folder(t *testing.T, dir, validity string) mail.Folder {
	t.Helper()
	for _, sub := range []string{"cur", "new", "tmp"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, sub), 0o700))
	}
	if validity != "" {
		put(t, filepath.Join(dir, ".uidvalidity"), validity+"\n9\n")
	}
	return mail.Folder{Raw: dir}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func stateText(far, near string) string {
	return "FarUidValidity " + far + "\nNearUidValidity " + near + "\n\n1 1 S\n"
}

func TestMbsyncFindsItsFiles(t *testing.T) {
	// name is ours, dir the directory, file the state file that mbsync 1.4.4
	// has for it.
	tests := map[string]struct{ name, dir, file string }{
		"within":    {"Archive/2024", "Mail/Archive/2024", "Mail/Archive/2024/.mbsyncstate"},
		"verbatim":  {"Archive/2024", "Mail/Archive/2024", ".mbsync/:far:Archive!2024_:near:Archive!2024"},
		"flatten":   {"Archive/2024", "Mail/Archive.2024", ".mbsync/:far:Archive!2024_:near:Archive.2024"},
		"maildir++": {"Archive/2024", "Mail/.Archive.2024", ".mbsync/:far:Archive!2024_:near:Archive!2024"},
		"legacy":    {"Archive/2024", "Mail/Archive/.2024", ".mbsync/work-Archive!2024"},
		"utf-7":     {"Entwürfe", "Mail/Entw&APw-rfe", ".mbsync/:far:Entw&APw-rfe_:near:Entw&APw-rfe"},
		"inbox":     {"INBOX", "Mail", ".mbsync/:far:INBOX_:near:INBOX"},
		"in inbox":  {"INBOX/ü", "Mail/..&APw-", ".mbsync/:far:INBOX!&APw-_:near:INBOX!&APw-"},
		"windows":   {"Archive/2024", "Mail/Archive/2024", ".mbsync/;far;Archive!2024_;near;Archive!2024"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			near := folder(t, filepath.Join(home, test.dir), "2")
			near.Name = test.name
			put(t, filepath.Join(home, test.file), stateText("1", "2"))
			put(t, filepath.Join(home, ".mbsync", ":far:2024_:near:2024"), stateText("1", "2"))
			put(t, filepath.Join(home, ".mbsync", ":far:Other_:near:Other"), stateText("1", "2"))
			source, err := foreign.Mbsync(filepath.Join(home, ".mbsync"), filepath.Join(home, "nowhere"))
			require.NoError(t, err)
			s, err := source.Find(mail.Folder{Name: test.name, Raw: "x", Epoch: "1"}, near)
			require.NoError(t, err)
			require.NotNil(t, s)
			require.Equal(t, filepath.Join(home, test.file), s.File)
			require.Empty(t, s.Check("1", "anything"))
			require.Contains(t, s.Check("7", "anything"), "far side's UIDVALIDITY was 1, and is 7")
		})
	}
}

func TestMbsyncChoosesByValidity(t *testing.T) {
	home := t.TempDir()
	near := folder(t, filepath.Join(home, "Mail/INBOX"), "2")
	near.Name = "INBOX"
	far := mail.Folder{Name: "INBOX", Raw: "INBOX", Epoch: "1"}
	dir := filepath.Join(home, ".mbsync")
	put(t, filepath.Join(dir, ":work:INBOX_:wnear:INBOX"), stateText("5", "6"))
	put(t, filepath.Join(dir, ":home:INBOX_:hnear:INBOX"), stateText("1", "2"))
	source, err := foreign.Mbsync(dir)
	require.NoError(t, err)
	s, err := source.Find(far, near)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, ":home:INBOX_:hnear:INBOX"), s.File)

	put(t, filepath.Join(dir, ":copy:INBOX_:cnear:INBOX"), stateText("1", "2"))
	source, err = foreign.Mbsync(dir)
	require.NoError(t, err)
	_, err = source.Find(far, near)
	require.ErrorIs(t, err, fault.IO)
	require.ErrorContains(t, err, "fits the same folders")

	far.Epoch = "3"
	s, err = source.Find(far, near)
	require.NoError(t, err)
	require.Contains(t, s.Check("3", ""), "UIDVALIDITY", "that none fits is told, with the number")
}

func TestMbsyncRefuses(t *testing.T) {
	far := mail.Folder{Name: "INBOX", Raw: "INBOX", Epoch: "1"}
	source, err := foreign.Mbsync()
	require.NoError(t, err)

	t.Run("an unreplayed journal", func(t *testing.T) {
		near := folder(t, t.TempDir(), "2")
		near.Name = "INBOX"
		file := filepath.Join(near.Raw, ".mbsyncstate")
		put(t, file, stateText("1", "2"))
		put(t, file+".journal", "4\n")
		_, err := source.Find(far, near)
		require.NoError(t, err, "a journal alone is one that mbsync failed to remove")
		put(t, file+".new", "")
		_, err = source.Find(far, near)
		require.ErrorContains(t, err, "journal")
		require.ErrorContains(t, err, "run mbsync once more")
	})
	t.Run("AltMap", func(t *testing.T) {
		near := folder(t, t.TempDir(), "")
		near.Name = "INBOX"
		put(t, filepath.Join(near.Raw, ".mbsyncstate"), stateText("1", "2"))
		put(t, filepath.Join(near.Raw, ".isyncuidmap.db"), "x")
		_, err := source.Find(far, near)
		require.ErrorIs(t, err, fault.Unsupported)
		require.ErrorContains(t, err, "mdconvert -n "+near.Raw)
	})
	t.Run("no UIDVALIDITY", func(t *testing.T) {
		near := folder(t, t.TempDir(), "")
		near.Name = "INBOX"
		put(t, filepath.Join(near.Raw, ".mbsyncstate"), stateText("1", "2"))
		s, err := source.Find(far, near)
		require.NoError(t, err)
		require.NotEmpty(t, s.Check("1", ""))
	})
	t.Run("nothing", func(t *testing.T) {
		near := folder(t, t.TempDir(), "2")
		near.Name = "INBOX"
		s, err := source.Find(far, near)
		require.NoError(t, err)
		require.Nil(t, s)
	})
}

func TestMbsyncKeys(t *testing.T) {
	s := &foreign.State{}
	keys, others := s.Keys([]mail.Key{
		"1795908131.22569_1.vm,U=1", "1795908131.22569_2.vm,U=2", "copied,U=2", "1795908131.1.vm", "x,U=,y", "x,U=99999999999", mail.UIDKey(7)})
	require.Equal(t, map[uint32]mail.Key{1: "1795908131.22569_1.vm,U=1", 7: mail.UIDKey(7)}, keys)
	require.Equal(t, 2, others, "neither of two files with the same UID is believed")
}

func FuzzMbsync(f *testing.F) {
	for _, name := range []string{"plain", "removed", "expired", "expunged", "placeholder"} {
		text, err := os.ReadFile(filepath.Join("testdata", "mbsync", name))
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Add("MasterUidValidity 1\nSlaveUidValidity 2\n\n3 -1 ^\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := foreign.ParseMbsync("state", strings.NewReader(text))
		if err != nil {
			require.Equal(t, fault.IO, fault.CodeOf(err))
			return
		}
		far, near := map[uint32]bool{}, map[uint32]bool{}
		for _, p := range s.Pairs {
			require.False(t, p.Far == 0 && p.Near == 0)
			require.False(t, p.Far != 0 && far[p.Far] || p.Near != 0 && near[p.Near], "a message has one pair")
			far[p.Far], near[p.Near] = true, true
		}
	})
}
