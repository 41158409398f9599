package conn_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/mail"
)

func TestNames(t *testing.T) {
	for name, raw := range map[string]string{
		"INBOX": "INBOX", "a&b": "a&-b", "Entwürfe": "Entw&APw-rfe", "台北/日本語": "&U,BTFw-/&ZeVnLIqe-", "~peter": "~peter",
		"😀": "&2D3eAA-", "a\tb": "a&AAk-b", "é&é": "&AOk-&-&AOk-", "\ufffd": "&,,0-", "": "",
	} {
		require.Equal(t, raw, conn.EncodeName(name))
		got, ok := conn.DecodeName(raw)
		require.True(t, ok, raw)
		require.Equal(t, name, got)
	}
	for _, raw := range []string{"a&b", "&", "a&AOk", "&AOk-&AOk-", "&AGE-", "&A-", "&AOl-x\xff", "a\x01", "&2D0-", "&AO=-", "&\r\n-", "&AOm-&", "&3gDYPQ-"} {
		_, ok := conn.DecodeName(raw)
		require.False(t, ok, raw)
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		raw := conn.EncodeName(name)
		got, ok := conn.DecodeName(raw)
		if !ok || got != name {
			t.Fatalf("%q -> %q -> %q, %v", name, raw, got, ok)
		}
	})
}

func drawSet(t *rapid.T) mail.KeySet {
	var set mail.KeySet
	for range rapid.IntRange(1, 300).Draw(t, "ranges") {
		first := rapid.Uint32Range(1, 1<<32-1).Draw(t, "first")
		last := min(uint64(first)+rapid.Uint64Range(0, 1000).Draw(t, "more"), 1<<32-1)
		set.AddUIDs(first, uint32(last))
	}
	return set
}

func TestSplitUIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := drawSet(t)
		max := rapid.IntRange(25, 500).Draw(t, "max")
		var all mail.KeySet
		count := 0
		for piece := range conn.SplitUIDs(set, max) {
			text := conn.SetText(piece)
			if len(text) > max {
				t.Fatalf("%d octets", len(text))
			}
			parsed, ok := conn.ParseUIDs(text)
			if !ok {
				t.Fatalf("cannot read %q", text)
			}
			all.AddSet(parsed)
			count++
		}
		if conn.SetText(all) != conn.SetText(set) {
			t.Fatal("the pieces are not the set")
		}
		if want := len(conn.SetText(set))/(max-22) + 1; count > want {
			t.Fatalf("%d pieces where %d would do", count, want)
		}
	})
	for range conn.SplitUIDs(mail.KeySet{}, 10) {
		t.Fatal("a piece of nothing")
	}
	for _, bad := range []string{"", "*", "1:*", "0", "1,,2", "x", "1:2:3", "4294967296", "-1", "1 2"} {
		_, ok := conn.ParseUIDs(bad)
		require.False(t, ok, bad)
	}
}

// What we send, imapclient would send too: two writers of one protocol agree.
func TestCommandsAgreeWithImapclient(t *testing.T) {
	sent := make(chan string)
	c := start(t, "LITERAL+", func(p *peer) {
		for {
			line := p.line()
			tag, rest, _ := strings.Cut(line, " ")
			p.tag = tag
			if rest == "LOGOUT" || line == "" {
				p.send("TAG OK\r\n")
				return
			}
			if strings.HasSuffix(rest, "+}") {
				rest += "\r\n" + p.line()
			}
			p.send("TAG OK\r\n")
			sent <- rest
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOf(rapid.RuneFrom([]rune(`ab &"\/(){}%*é日😀INBOXx`))).Draw(t, "name")
		done := make(chan error, 1)
		go func() {
			_, err := c.Do(context.Background(), conn.Cmd("CREATE").Mailbox(name), nil)
			done <- err
		}()
		ours := <-sent
		require.NoError(t, <-done)
		go func() {
			done <- c.Run(context.Background(), "create", func(cl *imapclient.Client) error { return cl.Create(name, nil).Wait() })
		}()
		theirs := <-sent
		require.NoError(t, <-done)
		if strings.EqualFold(name, "INBOX") {
			ours = strings.ReplaceAll(ours, `"`, "")
		}
		require.Equal(t, theirs, ours)
	})
}

// A folder name may be anything: it is listed, it does not end the connection,
// and one that cannot be read is not mistaken for another.
func TestAnyFolderName(t *testing.T) {
	names := make(chan string)
	c := start(t, "", func(p *peer) {
		for {
			if cmd := p.command(); cmd == "LOGOUT" || cmd == "" {
				p.send("TAG OK\r\n")
				return
			}
			p.send("* LIST () \"/\" " + literal(<-names) + "\r\nTAG OK\r\n")
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.OneOf(rapid.StringMatching(`[a-c&\-A,+/é"\\ ]{1,8}`), rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, 8), func(b []byte) string { return string(b) })).Draw(t, "raw")
		done := make(chan error, 1)
		var got []*imap.ListData
		go func() {
			done <- c.Run(context.Background(), "list", func(cl *imapclient.Client) (err error) {
				got, err = cl.List("", "*", nil).Collect()
				return err
			})
		}()
		names <- raw
		require.NoError(t, <-done)
		require.Len(t, got, 1)
		want, ok := conn.DecodeName(raw)
		switch {
		case strings.EqualFold(raw, "INBOX"):
			require.Equal(t, "INBOX", got[0].Mailbox)
		case ok:
			require.Equal(t, want, got[0].Mailbox)
		default:
			require.Contains(t, got[0].Mailbox, string(utf8.RuneError))
		}
	})
}

