package conn_test

import (
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
)

// Every answer here kills imapclient when it gets it as it is, or makes it lose
// data.

func TestSurvivesUntagged(t *testing.T) {
	for _, line := range []string{
		"* XFOO bar", "* VANISHED 1:3", "* VANISHED (EARLIER) 41,43:116", `* LSUB () "/" x`, "* NOOP", "",
		`* OK [FOO "a]b"] hey`, "* OK [FOO (a b) x] hey", "* OK [ALERT] hey", "* OK [", "* OK [unclosed", "* ok", "* OK ",
		"* BYE", "* NO [UIDNEXT no] number", "* OK [UIDVALIDITY 99999999999] big", "* OK [COPYUID 1 * 2] x",
		"* OK [HIGHESTMODSEQ 99999999999999999999] x", `* OK [PERMANENTFLAGS (\* a]b \Seen x\y)] x`, "* OK [APPENDUID] x",
		`* FLAGS (\Answered a]b "q" ()`, "* 99999999999 EXISTS", "* 0 EXPUNGE", "* 7 EXPUNGE extra", "* 3 EXISTS  ",
		`* NAMESPACE (("" "")) NIL NIL`, `* NAMESPACE (("" "/"))`, `* ID NIL`, `* ID ("name" NIL)`, "* QUOTA broken", "* METADATA",
		"*", "* ", "garbage", "T999 OK no such command", "X999 OK nor this one", "+ go on", "* CAPABILITY IMAP4rev1 a]b",
		"* 1 FETCH (FLAGS (\\Seen))", "* 1 FETCH (X-NEW \"thing\")", "* 1 FETCH ()", "* ENABLED", `* LIST () "" INBOX`,
		"* SEARCH 1 2", "* ESEARCH", "* STATUS INBOX (MESSAGES -1)",
	} {
		t.Run(line, func(t *testing.T) {
			c := start(t, "QRESYNC ENABLE", answer(line+"\r\nTAG OK done\r\n"))
			usable(t, c)
		})
	}
}

