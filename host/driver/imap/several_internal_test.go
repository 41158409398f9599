package imap

import (
	"testing"
	"time"

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

// TestHowManyGoTogether: as many as the server stores in a short time, as far as
// that was measured.
func TestHowManyGoTogether(t *testing.T) {
	begun := time.Unix(1_700_000_000, 0)
	at := func(ms int) time.Time { return begun.Add(time.Duration(ms) * time.Millisecond) }
	c := newCollector()
	c.took("F", 10, at(0), at(100))
	require.Equal(t, 20, c.size)
	c.took("F", 10, at(0), at(110))
	require.Equal(t, 20, c.size, "twenty were not measured")
	c.took("F", 20, at(0), at(300))
	require.Equal(t, 40, c.size, "the first hundred milliseconds were those of the others")
	c.took("G", 40, at(0), at(3000))
	require.Equal(t, 20, c.size)
	c.took("H", 40, at(0), at(3100))
	require.Equal(t, 20, c.size, "the server was as slow for another folder")
	c.took("H", 40, at(0), at(3050))
	require.Equal(t, 20, c.size, "what was looked at too late says nothing")
	for range 9 {
		c.took("I", 2, at(0), at(2000))
		c.busy = map[string]time.Time{}
	}
	require.Equal(t, 2, c.size, "two are still measured")
}
