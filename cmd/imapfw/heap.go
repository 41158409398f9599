package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapFloor is how much memory the runtime may have before it collects more often. The
// collector lets a heap grow to twice of what is in use before it looks for what is not:
// of a large mailbox that is tens of megabytes, which it gives back in a few milliseconds
// when it is asked to. Runs with few changes do not reach it.
const heapFloor = 40 << 20

// rarely is by how many percent a heap may grow that is far below its floor. The runtime
// would look through it first at four megabytes, which is what most runs need in all:
// that takes a tenth of the time of a run with few changes.
const rarely = 400

// boundHeap makes the collector work more often on a heap that is large. A user who
// says how often (GOGC, GOMEMLIMIT) is right.
func boundHeap() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(rarely)
	debug.SetMemoryLimit(heapFloor)
	afterEachCollection(func() { debug.SetMemoryLimit(heapLimit(memory())) })
}

// heapLimit leaves a heap of which so much is in use a fifth of it to grow, beside what
// is not the heap's: near the limit the collector would do nothing but collect.
func heapLimit(inUse, others int64) int64 { return max(heapFloor, inUse+inUse/5+others) }

// othersOf are the parts of the runtime's memory that no object of the heap can get.
var othersOf = [...]string{
	"/memory/classes/heap/unused:bytes", "/memory/classes/heap/stacks:bytes", "/memory/classes/os-stacks:bytes",
	"/memory/classes/metadata/mcache/free:bytes", "/memory/classes/metadata/mcache/inuse:bytes",
	"/memory/classes/metadata/mspan/free:bytes", "/memory/classes/metadata/mspan/inuse:bytes",
	"/memory/classes/metadata/other:bytes", "/memory/classes/other:bytes",
}

// memory returns what the last collection left of the heap, and what the runtime has
// beside it.
func memory() (inUse, others int64) {
	samples := make([]metrics.Sample, 1, 1+len(othersOf))
	samples[0].Name = "/gc/heap/live:bytes"
	for _, name := range othersOf {
		samples = append(samples, metrics.Sample{Name: name})
	}
	metrics.Read(samples)
	for i, s := range samples {
		if s.Value.Kind() != metrics.KindUint64 {
			continue // a later Go may call it otherwise
		}
		if n := int64(s.Value.Uint64()); i == 0 {
			inUse = n
		} else {
			others += n
		}
	}
	return inUse, others
}

// afterEachCollection calls fn on the runtime's goroutine for finalizers: the object is
// collected each time, and comes back.
func afterEachCollection(fn func()) {
	type witness struct{ _ [16]byte }
	var again func(*witness)
	again = func(w *witness) {
		runtime.SetFinalizer(w, again)
		fn()
	}
	runtime.SetFinalizer(new(witness), again)
}
