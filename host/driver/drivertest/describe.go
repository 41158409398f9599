package drivertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
)

func (e *env) describe(t *testing.T, ref mail.Ref, keys mail.KeySet, want mail.Items) map[mail.Key]mail.Description {
	t.Helper()
	out := map[mail.Key]mail.Description{}
	require.NoError(t, e.store.Describe(e.ctx, ref, keys, want, func(ds []mail.Description) error {
		for _, d := range ds {
			require.NotContains(t, out, d.Key)
			out[d.Key] = d
		}
		return nil
	}))
	return out
}

func testDescribe(t *testing.T, e *env) {
	ref := e.create(t, "F")
	msgs := []struct {
		lf, header string
	}{
		{"Subject: one\nX: 1\n\nbody\n\nmore\n", "Subject: one\nX: 1\n\n"},
		{"Subject: no body\n\n", "Subject: no body\n\n"},
		{"Subject: l\xe4tin\n continued\n\nbody", "Subject: l\xe4tin\n continued\n\n"},
	}
	var keys []mail.Key
	for i, m := range msgs {
		keys = append(keys, e.add(t, ref, Message{Body: []byte(m.lf), Date: day(i), Flags: mail.NewFlags(`\Seen`)})...)
	}
	set := mail.NewKeySet(keys...)

	all := e.describe(t, ref, set, mail.WantSize|mail.WantDate|mail.WantHeader|mail.WantCRLFSize)
	require.Len(t, all, len(msgs))
	for i, m := range msgs {
		d := all[keys[i]]
		own := e.kept([]byte(m.lf))
		require.EqualValues(t, len(own), d.Size)
		require.EqualValues(t, len(crlf(own)), d.CRLFSize)
		require.True(t, day(i).Equal(d.Date), "date is %v", d.Date)
		require.Equal(t, string(e.kept([]byte(m.header))), string(d.Header))
		requireFlags(t, mail.NewFlags(`\Seen`), d.Flags)
	}
	for i, key := range keys {
		require.EqualValues(t, len(e.kept([]byte(msgs[i].lf))), e.describe(t, ref, set, mail.WantSize)[key].Size)
		require.True(t, day(i).Equal(e.describe(t, ref, set, mail.WantDate)[key].Date))
		require.NotEmpty(t, e.describe(t, ref, set, mail.WantHeader)[key].Header)
	}
}

func testDescribeMissing(t *testing.T, e *env) {
	ref := e.create(t, "F")
	keys := e.add(t, ref, texts(0, 4)...)
	set := mail.NewKeySet(keys...)
	e.remove(t, ref, keys[0], keys[2])
	for _, want := range []mail.Items{mail.WantSize, mail.WantDate, mail.WantHeader, mail.WantCRLFSize} {
		got := e.describe(t, ref, set, want)
		require.Len(t, got, 2)
		require.Contains(t, got, keys[1])
		require.Contains(t, got, keys[3])
	}
	require.Empty(t, e.describe(t, ref, mail.KeySet{}, mail.WantHeader))
}
