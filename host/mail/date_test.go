package mail_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
)

func TestStorableDate(t *testing.T) {
	at := func(sec int64) time.Time { return time.Unix(sec, 0) }
	for _, c := range []struct{ in, want time.Time }{
		{time.Time{}, time.Time{}},
		{at(-1), at(0)},
		{at(0), at(0)},
		{at(1_700_000_000), at(1_700_000_000)},
		{at(1 << 31), at(1 << 31)},
		{at(1 << 40), time.Date(2106, 1, 1, 0, 0, 0, 0, time.UTC)},
		{time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), at(0)},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2106, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		require.True(t, c.want.Equal(mail.StorableDate(c.in)), "%s became %s", c.in, mail.StorableDate(c.in))
	}
}
