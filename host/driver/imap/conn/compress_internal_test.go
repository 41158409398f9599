package conn

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhereCompressionPays(t *testing.T) {
	for name, one := range map[string]struct {
		loopback  bool
		roundTrip time.Duration
		rate      int64
		want      bool
	}{
		"this machine":               {true, time.Second, 0, false},
		"the same house":             {false, time.Millisecond, 0, false},
		"far away":                   {false, 20 * time.Millisecond, 0, true},
		"far away and slow":          {false, 20 * time.Millisecond, 2 << 20, true},
		"far away, but a thick line": {false, 20 * time.Millisecond, 100 << 20, false},
	} {
		require.Equal(t, one.want, pays(one.loopback, one.roundTrip, one.rate), name)
	}
}

func TestALineKnowsItsBestRate(t *testing.T) {
	var l Line
	require.Zero(t, l.Rate())
	l.note(10<<20, time.Second)
	l.note(1<<20, time.Second)
	l.note(1<<20, 0)
	require.EqualValues(t, 10<<20, l.Rate())
	(*Line)(nil).note(1, time.Second)
	require.Zero(t, (*Line)(nil).Rate())
}
