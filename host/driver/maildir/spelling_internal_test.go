package maildir

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
)

// A file system that writes names in its own way must not make two folders one.
func TestFileSystemThatSpellsOtherwise(t *testing.T) {
	for name, spell := range map[string]map[string]string{
		"case":          {"Work": "work"},
		"normalisation": {"caf\u00e9": "cafe\u0301"},
		"of a parent":   {"Top": "top"},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(Options{Path: t.TempDir()})
			require.NoError(t, s.Open(t.Context()))
			defer s.Close()
			s.names = func(ctx context.Context, dir string) ([]string, error) {
				names, err := allNames(ctx, dir)
				for i, name := range names {
					if other := spell[name]; other != "" {
						names[i] = other
					}
				}
				return names, err
			}
			for _, folder := range []string{"fine", "Work", "caf\u00e9", "Top/below"} {
				err := s.CreateFolder(t.Context(), folder)
				if first := folder[:min(len(folder), 3)]; spell[folder] != "" || spell[first] != "" {
					require.ErrorIs(t, err, fault.BadName, folder)
					require.ErrorIs(t, s.CreateFolder(t.Context(), folder), fault.BadName, "again")
					require.ErrorIs(t, s.RenameFolder(t.Context(), "fine", folder+"/x"), fault.BadName)
					continue
				}
				require.NoError(t, err, folder)
			}
			list, err := s.Folders(t.Context())
			require.NoError(t, err)
			require.Len(t, list, 3)
		})
	}
}
