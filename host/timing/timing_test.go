package timing_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/timing"
)

func phase(t *testing.T, f timing.Figures, name string) timing.Phase {
	t.Helper()
	p, ok := f.Phase(name)
	require.True(t, ok, name)
	return p
}

// Two at once: the wall counts once what both were at, busy counts it twice.
func TestWallAndBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := timing.New()
		time.Sleep(time.Second)
		var group sync.WaitGroup
		for _, d := range []time.Duration{2 * time.Second, 5 * time.Second} {
			group.Go(func() {
				span := r.Begin("copy")
				time.Sleep(d)
				span.End()
			})
		}
		group.Wait()
		time.Sleep(10 * time.Second)
		require.NoError(t, r.Do("copy", func() error { time.Sleep(time.Second); return nil }))

		p := phase(t, r.Figures(), "copy")
		require.Equal(t, 6*time.Second, p.Wall)
		require.Equal(t, 8*time.Second, p.Busy)
		require.Equal(t, 3, p.Times)
		require.Equal(t, time.Second, p.From.Sub(began))
		require.Equal(t, 17*time.Second, p.To.Sub(began))
	})
}

func TestIdleAndUnfinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := timing.New()
		span := r.Begin("fetch")
		time.Sleep(5 * time.Second)
		p := phase(t, r.Figures(), "fetch")
		require.Equal(t, 5*time.Second, p.Wall)
		require.Zero(t, p.Times)
		span.Idle(4 * time.Second)
		span.Idle(-time.Second)
		span.End()
		p = phase(t, r.Figures(), "fetch")
		require.Equal(t, 5*time.Second, p.Wall)
		require.Equal(t, 2*time.Second, p.Busy)
	})
}

func TestNilRecordsNothing(t *testing.T) {
	var r *timing.Recorder
	span := r.Begin("copy")
	span.Idle(time.Second)
	span.End()
	r.Count(timing.Files, 1)
	failure := errors.New("told")
	require.Equal(t, failure, r.Do("copy", func() error { return failure }))
	require.Equal(t, timing.Figures{}, r.Figures())
	require.Zero(t, testing.AllocsPerRun(100, func() {
		span := r.Begin("copy")
		span.End()
		r.Count(timing.BytesUp, 1)
	}))
}

func TestFiguresCross(t *testing.T) {
	r := timing.New()
	span := r.Begin("list")
	span.End()
	for i, c := range timing.Counters() {
		r.Count(c, int64(i)+1)
	}
	f := r.Figures()
	got, err := timing.Parse(f.Value())
	require.NoError(t, err)
	require.Equal(t, f.Counts, got.Counts)
	require.Len(t, got.Phases, 1)
	require.True(t, f.Phases[0].From.Equal(got.Phases[0].From))
	require.Equal(t, f.Phases[0].Times, got.Phases[0].Times)

	for name := range f.Value() {
		broken := f.Value()
		delete(broken, name)
		_, err := timing.Parse(broken)
		require.Error(t, err, name)
	}
	_, err = timing.Parse("no figures")
	require.Error(t, err)
}

func TestAdd(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	one := timing.Figures{Phases: []timing.Phase{{Name: "connect", From: at, To: at.Add(3 * time.Second), Wall: 2 * time.Second, Busy: 2 * time.Second, Times: 1}}}
	two := timing.Figures{Phases: []timing.Phase{
		{Name: "connect", From: at.Add(time.Second), To: at.Add(4 * time.Second), Wall: 3 * time.Second, Busy: 5 * time.Second, Times: 2},
		{Name: "sync"},
	}}
	one.Counts[timing.Commands], two.Counts[timing.Commands] = 3, 4
	sum := one.Add(two)
	require.EqualValues(t, 7, sum.Count(timing.Commands))
	require.Equal(t, timing.Phase{Name: "connect", From: at, To: at.Add(4 * time.Second), Wall: 4 * time.Second, Busy: 7 * time.Second, Times: 3}, sum.Phases[0])
	require.Len(t, sum.Phases, 2)
	require.Len(t, one.Phases, 1)
}