// Whatever the server says, imapclient reads it, or we tell what is wrong with
// it: it never meets something that it does not understand.
func TestImapclientUnderstandsEverything(t *testing.T) {
	words := rapid.SampledFrom([]string{
		"FETCH", "LIST", "STATUS", "NAMESPACE", "SEARCH", "ESEARCH", "EXISTS", "EXPUNGE", "FLAGS", "OK", "NO", "BYE", "VANISHED", "CAPABILITY", "fetch",
		"UID", "FLAGS", "BODY[]", "BODY[TEXT]<0>", "RFC822.SIZE", "INTERNALDATE", "MODSEQ", "X-GM-LABELS", "RFC822", "BODY[HEADER.FIELDS (a)]",
		"(", ")", "(", ")", "()", "(\\Seen)", "(\\Seen a]b)", `"/"`, `""`, `"a&b"`, `"x\"y"`, "NIL", "nil", "1", "7", "0", "-1", "4294967296", "1:3", "1:*",
		"[UIDNEXT 5]", "[X \"]\"]", "[ALERT]", "[", "]", "(MESSAGES 3 UIDNEXT 1)", "(MODSEQ 5)", "((\"\" \"/\"))", "(1)", "\"1-Jan-2020 00:00:00 +0000\"",
		"{2}\r\nab", "{0}\r\n", "~{3}\r\n)\r\n", "(TAG \"T9\")", "all", "min", "text", "\xff", "a\x00b", "\"", "\\", "%", "{", "}", "a{1", "*", "+",
	})
	rapid.Check(t, func(rt *rapid.T) {
		var stream strings.Builder
		for range rapid.IntRange(1, 4).Draw(rt, "lines") {
			line := rapid.SliceOfN(words, 1, 9).Draw(rt, "words")
			stream.WriteString(rapid.SampledFrom([]string{"* ", "* ", "* ", "* 7 ", "* 7 FETCH (UID 7 ", "+ ", "", "T999 "}).Draw(rt, "start"))
			stream.WriteString(strings.Join(line, " ") + "\r\n")
		}
		cfg := config(t, func(p *peer) {
			if p.login("ESEARCH MOVE") {
				for range 4 {
					p.command()
				}
				p.send(stream.String() + "\r\n")
			}
		})
		cfg.Timeout = 20 * time.Second
		c, err := conn.Dial(t.Context(), cfg)
		require.NoError(t, err)
		err = c.Run(t.Context(), "everything", func(cl *imapclient.Client) error {
			fetch := cl.Fetch(imap.UIDSetNum(7), nil)
			list := cl.List("", "*", nil)
			cl.Namespace()
			search := cl.UIDSearch(&imap.SearchCriteria{}, nil)
			fetched := make(chan error, 1)
			go func() {
				_, err := fetch.Collect()
				fetched <- err
			}()
			_, listed := list.Collect()
			_, _ = search.Wait()
			<-fetched
			return fmt.Errorf("%w, %w", listed, c.Err())
		})
		require.NotContains(rt, err.Error(), "could not be understood", "%q", stream.String())
		require.NotContains(rt, err.Error(), "panic", "%q", stream.String())
		require.NoError(t, c.Close())
	})
}
