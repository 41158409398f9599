package driver_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
)

func TestMergeStamp(t *testing.T) {
	for _, tc := range [][3]string{
		{"", "a:1", "a:1"},
		{"a:1", "a:2", "a:2"},
		{"a:1 b:7", "a:2", "b:7 a:2"},
		{"a:1 b:7", "b:8", "a:1 b:8"},
		{"me 41", "me 42", "me 42"},
		{"me 41 a:1", "you", "a:1 you"},
		{"ab:1", "a:1", "ab:1 a:1"},
	} {
		require.Equal(t, tc[2], driver.MergeStamp(tc[0], tc[1]))
	}
}
