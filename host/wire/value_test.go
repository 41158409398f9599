package wire_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
)

func TestValuesCrossUnchanged(t *testing.T) {
	keys := mail.NewKeySet(mail.UIDKey(0), mail.UIDKey(1), mail.UIDKey(7), mail.UIDKey(math.MaxUint32), "1700.M1.host", "a b")
	keys.AddUIDs(100, 2_000_000)
	flags := mail.NewFlags(`\Seen`, `\Flagged`, "$Forwarded", "work")
	for name, v := range map[string]wire.Value{
		"nil":           nil,
		"bool":          true,
		"big number":    int64(math.MaxInt64),
		"small number":  int64(math.MinInt64),
		"modseq":        int64(1<<60 + 1),
		"float":         math.Inf(-1),
		"bytes as text": "caf\xe9\x00\xff",
		"content":       []byte("line\r\n\x00"),
		"nested":        wire.Map{"": wire.List{nil, wire.Map{"k": int64(1)}, wire.List{}}, "é": "x"},
		"keys":          keys,
		"no keys":       mail.KeySet{},
		"flags":         flags,
		"time":          time.Date(2026, 11, 2, 3, 4, 5, 6, time.UTC),
		"no time":       time.Time{},
		"metas": []mail.Meta{
			{Key: mail.UIDKey(3), Flags: flags, Size: -1, Hidden: true},
			{Key: "x", Size: 1 << 40, Date: time.Unix(1e9, 0).UTC()},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := wire.Encode(v)
			require.NoError(t, err)
			size, err := wire.Size(v)
			require.NoError(t, err)
			require.Len(t, b, size)
			got, err := wire.Decode(b)
			require.NoError(t, err)
			require.Equal(t, v, got)
		})
	}
}

func TestTimeKeepsItsZone(t *testing.T) {
	at := time.Date(2026, 11, 2, 3, 4, 5, 0, time.FixedZone("CET", 3600))
	got, err := wire.Clone(at)
	require.NoError(t, err)
	require.Equal(t, at.Format(time.RFC3339), got.(time.Time).Format(time.RFC3339))
}

func TestCloneSharesNothing(t *testing.T) {
	content, list := []byte("abc"), wire.List{"x"}
	got, err := wire.Clone(wire.Map{"content": content, "list": list})
	require.NoError(t, err)
	content[0], list[0] = 'X', "changed"
	require.Equal(t, wire.Map{"content": []byte("abc"), "list": wire.List{"x"}}, got)
}

func TestEqualMapsHaveEqualEncodings(t *testing.T) {
	a, err := wire.Encode(wire.Map{"a": int64(1), "b": int64(2), "c": int64(3)})
	require.NoError(t, err)
	for range 20 {
		b, err := wire.Encode(wire.Map{"c": int64(3), "b": int64(2), "a": int64(1)})
		require.NoError(t, err)
		require.Equal(t, a, b)
	}
}

func TestBadValuesAreNamed(t *testing.T) {
	cycle := wire.Map{}
	cycle["again"] = wire.List{cycle}
	fan := wire.Map{}
	fan["a"], fan["b"] = fan, fan
	laughs := wire.List{"ha"}
	for range 40 {
		laughs = wire.List{laughs, laughs}
	}
	for name, c := range map[string]struct {
		value wire.Value
		want  string
	}{
		"function":    {wire.Map{"list": wire.List{nil, nil, wire.Map{"fn": func() {}}}}, "args.list[3].fn: a func() cannot cross a channel"},
		"odd key":     {wire.Map{"a b": make(chan int)}, `args["a b"]: a chan int cannot cross a channel`},
		"int":         {7, "args: int is not a wire number (use int64)"},
		"plain error": {wire.List{errors.New("x")}, "args[1]: a *errors.errorString cannot cross a channel (use wire.Fault)"},
		"cycle":       {cycle, "more than 64 levels deep (a cycle?)"},
		"wide cycle":  {fan, "more than 64 levels deep (a cycle?)"},
		"shared":      {laughs, "the whole is larger than 16 MiB"},
		"large":       {[]byte(strings.Repeat("x", wire.MaxSize+1)), "the whole is larger than 16 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			err := wire.CheckAs("args", c.value)
			require.ErrorIs(t, err, fault.Config)
			require.Contains(t, err.Error(), c.want)
			require.Less(t, len(err.Error()), 300)
			_, encodeErr := wire.AppendAs(nil, "args", c.value)
			require.EqualError(t, encodeErr, err.Error())
		})
	}
}

func TestDepthLimit(t *testing.T) {
	deep := func(levels int) (v wire.Value) {
		for range levels {
			v = wire.List{v}
		}
		return v
	}
	_, err := wire.Clone(deep(wire.MaxDepth))
	require.NoError(t, err)
	require.Error(t, wire.Check(deep(wire.MaxDepth+1)))
}

