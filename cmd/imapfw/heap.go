package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The collector lets a heap grow to twice of what is in use before it looks for what is
// not. Of a large mailbox that is tens of megabytes, which it gives back in a few
// milliseconds when it is asked to: the program asks for that from a size on that runs
// with few changes do not reach.
const (
	// heapFloor is how much memory the runtime may have before it collects more often.
	heapFloor = 40 << 20
	// heapSlack is how much of that is not the heap's: stacks, and what the runtime
	// keeps itself.
	heapSlack = 6 << 20
)

// boundHeap makes the collector work more often on a heap that is large. A user who
// says how often (GOGC, GOMEMLIMIT) is right.
func boundHeap() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(heapFloor)
	afterEachCollection(func() { debug.SetMemoryLimit(heapLimit(inUse())) })
}

// heapLimit leaves a heap of which so much is in use a fifth of it to grow: near the
// limit the collector would do nothing but collect.
func heapLimit(inUse int64) int64 { return max(heapFloor, inUse+inUse/5+heapSlack) }

// inUse is what the last collection left of the heap.
func inUse() int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(sample[0].Value.Uint64())
}

// afterEachCollection calls fn on the runtime's goroutine for finalizers: the object is
// collected each time, and comes back.
func afterEachCollection(fn func()) {
	type witness struct{ _ [16]byte }
	var again func(*witness)
	again = func(w *witness) {
		fn()
		runtime.SetFinalizer(w, again)
	}
	runtime.SetFinalizer(new(witness), again)
}
