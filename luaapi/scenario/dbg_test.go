package scenario_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

func TestDebugKilled(t *testing.T) {
	seed, _ := strconv.ParseUint(os.Getenv("IMAPFW_TEST_SEED"), 10, 64)
	f, _ := readFile(os.Getenv("FILE"))
	w := newWorld(t, f, "memory", nil)
	w.kills = rand.New(rand.NewPCG(seed, 0))
	for _, b := range f.blocks {
		if !b.does() {
			continue
		}
		if b.args()[0] == "sync" {
			w.kill = 1 + w.kills.IntN(60)
			if k := os.Getenv("KILL"); k != "" {
				w.kill, _ = strconv.Atoi(k)
			}
			fmt.Println("-- killed at", w.kill)
			o, err := w.run(false)
			fmt.Println(o.code, err, o.lines)
			w.kill = 0
			show(w)
			for range 3 {
				o, err := w.whole()
				fmt.Println("-- run", o.code, err)
				for _, l := range o.lines {
					fmt.Println("   ", l)
				}
				show(w)
			}
			continue
		}
		fmt.Println("--", b.text, w.step(b))
	}
}

func show(w *world) {
	far, near, _ := w.both()
	fmt.Println("   far ", w.messages.shown(far))
	fmt.Println("   near", w.messages.shown(near))
}
