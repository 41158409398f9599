package imap_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// A server may have a limit for each folder (RFC 7889 section 3.2); the user's
// own holds too, and the smallest counts.
func TestSizeLimits(t *testing.T) {
	for _, c := range []struct {
		name    string
		without []string
		own     int64            // max_append
		want    map[string]int64 // by folder
		refused map[string]bool  // a message of 2,000 octets
		server  func(line string) string
	}{
		{name: "the server's", want: map[string]int64{"INBOX": 2500, "Small": 2500}, refused: map[string]bool{}},
		{name: "our own is smaller", own: 700, want: map[string]int64{"INBOX": 700, "Small": 700},
			refused: map[string]bool{"INBOX": true, "Small": true}},
		{name: "our own is larger", own: 1 << 30, want: map[string]int64{"INBOX": 2500, "Small": 2500}, refused: map[string]bool{}},
		{name: "by folder", server: byFolder, want: map[string]int64{"INBOX": 0, "Small": 900}, refused: map[string]bool{"Small": true}},
		{name: "by folder, asked one by one", without: []string{"LIST-STATUS"}, server: byFolder, own: 1500,
			want: map[string]int64{"INBOX": 1500, "Small": 900}, refused: map[string]bool{"INBOX": true, "Small": true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &imaptest.Proxy{Server: func(line string) []string {
				if c.server != nil {
					line = c.server(line)
				}
				return []string{line}
			}}
			a := proxied(t, imaptest.Options{AppendLimit: 2500}, p)
			require.NoError(t, a.CreateFolder("Small"))
			opts := options(p.Addr(), "user", "secret")
			opts.MaxAppend, opts.Conn.Without = c.own, c.without
			d := open(t, opts)
			folders, err := d.Folders(t.Context())
			require.NoError(t, err)
			got := map[string]int64{}
			for _, f := range folders {
				got[f.Name] = f.Limit
			}
			require.Equal(t, c.want, got)
			for folder := range c.want {
				placed, err := deliver(t, d, mail.Ref{Name: folder}, imaptest.SampleMessage(1, 2000), imaptest.SampleMessage(2, 500))
				require.NoError(t, err)
				require.NoError(t, placed[1].Err)
				require.Equal(t, c.refused[folder], placed[0].Err != nil, "%s: %v", folder, placed[0].Err)
				if c.refused[folder] {
					require.ErrorIs(t, placed[0].Err, fault.Refused)
					require.True(t, fault.IsFinal(placed[0].Err))
					require.ErrorContains(t, placed[0].Err, "the server takes")
				}
			}
		})
	}
}

// byFolder makes the server one that has a limit for the folder "Small" only.
func byFolder(line string) string {
	line = strings.ReplaceAll(line, "APPENDLIMIT=2500", "APPENDLIMIT")
	if strings.HasPrefix(line, "* STATUS") && strings.Contains(line, "Small") {
		line = strings.ReplaceAll(line, "APPENDLIMIT NIL", "APPENDLIMIT 900")
	}
	return line
}
