package predicate_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/predicate"
)

var now = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

const header = "From: =?ISO-8859-1?Q?Andr=E9?= Bank <Stmt@Bank.example>\r\n" +
	"To: me@example.org,\r\n\tyou@example.org\r\n" +
	"Cc: third@example.org\r\n" +
	"Subject: [go-imap] =?utf-8?B?UmVjaG51bmcgw7xiZXI=?= 12 EUR\r\n" +
	"List-Id: Go nuts <golang-nuts.googlegroups.com>\r\n" +
	"Date: Sun, 01 Nov 2026 10:00:00 +0100\r\n" +
	"X-Spam: yes\r\nX-Empty:\r\nX-Raw: caf\xe9\r\n" +
	"In-Reply-To: <x@y>\r\n" +
	"Precedence: bulk\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n\r\n"

func view() *predicate.View {
	return &predicate.View{
		Meta: mail.Meta{Key: mail.UIDKey(7), Size: 5000, Date: now.Add(-48 * time.Hour),
			Flags: mail.NewFlags(`\Seen`, `\Flagged`, "work")},
		Folder: "Lists/go", Now: now, Header: []byte(header),
		Body: func() (io.Reader, error) { return strings.NewReader(header + "Hallo Welt\r\n"), nil },
	}
}

func sub(op predicate.Op, text string) *predicate.Expr {
	return predicate.OnText(op, "", predicate.Match{Substring: text})
}

func re(op predicate.Op, text string) *predicate.Expr {
	return predicate.OnText(op, "", predicate.Match{Regexp: text})
}

func head(name, text string) *predicate.Expr {
	return predicate.OnText(predicate.Header, name, predicate.Match{Substring: text})
}

var leaf = predicate.Leaf

func eval(t require.TestingT, e *predicate.Expr, v *predicate.View) predicate.Verdict {
	p, err := predicate.Compile(e)
	require.NoError(t, err)
	got, err := p.Eval(v)
	require.NoError(t, err)
	return got
}

func TestLeaves(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		expr *predicate.Expr
		want bool
		text string
	}{
		{sub(predicate.From, "stmt@bank"), true, `from("stmt@bank")`},
		{sub(predicate.From, "andré"), true, `from("andré")`},
		{sub(predicate.From, "x"), true, `from("x")`},
		{sub(predicate.From, "nobody"), false, `from("nobody")`},
		{sub(predicate.To, "YOU@"), true, `to("YOU@")`},
		{sub(predicate.To, "third"), false, `to("third")`},
		{sub(predicate.Cc, "third"), true, `cc("third")`},
		{sub(predicate.Bcc, "me"), false, `bcc("me")`},
		{sub(predicate.Subject, "rechnung über"), true, `subject("rechnung über")`},
		{re(predicate.Subject, `^\[([^\]]+)\]`), true, `subject(re "^\\[([^\\]]+)\\]")`},
		{re(predicate.Subject, `rechnung`), false, `subject(re "rechnung")`},
		{sub(predicate.List, "golang-nuts"), true, `list("golang-nuts")`},
		{head("x-spam", "YES"), true, `header("x-spam", "YES")`},
		{head("X-Spam", ""), true, `header("X-Spam")`},
		{head("X-Empty", ""), false, `header("X-Empty")`},
		{head("X-None", ""), false, `header("X-None")`},
		{head("X-Raw", "café"), true, `header("X-Raw", "café")`},
		{leaf(predicate.Reply), true, "reply"},
		{leaf(predicate.Auto), true, "auto"},
		{leaf(predicate.All), true, "all"},
		{predicate.Before(now), true, `sent_before("2026-11-02 12:00:00")`},
		{predicate.Before(now.Add(-30 * time.Hour)), false, `sent_before("2026-11-01 06:00:00")`},
		{sub(predicate.Body, "hallo welt"), true, `body("hallo welt")`},
		{sub(predicate.Body, "golang"), false, `body("golang")`},
		{sub(predicate.Text, "golang"), true, `text("golang")`},
		{sub(predicate.Text, "hallo"), true, `text("hallo")`},
		{predicate.OnName(predicate.HasAttachment, ""), false, "has_attachment()"},
		{predicate.OnName(predicate.Folder, "Lists/*"), true, `folder("Lists/*")`},
		{predicate.OnName(predicate.Folder, "%"), false, `folder("%")`},
		{predicate.OnKeys(mail.NewKeySet(mail.UIDKey(7))), true, "uid(1 messages)"},
		{predicate.OnKeys(mail.KeySet{}), false, "uid(0 messages)"},
		{predicate.OnSize(predicate.Larger, 4999), true, "larger(4999)"},
		{predicate.OnSize(predicate.Larger, 5000), false, "larger(5000)"},
		{predicate.OnSize(predicate.Smaller, 5000), false, "smaller(5000)"},
		{predicate.OnSize(predicate.Smaller, 5001), true, "smaller(5001)"},
		{predicate.OnAge(predicate.Older, 2*day), false, `older("2d")`},
		{predicate.OnAge(predicate.Older, 2*day-time.Second), true, `older("172799s")`},
		{predicate.OnAge(predicate.Newer, 2*day), true, `newer("2d")`},
		{predicate.OnAge(predicate.Newer, 90*time.Minute), false, `newer("90m")`},
		{predicate.OnName(predicate.Keyword, "WORK"), true, `keyword("WORK")`},
		{predicate.OnName(predicate.Keyword, "home"), false, `keyword("home")`},
		{leaf(predicate.Seen), true, "seen"},
		{leaf(predicate.Flagged), true, "flagged"},
		{leaf(predicate.Answered), false, "answered"},
		{leaf(predicate.Draft), false, "draft"},
		{leaf(predicate.Deleted), false, "deleted"},
		{leaf(predicate.Recent), false, "recent"},
	} {
		require.Equal(t, c.text, c.expr.String())
		want := predicate.False
		if c.want {
			want = predicate.True
		}
		require.Equal(t, want, eval(t, c.expr, view()).Truth, c.text)
		require.NotEqual(t, predicate.Unknown, eval(t, c.expr.Not(), view()).Truth)
	}
}

