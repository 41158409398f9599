package foreign_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state/foreign"
)

// testdata/offlineimap was written by OfflineIMAP 8.0.0 that had pulled three
// folders.
const metadata = "testdata/offlineimap"

func TestOfflineIMAPFiles(t *testing.T) {
	source, err := foreign.OfflineIMAP(metadata, "", "")
	require.NoError(t, err)

	s, err := source.Find(mail.Folder{Name: "INBOX", Raw: "INBOX"}, mail.Folder{Name: "INBOX", Raw: "/home/me/Mail/INBOX"})
	require.NoError(t, err)
	const ordinary = foreign.Ordinary
	require.Equal(t, []foreign.Pair{
		pair(1, 1, ordinary), pair(2, 2, ordinary, `\Seen`), pair(3, 3, ordinary, `\Flagged`),
		pair(4, 4, ordinary, `\Answered`, `\Seen`), pair(5, 5, ordinary, `\Draft`), pair(6, 6, ordinary),
		pair(7, 7, ordinary), pair(8, 8, ordinary, `\Deleted`),
	}, s.Pairs)
	require.Empty(t, s.NearEpoch)
	require.Empty(t, s.Check(s.FarEpoch, "whatever a Maildir has"))

	for name, near := range map[string]mail.Folder{
		"flat":      {Name: "Archive/2024", Raw: "/home/me/Mail/Archive.2024"},
		"nested":    {Name: "Archive/2024", Raw: "/home/me/Mail/Archive/2024"},
		"umlauts":   {Name: "Entwürfe", Raw: "/home/me/Mail/Entw&APw-rfe"},
		"by server": {Name: "Archive/2024", Raw: "/home/me/Mail/Archive/2024"},
	} {
		t.Run(name, func(t *testing.T) {
			far := mail.Folder{Name: near.Name, Raw: "Archive.2024"}
			if name == "umlauts" {
				far.Raw = "Entw&APw-rfe"
			}
			s, err := source.Find(far, near)
			require.NoError(t, err)
			require.NotNil(t, s)
			require.Equal(t, []foreign.Pair{pair(1, 1, ordinary, `\Seen`)}, s.Pairs)
		})
	}
	s, err = source.Find(mail.Folder{Name: "Other"}, mail.Folder{Name: "Other"})
	require.NoError(t, err)
	require.Nil(t, s)
}

func TestOfflineIMAPKeys(t *testing.T) {
	source, err := foreign.OfflineIMAP(metadata, "me", "Remote")
	require.NoError(t, err)
	const inbox, archive = "7e33429f656f1e6e9d79b29c3f82c57e", "1a93ab4c536c71150dc4b4835ca6c7b0"
	s, err := source.Find(mail.Folder{Name: "INBOX", Raw: "INBOX"}, mail.Folder{Name: "INBOX", Raw: "/home/me/Mail/INBOX"})
	require.NoError(t, err)
	keys, others := s.Keys([]mail.Key{"1_0.2.vm,U=1,FMD5=" + inbox, "1_1.2.vm,U=2,FMD5=" + archive, "1_2.2.vm"})
	require.Equal(t, map[uint32]mail.Key{1: "1_0.2.vm,U=1,FMD5=" + inbox}, keys)
	require.Equal(t, 1, others, "a file that was moved here keeps the UID of its old folder")

	for _, raw := range []string{"/home/me/Mail/Archive.2024", "/home/me/Mail/Archive/2024"} {
		s, err = source.Find(mail.Folder{Name: "Archive/2024", Raw: "Archive/2024"}, mail.Folder{Name: "Archive/2024", Raw: raw})
		require.NoError(t, err)
		keys, _ = s.Keys([]mail.Key{"1,U=1,FMD5=" + archive, "2,U=2,FMD5=" + inbox})
		require.Equal(t, map[uint32]mail.Key{1: "1,U=1,FMD5=" + archive}, keys)
	}
	keys, others = s.Keys([]mail.Key{"1,U=1,FMD5=0123", "2,U=2,FMD5=0123"})
	require.Len(t, keys, 2, "where folders are renamed by a function we have not read, all files agree")
	require.Zero(t, others)
	keys, others = s.Keys([]mail.Key{"1,U=1,FMD5=0123", "2,U=2,FMD5=4567"})
	require.Empty(t, keys)
	require.Equal(t, 2, others)
}

func TestOfflineIMAPRefuses(t *testing.T) {
	tests := map[string]struct {
		account, repository string
		prepare             func(t *testing.T, dir string)
		says                string
	}{
		"another account":    {account: "work", says: `no account "work"`},
		"another repository": {repository: "Work", says: `no remote repository "Work"`},
		"two accounts": {prepare: func(t *testing.T, dir string) {
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "Account-work"), 0o700))
		}, says: "more than one account here: me, work (say which one)"},
		"two repositories": {prepare: func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "Repository-Work/FolderValidity/INBOX"), "7\n")
		}, says: "more than one remote repository here: Remote, Work"},
		"mapped UIDs": {prepare: func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "Repository-Remote/UIDMapping/INBOX"), "1:1\n")
		}, says: "UIDMapping"},
		"an old format": {prepare: func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(filepath.Join(dir, "Account-me/LocalStatus-sqlite"), filepath.Join(dir, "Account-me/LocalStatus")))
		}, says: "there is no status of folders here"},
		"nothing": {prepare: func(t *testing.T, dir string) { require.NoError(t, os.RemoveAll(dir)) }, says: "no such file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "meta")
			require.NoError(t, os.CopyFS(dir, os.DirFS(metadata)))
			if test.prepare != nil {
				test.prepare(t, dir)
			}
			_, err := foreign.OfflineIMAP(dir, test.account, test.repository)
			require.ErrorContains(t, err, test.says)
			require.ErrorIs(t, err, fault.Config)
		})
	}
}

func TestOfflineIMAPDamage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "meta")
	require.NoError(t, os.CopyFS(dir, os.DirFS(metadata)))
	file := filepath.Join(dir, "Account-me/LocalStatus-sqlite/INBOX")
	inbox := mail.Folder{Name: "INBOX", Raw: "INBOX"}
	find := func() error {
		source, err := foreign.OfflineIMAP(dir, "", "")
		require.NoError(t, err)
		_, err = source.Find(inbox, inbox)
		return err
	}
	require.NoError(t, find())
	put(t, file, "this is no database, but as long as the header of one would be, or longer ...............................")
	require.ErrorContains(t, find(), "INBOX: it cannot be read as a status of OfflineIMAP")
	put(t, file, "")
	require.ErrorContains(t, find(), "it cannot be read as a status of OfflineIMAP")

	put(t, filepath.Join(dir, "Repository-Remote/FolderValidity/INBOX"), "12")
	require.Error(t, find())
	put(t, filepath.Join(dir, "Repository-Remote/FolderValidity/INBOX"), "half")
	require.NoError(t, find(), "without a UIDVALIDITY the folder is not known")
}

func FuzzFileNames(f *testing.F) {
	f.Add("1795908239_3.26363.vm,U=2,FMD5=7e33429f656f1e6e9d79b29c3f82c57e", "x,U=3")
	f.Add(",U=", ",U=1,U=2")
	f.Add(",U=00000000000000000000001,FMD5=,", ",FMD5=a,U=1")
	f.Fuzz(func(t *testing.T, a, b string) {
		byUID, others := new(foreign.State).Keys([]mail.Key{mail.Key(a), mail.Key(b)})
		require.LessOrEqual(t, len(byUID)+others, 2)
		require.NotContains(t, byUID, uint32(0))
	})
}
