package main

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHeapLimitFollowsTheHeap(t *testing.T) {
	require.EqualValues(t, heapFloor, heapLimit(0, 1<<20))
	require.EqualValues(t, heapFloor, heapLimit(20<<20, 8<<20))
	require.EqualValues(t, 128<<20, heapLimit(100<<20, 8<<20))

	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	called := make(chan struct{}, 3)
	afterEachCollection(func() {
		select {
		case called <- struct{}{}:
		default: // it goes on after the test
		}
	})
	for range 3 {
		runtime.GC()
		<-called
	}
	inUse, others := memory()
	require.Positive(t, inUse)
	require.Positive(t, others)
}
