package predicate_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/wire"
)

func anyLeaf() *rapid.Generator[*predicate.Expr] {
	return rapid.Custom(func(t *rapid.T) *predicate.Expr {
		text := rapid.StringMatching(`[a-zé@ .\x80-\xff"]{1,6}`).Draw(t, "text")
		var e *predicate.Expr
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			e = leaf(rapid.SampledFrom([]predicate.Op{predicate.Seen, predicate.All, predicate.Reply, predicate.Auto, predicate.Recent}).Draw(t, "op"))
		case 1:
			e = sub(rapid.SampledFrom([]predicate.Op{predicate.From, predicate.Subject, predicate.Body, predicate.Text}).Draw(t, "op"), text)
		case 2:
			e = re(predicate.Subject, "^[a-z]+$")
		case 3:
			e = predicate.OnSize(predicate.Larger, rapid.Int64Range(0, 1<<40).Draw(t, "n"))
		case 4:
			e = predicate.OnKeys(mail.NewKeySet(mail.UIDKey(rapid.Uint32().Draw(t, "uid")), mail.Key(text)))
		case 5:
			e = predicate.OnName(predicate.Folder, text)
		default:
			e = head("X-"+text, text)
		}
		if rapid.Bool().Draw(t, "written") {
			e = e.Where("work.lua:7")
		}
		return e
	})
}

func anyExpr(depth int) *rapid.Generator[*predicate.Expr] {
	return rapid.Custom(func(t *rapid.T) *predicate.Expr {
		op := rapid.IntRange(0, 5).Draw(t, "shape")
		if depth == 0 || op == 0 {
			return anyLeaf().Draw(t, "leaf")
		}
		a := anyExpr(depth-1).Draw(t, "a")
		switch op {
		case 1:
			return a.Not()
		case 2:
			return a.And(anyExpr(depth-1).Draw(t, "b"))
		case 3:
			return a.Minus(anyExpr(depth-1).Draw(t, "b"))
		}
		return a.Or(anyExpr(depth-1).Draw(t, "b"))
	})
}

// A predicate crosses a channel and stays what it is.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyExpr(6).Draw(t, "expr")
		sent, err := wire.Encode(e.Encode())
		require.NoError(t, err)
		v, err := wire.Decode(sent)
		require.NoError(t, err)
		got, err := predicate.Decode(v)
		require.NoError(t, err)
		require.True(t, e.Equal(got))
		require.Equal(t, e.String(), got.String())
		require.Equal(t, eval(t, e, view()), eval(t, got, view()))
	})
}

// What is known already decides as the whole would: an answer that is not
// Unknown does not change when more becomes known.
func TestKnowingMoreChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyExpr(5).Draw(t, "expr")
		little, much := view(), view()
		little.Body = nil
		if rapid.Bool().Draw(t, "no header") {
			little.Header = nil
		}
		if rapid.Bool().Draw(t, "no size") {
			little.Meta.Size = -1
		}
		got := eval(t, e, little)
		if got.Truth == predicate.Unknown {
			require.NotZero(t, got.Missing)
			return
		}
		require.Equal(t, eval(t, e, much).Truth, got.Truth, e.String())
	})
}

func FuzzDecode(f *testing.F) {
	for _, e := range []*predicate.Expr{leaf(predicate.Seen), sub(predicate.From, "a").And(head("X", "y").Not()).Minus(re(predicate.List, "z"))} {
		b, err := wire.Encode(e.Encode())
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := wire.Decode(b)
		if err != nil {
			return
		}
		e, err := predicate.Decode(v)
		if err != nil {
			return
		}
		_ = e.String()
		p, err := predicate.Compile(e)
		if err != nil {
			t.Fatalf("decoded but not compiled: %v", err)
		}
		m := view()
		m.Call = func(string, *predicate.View) (bool, error) { return true, nil }
		if _, err := p.Eval(m); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte(header), "from")
	f.Add([]byte(multipart), "content-type")
	f.Fuzz(func(t *testing.T, message []byte, name string) {
		v := whole(string(message))
		for _, e := range []*predicate.Expr{sub(predicate.Text, "x"), head("X"+name, "y"), leaf(predicate.Auto), predicate.OnName(predicate.HasAttachment, "pdf")} {
			if got := eval(t, e, v); got.Truth == predicate.Unknown {
				t.Fatal("everything is known")
			}
		}
	})
}