func TestDecodeRefusesWhatIsNotAValue(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":         {},
		"unknown tag":     {200},
		"trailing":        {0, 0},
		"list count":      {7, 0xff, 0xff, 0xff, 0xff, 0x0f},
		"map count":       {8, 9, 0},
		"key twice":       {8, 2, 1, 'a', 0, 1, 'a', 0},
		"uid too large":   {9, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0},
		"names unordered": {9, 0, 2, 1, 'b', 1, 'a'},
		"bad zone":        {12, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wire.Decode(b)
			require.ErrorIs(t, err, fault.Protocol)
		})
	}
}

// values draws any Value of a few levels.
func values(depth int) *rapid.Generator[wire.Value] {
	text := rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 8), func(b []byte) string { return string(b) })
	key := rapid.OneOf(rapid.Map(rapid.Uint32(), mail.UIDKey), rapid.Map(text, func(s string) mail.Key { return mail.Key(s) }))
	flags := rapid.Map(rapid.SliceOf(rapid.SampledFrom([]string{`\Seen`, `\Draft`, "a", "B", "$c"})), func(names []string) mail.Flags { return mail.NewFlags(names...) })
	at := rapid.Map(rapid.Int64Range(-1e11, 1e12), func(s int64) time.Time { return time.Unix(s, s&0xffff).UTC() })
	kinds := []*rapid.Generator[wire.Value]{
		rapid.Just(wire.Value(nil)),
		rapid.Map(rapid.Bool(), func(b bool) wire.Value { return b }),
		rapid.Map(rapid.Int64(), func(n int64) wire.Value { return n }),
		rapid.Map(rapid.Float64(), func(n float64) wire.Value { return n }),
		rapid.Map(text, func(s string) wire.Value { return s }),
		rapid.Map(text, func(s string) wire.Value { return []byte(s) }),
		rapid.Map(flags, func(f mail.Flags) wire.Value { return f }),
		rapid.Map(at, func(t time.Time) wire.Value { return t }),
		rapid.Map(rapid.SliceOf(key), func(keys []mail.Key) wire.Value { return mail.NewKeySet(keys...) }),
		rapid.Custom(func(t *rapid.T) wire.Value {
			metas := []mail.Meta{}
			for range rapid.IntRange(0, 3).Draw(t, "metas") {
				metas = append(metas, mail.Meta{Key: key.Draw(t, "key"), Flags: flags.Draw(t, "flags"), Size: rapid.Int64().Draw(t, "size"),
					Date: at.Draw(t, "date"), Hidden: rapid.Bool().Draw(t, "hidden")})
			}
			return metas
		}),
	}
	if depth > 0 {
		inner := values(depth - 1)
		kinds = append(kinds,
			rapid.Map(rapid.SliceOfN(inner, 0, 4), func(l []wire.Value) wire.Value { return l }),
			rapid.Map(rapid.MapOfN(text, inner, 0, 4), func(m map[string]wire.Value) wire.Value { return m }))
	}
	return rapid.OneOf(kinds...)
}

func TestAnyValueCrossesUnchanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := values(3).Draw(t, "value")
		b, err := wire.Encode(v)
		require.NoError(t, err)
		size, err := wire.Size(v)
		require.NoError(t, err)
		require.Equal(t, len(b), size)
		got, err := wire.Decode(b)
		require.NoError(t, err)
		require.Equal(t, v, got)
	})
}

// FuzzDecode: no bytes make Decode panic or hang, and what it takes can be
// encoded again and is then the same.
func FuzzDecode(f *testing.F) {
	for _, v := range []wire.Value{
		nil, "x", []byte("y"), int64(-5), 1.5, wire.List{true, wire.Map{"a": nil}},
		mail.NewKeySet("a", "b", mail.UIDKey(9)), mail.NewFlags(`\Seen`, "k"), time.Unix(1e9, 0),
		[]mail.Meta{{Key: "k", Size: 5, Date: time.Unix(1e9, 0)}},
		wire.Fault(errors.Join(fault.New(fault.Auth, "sign in", "no"), errors.New("x"))),
	} {
		b, err := wire.Encode(v)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := wire.Decode(b)
		if err != nil {
			return
		}
		once, err := wire.Encode(v)
		if err != nil { // more than MaxSize or an error cut short
			require.ErrorIs(t, err, fault.Config)
			return
		}
		again, err := wire.Decode(once)
		require.NoError(t, err)
		twice, err := wire.Encode(again)
		require.NoError(t, err)
		require.Equal(t, once, twice)
	})
}
