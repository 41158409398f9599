package naming_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/naming"
)

func TestNearMisses(t *testing.T) {
	names := []string{"INBOX", "Sent", "Archive/2024", "Archive/2025", "Lists/golang", "Entwürfe", "A"}
	for typed, want := range map[string][]string{
		"inbox":    {"INBOX"},
		"Imbox":    {"INBOX"},
		"2024":     {"Archive/2024", "Archive/2025"},
		"golnag":   {"Lists/golang"},
		"Archive":  {"Archive/2024", "Archive/2025"},
		"Entwurfe": {"Entwürfe"},
		"xyzzy":    nil,
		"":         nil,
		"Sent":     nil,
	} {
		require.Equal(t, want, naming.NearMisses(typed, names), typed)
	}
}
