package luaapi_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/luaapi"
)

// The first interrupt lets the batch in flight end, and begins nothing more; the
// next run goes on from there.
func TestInterruptDrains(t *testing.T) {
	a := newApp(t, "three.lua", three)
	interrupts := make(chan os.Signal, 3)
	a.opt.Interrupts = interrupts
	for _, name := range []string{"a", "b", "c"} {
		put(a.memory(name+" far", memory.Options{}), "INBOX", 1, 700)
		a.memory(name+" near", memory.Options{Maildir: true})
	}
	first := a.opt.Memories["a near"]
	var once sync.Once
	first.SetHook(func(_ context.Context, c memory.Call) error {
		if c.Op == memory.OpStore {
			once.Do(func() {
				interrupts <- os.Interrupt
				for len(interrupts) > 0 {
					time.Sleep(time.Millisecond)
				}
			})
		}
		return nil
	})
	result, err := a.run()
	require.NoError(t, err)
	require.True(t, result.Interrupted)
	require.Equal(t, luaapi.ExitInterrupted, result.ExitCode)
	require.Empty(t, counts(a.opt.Memories["b near"]), "no account is begun any more")
	done := counts(first)["INBOX"]

	a.opt.Interrupts = nil
	a.done()
	for _, name := range []string{"a", "b", "c"} {
		require.Equal(t, 700, counts(a.opt.Memories[name+" near"])["INBOX"], "%d were there before", done)
		require.Equal(t, 700, counts(a.opt.Memories[name+" far"])["INBOX"])
	}
}

// The second one ends what blocks, and a main script that waits.
func TestSecondInterruptEnds(t *testing.T) {
	a := newApp(t, "one.lua", accountWith(``))
	interrupts := make(chan os.Signal, 3)
	a.opt.Interrupts = interrupts
	far := a.memory("far", memory.Options{})
	a.memory("near", memory.Options{Maildir: true})
	put(far, "INBOX", 1, 3)
	far.SetHook(func(ctx context.Context, c memory.Call) error {
		if c.Op == memory.OpBodies {
			interrupts <- os.Interrupt
			interrupts <- os.Interrupt
			<-ctx.Done() // a server that says nothing any more
			return context.Cause(ctx)
		}
		return nil
	})
	begun := time.Now()
	result, err := a.run()
	require.NoError(t, err)
	require.Equal(t, luaapi.ExitInterrupted, result.ExitCode)
	require.Less(t, time.Since(begun), 20*time.Second)
}

// Never more accounts at once than jobs, and all of them in the end.
func TestJobs(t *testing.T) {
	for _, jobs := range []int{1, 3} {
		t.Run(fmt.Sprint(jobs), func(t *testing.T) {
			var b strings.Builder
			b.WriteString("local api = require \"imapfw.api\"\nlocal list = {}\n")
			for i := range 8 {
				fmt.Fprintf(&b, "list[%d] = api.account { name = \"a%d\", far = api.memory { name = \"far%d\" }, near = api.memory { name = \"near%d\", like = \"maildir\" } }\n", i+1, i, i, i)
			}
			fmt.Fprintf(&b, "return api.app { accounts = list, jobs = %d }\n", jobs)
			a := newApp(t, "many.lua", b.String())
			var mu sync.Mutex
			open, most := 0, 0
			for i := range 8 {
				far := a.memory(fmt.Sprintf("far%d", i), memory.Options{})
				put(far, "INBOX", 1, 2)
				far.SetHook(func(_ context.Context, c memory.Call) error {
					mu.Lock()
					defer mu.Unlock()
					switch {
					case c.Op == memory.OpOpen && !c.Done:
						open++
						most = max(most, open)
					case c.Op == memory.OpBodies && c.Done:
						open--
					}
					return nil
				})
			}
			a.done()
			require.LessOrEqual(t, most, jobs)
			for i := range 8 {
				require.Equal(t, 2, counts(a.opt.Memories[fmt.Sprintf("near%d", i)])["INBOX"])
			}
		})
	}
}

// A script that runs for ever ends with the second interrupt.
func TestInterruptEndsMain(t *testing.T) {
	a := newApp(t, "busy.lua", `
local api = require "imapfw.api"
local app = api.app {}
function app.main() api.log.info "busy"; while true do pcall(function() while true do end end) end end
return app`)
	interrupts := make(chan os.Signal, 3)
	a.opt.Interrupts = interrupts
	interrupts <- os.Interrupt
	interrupts <- os.Interrupt
	result, err := a.run()
	require.NoError(t, err)
	require.Equal(t, luaapi.ExitInterrupted, result.ExitCode)
}

func TestDryRunOfAnApp(t *testing.T) {
	for _, backend := range []string{"goroutine", "process"} {
		a := newApp(t, "custom.lua", custom(``, ``, `backend = "`+backend+`"`, `backend = "`+backend+`"`))
		a.opt.DryRun = true
		far := a.memory("far", memory.Options{})
		put(far, "INBOX", 1, 2)
		a.done()
		require.Empty(t, a.told("would"), "an engine that plans asks for nothing")
		require.Len(t, a.told("plan"), 1)
		require.NoFileExists(t, a.home+"/state.db")
	}
}
