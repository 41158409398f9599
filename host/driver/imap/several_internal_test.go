package imap

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
)

// TestAppendUIDs: the UIDs are in the order of the messages, whatever that is; an
// answer that cannot be right tells none.
func TestAppendUIDs(t *testing.T) {
	for _, c := range []struct {
		set  string
		want []uint32
	}{
		{"5:7", []uint32{5, 6, 7}},
		{"12,10,11", []uint32{12, 10, 11}},
		{"3,9:10", []uint32{3, 9, 10}},
		{"5:6,6:7", []uint32{0, 0, 0}},
		{"5:6,6", []uint32{0, 0, 0}},
		{"5:6", []uint32{0, 0, 0}},
		{"5:8", []uint32{0, 0, 0}},
		{"1:4294967295", []uint32{0, 0, 0}},
		{"x", []uint32{0, 0, 0}},
	} {
		g := &several{of: []*delivery{{}, {}, {}}}
		g.placed(conn.Reply{Code: "APPENDUID", Args: []conn.Value{{Kind: conn.Atom, Text: "7"}, {Kind: conn.Atom, Text: c.set}}})
		var got []uint32
		for _, dl := range g.of {
			got = append(got, dl.uid)
		}
		require.Equal(t, c.want, got, c.set)
	}
}