func TestAlgebra(t *testing.T) {
	yes, no := leaf(predicate.Seen), leaf(predicate.Draft)
	for _, c := range []struct {
		expr *predicate.Expr
		want predicate.Truth
		text string
	}{
		{yes.Or(no), predicate.True, "seen + draft"},
		{no.Or(no).Or(yes), predicate.True, "draft + draft + seen"},
		{yes.And(no), predicate.False, "seen * draft"},
		{yes.Minus(no), predicate.True, "seen - draft"},
		{yes.Minus(no).Minus(yes), predicate.False, "seen - draft - seen"},
		{no.Not(), predicate.True, "-draft"},
		{no.Or(yes.And(no)).Not(), predicate.True, "-(draft + seen * draft)"},
		{no.Or(yes).And(yes), predicate.True, "(draft + seen) * seen"},
		{yes.Minus(no.Or(yes)), predicate.False, "seen - (draft + seen)"},
		{yes.Minus(no).Or(no), predicate.True, "seen - draft + draft"},
		{yes.Or(no).Minus(no), predicate.True, "seen + draft - draft"},
		{yes.And(no.Minus(yes).Not()), predicate.True, "seen * -(draft - seen)"},
	} {
		require.Equal(t, c.text, c.expr.String())
		require.Equal(t, c.want, eval(t, c.expr, view()).Truth, c.text)
	}
}

func TestCaptures(t *testing.T) {
	git := re(predicate.Subject, `^\[([^\]]+)\]`)
	for _, e := range []*predicate.Expr{git, sub(predicate.From, "bank").And(git), git.Minus(leaf(predicate.Draft)), leaf(predicate.Draft).Or(git)} {
		require.Equal(t, []string{"[go-imap]", "go-imap"}, eval(t, e, view()).Captures, e.String())
	}
	require.Nil(t, eval(t, git.Minus(leaf(predicate.Seen)), view()).Captures)
	require.Nil(t, eval(t, git.And(leaf(predicate.Draft)), view()).Captures)
}

func TestMissing(t *testing.T) {
	bare := func() *predicate.View { return &predicate.View{Meta: mail.Meta{Size: -1}, Now: now} }
	big, old, from, body := predicate.OnSize(predicate.Larger, 10), predicate.OnAge(predicate.Older, time.Hour), sub(predicate.From, "a"), sub(predicate.Body, "b")
	fn := predicate.OnName(predicate.Fn, "f")
	for _, c := range []struct {
		expr    *predicate.Expr
		want    predicate.Truth
		missing predicate.Needs
	}{
		{big, predicate.Unknown, predicate.NeedSize},
		{old.And(big), predicate.Unknown, predicate.NeedSize | predicate.NeedDate},
		{big.And(leaf(predicate.Seen)), predicate.False, 0},
		{big.Or(leaf(predicate.All)), predicate.True, 0},
		{leaf(predicate.All).Minus(from), predicate.Unknown, predicate.NeedHeader},
		{from.Minus(leaf(predicate.All)), predicate.False, 0},
		{from.Not(), predicate.Unknown, predicate.NeedHeader},
		{body, predicate.Unknown, predicate.NeedBody},
		{body.And(from), predicate.Unknown, predicate.NeedHeader}, // what is dear waits
		{fn, predicate.Unknown, predicate.NeedSize | predicate.NeedDate | predicate.NeedHeader},
		{fn.Or(big), predicate.Unknown, predicate.NeedSize},
		{predicate.OnName(predicate.HasAttachment, "pdf"), predicate.Unknown, predicate.NeedHeader},
	} {
		got := eval(t, c.expr, bare())
		require.Equal(t, c.want, got.Truth, c.expr.String())
		require.Equal(t, c.missing, got.Missing, c.expr.String())
	}
	p, err := predicate.Compile(body.And(from).Minus(old))
	require.NoError(t, err)
	require.Equal(t, predicate.NeedDate|predicate.NeedHeader|predicate.NeedBody, p.Needs())
	require.Equal(t, mail.WantDate|mail.WantHeader, p.Needs().Items())
	require.True(t, p.Timed())
	require.False(t, p.HasFn())
}