func TestSurvivesFetch(t *testing.T) {
	noon := time.Date(2020, 2, 3, 12, 30, 0, 0, time.UTC)
	for _, test := range []struct {
		name, items string
		check       func(t *testing.T, m *imapclient.FetchMessageBuffer)
	}{
		{"Gmail's own", `X-GM-MSGID 1278455344230334865 X-GM-LABELS (\Inbox "a b" {3}` + "\r\nx)y)", nil},
		{"EMAILID", "EMAILID (M6d99)", nil},
		{"THREADID NIL", "THREADID NIL", nil},
		{"SAVEDATE", "SAVEDATE NIL", nil},
		{"unknown literal", "X-BLOB " + literal("a)b(\r\n* 1 FETCH (UID 9)\r\n"), nil},
		{"unknown nested literal", "X-BLOB (1 (" + literal("a)") + " 2))", nil},
		{"PREVIEW", `PREVIEW "a ) \" b"`, nil},
		{"flag with bracket", `FLAGS (a]b \Seen)`, flags(`\Seen`)},
		{"flag with backslash", `FLAGS (\Seen a\b good)`, flags(`\Seen`, "good")},
		{"flag with quote", `FLAGS (5"disk good)`, flags("good")},
		{"flag with 8 bit", "FLAGS (caf\xc3\xa9 \xc3\x84 ok)", flags("caf\xc3\xa9", "ok")},
		{"flags with spaces", `FLAGS ( \Seen  a )`, flags(`\Seen`, "a")},
		{"flags NIL", "FLAGS NIL", flags()},
		{"date without zone", `INTERNALDATE "3-Feb-2020 12:30:00"`, date(noon)},
		{"date padded", `INTERNALDATE " 3-Feb-2020 13:30:00 +0100"`, date(noon)},
		{"date with a named zone", `INTERNALDATE "03-Feb-2020 12:30:00 GMT"`, date(noon)},
		{"date of RFC 3339", `INTERNALDATE "2020-02-03T13:30:00+01:00"`, date(noon)},
		{"date in a zone nobody knows", `INTERNALDATE "03-Feb-2020 12:30:00 XYZ"`, date(time.Time{})},
		{"date NIL", "INTERNALDATE NIL", date(time.Time{})},
		{"date that is none", `INTERNALDATE "31-Feb-2020 12:30:00 +0000"`, date(time.Time{})},
		{"size negative", "RFC822.SIZE -1", size(0)},
		{"size too large", "RFC822.SIZE 99999999999999999999", size(0)},
		{"size", "RFC822.SIZE 5000000000", size(5000000000)},
		{"modseq without parentheses", "MODSEQ 12", modSeq(12)},
		{"modseq empty", "MODSEQ ()", modSeq(0)},
		{"lower case", `flags (\seen) rfc822.size 7`, size(7)},
		{"literal8", "BODY[] ~" + literal("hi\x00)"), body("hi\x00)")},
		{"literal", "BODY[] " + literal("a line\r\n* BYE\r\n"), body("a line\r\n* BYE\r\n")},
		{"empty literal", "BODY[] {0}\r\n", body("")},
		{"quoted", `BODY[] "h\"i"`, body(`h"i`)},
		{"unquoted", `BODY[] word`, body(`word`)},
		{"NIL", "BODY[] nil", body("")},
		{"RFC822", "RFC822 " + literal("hi"), body("hi")},
		{"body.peek", "BODY.PEEK[] " + literal("hi"), body("hi")},
		{"two literals", "BODY[HEADER] " + literal("a") + " BODY[] " + literal("bc"), body("a", "bc")},
		{"section with quotes", `BODY[HEADER.FIELDS ("Subject" "x]y")] ` + literal("hi"), body("hi")},
		{"envelope with literals", `ENVELOPE (NIL ` + literal("a)\"") + ` NIL NIL NIL NIL NIL NIL NIL "<x@y>")`,
			func(t *testing.T, m *imapclient.FetchMessageBuffer) { require.Equal(t, `a)"`, m.Envelope.Subject) }},
		{"envelope NIL", `ENVELOPE NIL`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, order := range []string{"UID 7 " + test.items, test.items + " UID 7"} {
				c := start(t, "", answer("* 5 FETCH ("+order+")\r\nTAG OK done\r\n"))
				var got []*imapclient.FetchMessageBuffer
				require.NoError(t, c.Run(t.Context(), "fetch", func(cl *imapclient.Client) (err error) {
					got, err = cl.Fetch(imap.UIDSetNum(7), &imap.FetchOptions{Flags: true}).Collect()
					return err
				}))
				require.Len(t, got, 1, order)
				require.Equal(t, imap.UID(7), got[0].UID)
				require.Equal(t, uint32(5), got[0].SeqNum)
				if test.check != nil {
					test.check(t, got[0])
				}
				usable(t, c)
			}
		})
	}
}

type check = func(*testing.T, *imapclient.FetchMessageBuffer)

func flags(want ...imap.Flag) check {
	return func(t *testing.T, m *imapclient.FetchMessageBuffer) { require.ElementsMatch(t, want, m.Flags) }
}

func date(want time.Time) check {
	return func(t *testing.T, m *imapclient.FetchMessageBuffer) {
		require.True(t, want.Equal(m.InternalDate), "%s", m.InternalDate)
	}
}

func size(want int64) check {
	return func(t *testing.T, m *imapclient.FetchMessageBuffer) { require.Equal(t, want, m.RFC822Size) }
}

func modSeq(want uint64) check {
	return func(t *testing.T, m *imapclient.FetchMessageBuffer) { require.Equal(t, want, m.ModSeq) }
}

func body(want ...string) check {
	return func(t *testing.T, m *imapclient.FetchMessageBuffer) {
		var got []string
		for _, s := range m.BodySection {
			got = append(got, string(s.Bytes))
		}
		require.Equal(t, want, got)
	}
}

