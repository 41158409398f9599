package main

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHeapLimitFollowsTheHeap(t *testing.T) {
	require.EqualValues(t, heapFloor, heapLimit(0))
	require.EqualValues(t, heapFloor, heapLimit(20<<20))
	for _, mib := range []int64{30, 100, 5000} {
		limit := heapLimit(mib << 20)
		require.Greater(t, limit, (mib<<20)*4/3)
		require.LessOrEqual(t, limit, (mib<<20)*4/3+heapSlack)
	}

	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	called := make(chan struct{}, 100)
	afterEachCollection(func() { called <- struct{}{} })
	for range 3 {
		runtime.GC()
		<-called
	}
	require.Positive(t, inUse())
}