func TestFunctions(t *testing.T) {
	boom := errors.New("boom")
	v := view()
	v.Call = func(id string, v *predicate.View) (bool, error) {
		if id == "bad" {
			return false, boom
		}
		return v.Meta.Size == 5000, nil
	}
	require.Equal(t, predicate.True, eval(t, predicate.OnName(predicate.Fn, "good"), v).Truth)
	p, err := predicate.Compile(predicate.OnName(predicate.Fn, "bad").And(leaf(predicate.Seen)))
	require.NoError(t, err)
	_, err = p.Eval(v)
	require.ErrorIs(t, err, boom)

	// What is cheap decides first, whatever the order.
	p, err = predicate.Compile(predicate.OnName(predicate.Fn, "bad").And(leaf(predicate.Draft)))
	require.NoError(t, err)
	got, err := p.Eval(v)
	require.NoError(t, err)
	require.Equal(t, predicate.False, got.Truth)
}

func TestMistakes(t *testing.T) {
	for _, e := range []*predicate.Expr{
		leaf("sen"), leaf(""), leaf(predicate.From), leaf(predicate.Header), leaf(predicate.Fn), leaf(predicate.Not), leaf(predicate.And),
		{Op: predicate.AndNot, Args: []*predicate.Expr{leaf(predicate.Seen)}}, {Op: predicate.Or, Args: []*predicate.Expr{nil}},
		{Op: predicate.Seen, Args: []*predicate.Expr{leaf(predicate.Seen)}},
		predicate.OnSize(predicate.Larger, -1), re(predicate.From, "("),
		predicate.OnText(predicate.From, "", predicate.Match{Substring: "a", Regexp: "b"}),
	} {
		_, err := predicate.Compile(e.Where("work.lua:3").Or(leaf(predicate.Seen)))
		require.ErrorIs(t, err, fault.Config, e.String())
		require.ErrorContains(t, err, "work.lua:3")
	}
	deep := leaf(predicate.Seen)
	for range 100 {
		deep = deep.Not()
	}
	_, err := predicate.Compile(deep)
	require.ErrorContains(t, err, "nested")
	_, err = predicate.Decode(deep.Encode())
	require.ErrorContains(t, err, "nested")

	// A long list is not deep.
	long := leaf(predicate.Seen)
	for range 2000 {
		long = long.Or(sub(predicate.From, "x@y"))
	}
	_, err = predicate.Compile(long)
	require.NoError(t, err)
}

func TestExplain(t *testing.T) {
	e := sub(predicate.From, "@bank.example").Where("work.lua:16").And(predicate.OnName(predicate.HasAttachment, "pdf").Where("work.lua:16")).
		Minus(leaf(predicate.Reply).Where("work.lua:17"))
	p, err := predicate.Compile(e)
	require.NoError(t, err)
	lines, verdict, err := p.Explain(view())
	require.NoError(t, err)
	require.Equal(t, predicate.False, verdict.Truth)
	require.Equal(t, []predicate.Line{
		{Depth: 0, Truth: predicate.False, Text: "the first, and none of the others"},
		{Depth: 1, Truth: predicate.False, Text: "all of"},
		{Depth: 2, Truth: predicate.True, Text: `from("@bank.example")`, Saw: `"André Bank <Stmt@Bank.example>"`, At: "work.lua:16"},
		{Depth: 2, Truth: predicate.False, Text: `has_attachment("pdf")`, Saw: "one part", At: "work.lua:16"},
		{Depth: 1, Truth: predicate.True, Text: "reply", Saw: "In-Reply-To or References", At: "work.lua:17"},
	}, lines)
}