func TestNewsOfAMessageDoesNotHideItsContent(t *testing.T) {
	c := start(t, "", answer("* 5 FETCH (UID 7 FLAGS (\\Seen))\r\n"+
		"* 5 FETCH (UID 7 BODY[] "+literal("hi")+")\r\nTAG OK done\r\n"))
	var got []*imapclient.FetchMessageBuffer
	require.NoError(t, c.Run(t.Context(), "fetch", func(cl *imapclient.Client) (err error) {
		got, err = cl.Fetch(imap.UIDSetNum(7), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{{Peek: true}}}).Collect()
		return err
	}))
	require.Len(t, got, 1)
	body("hi")(t, got[0])
}

func TestUIDBehindALargeBody(t *testing.T) {
	large := strings.Repeat("0123456789abcde\n", 3<<16) // 3 MiB, goes through a file
	c := start(t, "", answer("* 5 FETCH (FLAGS (\\Seen) BODY[] "+literal(large)+" UID 7 RFC822.SIZE 9)\r\nTAG OK done\r\n"))
	var got []*imapclient.FetchMessageBuffer
	require.NoError(t, c.Run(t.Context(), "fetch", func(cl *imapclient.Client) (err error) {
		got, err = cl.Fetch(imap.UIDSetNum(7), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{{}}}).Collect()
		return err
	}))
	require.Len(t, got, 1)
	require.Equal(t, imap.UID(7), got[0].UID)
	require.Equal(t, []imap.Flag{imap.FlagSeen}, got[0].Flags)
	require.Equal(t, int64(9), got[0].RFC822Size)
	require.True(t, large == string(got[0].BodySection[0].Bytes), "content differs")
}

func TestSurvivesList(t *testing.T) {
	for _, test := range []struct{ name, line, want, delim string }{
		{"bad UTF-7", `* LIST () "/" "a&b"`, "a\ufffdb", "/"},
		{"bad bytes", "* LIST () \"/\" \"a\xff\"", "a\ufffd", "/"},
		{"raw UTF-8", "* LIST () \"/\" \"caf\xc3\xa9\"", "café", "/"},
		{"UTF-7", `* LIST () "/" "caf&AOk-"`, "café", "/"},
		{"literal", `* LIST () "/" ` + literal(`a "b`), `a "b`, "/"},
		{"NIL delimiter", `* LIST (\Noselect) NIL x`, "x", ""},
		{"empty delimiter", `* LIST () "" x`, "x", ""},
		{"long delimiter", `* LIST () "//" x`, "x", ""},
		{"backslash", `* LIST () "\\" "a\\b"`, `a\b`, `\`},
		{"unquoted brackets", `* LIST () "/" [Gmail]/All`, "[Gmail]/All", "/"},
		{"unquoted space", `* LIST () "/" My Folder`, "My Folder", "/"},
		{"bare quote", `* LIST () "/" "a"b"`, `a"b`, "/"},
		{"attribute", `* LIST (\HasChildren a]b) "/" x`, "x", "/"},
		{"old name", `* LIST () "/" x ("OLDNAME" ("a&b"))`, "x", "/"},
		{"inbox", `* LIST () "/" inbox`, "INBOX", "/"},
		{"named NIL", `* LIST () "/" NIL`, "NIL", "/"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := start(t, "", answer(test.line+"\r\n* LIST () \"/\" good\r\nTAG OK done\r\n"))
			var got []*imap.ListData
			require.NoError(t, c.Run(t.Context(), "list", func(cl *imapclient.Client) (err error) {
				got, err = cl.List("", "*", nil).Collect()
				return err
			}))
			require.Len(t, got, 2)
			require.Equal(t, test.want, got[0].Mailbox)
			require.Equal(t, test.delim, strings.Trim(string(got[0].Delim), "\x00"))
			require.Equal(t, "good", got[1].Mailbox)
			usable(t, c)
		})
	}
}

func TestSearchAndStatus(t *testing.T) {
	c := start(t, "ESEARCH", func(p *peer) {
		p.command()
		p.send("* SEARCH  2 3  5 \r\nTAG OK done\r\n")
		p.command()
		p.send("* esearch (tag \"TAG\") uid all 2:4\r\nTAG OK done\r\n")
		p.command()
		p.send("* STATUS \"a&b\" (MESSAGES 1)\r\n* STATUS x (MESSAGES 3 RECENT NIL UIDNEXT 5 FOO (1 2) DELETED -1 HIGHESTMODSEQ 9)\r\nTAG OK done\r\n")
	})
	require.NoError(t, c.Run(t.Context(), "search", func(cl *imapclient.Client) error {
		data, err := cl.UIDSearch(&imap.SearchCriteria{}, nil).Wait()
		require.NoError(t, err)
		require.Equal(t, []imap.UID{2, 3, 5}, data.AllUIDs())
		data, err = cl.UIDSearch(&imap.SearchCriteria{}, &imap.SearchOptions{ReturnAll: true}).Wait()
		require.NoError(t, err)
		require.Equal(t, []imap.UID{2, 3, 4}, data.AllUIDs())
		status, err := cl.Status("x", &imap.StatusOptions{NumMessages: true}).Wait()
		require.NoError(t, err)
		require.Equal(t, uint32(3), *status.NumMessages)
		require.Equal(t, imap.UID(5), status.UIDNext)
		require.Equal(t, uint64(9), status.HighestModSeq)
		return nil
	}))
	usable(t, c)
}

func TestSelectTellsWhatImapclientLoses(t *testing.T) {
	c := start(t, "", answer("* 3 EXISTS\r\n* FLAGS (\\Seen a]b)\r\n* OK [uidvalidity 5]\r\n* OK [UIDNEXT 12] x\r\n* OK [NOMODSEQ]\r\n"+
		"* OK [ALERT] disk is full\r\nTAG OK [READ-ONLY] only looking\r\n"))
	var data *imap.SelectData
	require.NoError(t, c.Run(t.Context(), "select", func(cl *imapclient.Client) (err error) {
		data, err = cl.Select("x", nil).Wait()
		return err
	}))
	require.Equal(t, uint32(3), data.NumMessages)
	require.Equal(t, uint32(5), data.UIDValidity)
	require.Equal(t, imap.UID(12), data.UIDNext)
	require.Equal(t, []imap.Flag{imap.FlagSeen}, data.Flags)
	codes := map[string]string{}
	for _, r := range c.Said() {
		codes[r.Code] = r.Text
	}
	require.Contains(t, codes, "NOMODSEQ")
	require.Equal(t, "disk is full", codes["ALERT"])
	require.Equal(t, "only looking", codes["READ-ONLY"])
}

func TestUntaggedHook(t *testing.T) {
	var got []string
	c := start(t, "QRESYNC ENABLE", answer("* VANISHED 3,5:6\r\n* 9 EXISTS\r\n* 2 FETCH (UID 4 FLAGS (x))\r\n* 1 EXPUNGE\r\n"+
		"* OK [ALERT] careful\r\n* OK hello\r\nTAG OK done\r\n"), func(cfg *conn.Config) {
		cfg.Untagged = func(r *conn.Response) {
			text := r.Name
			if uids, _, ok := r.Vanished(); ok {
				text += " " + conn.SetText(uids)
			}
			if flags, ok := r.Flags(); ok {
				text += " " + flags.String()
			}
			if r.Status != nil {
				text += " " + r.Status.Code
			}
			got = append(got, text)
		}
	})
	usable(t, c)
	require.Equal(t, []string{"VANISHED 3,5:6", "EXISTS", "FETCH x", "EXPUNGE", "OK ALERT"}, got)
}
