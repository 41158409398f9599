package main

import (
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/imapfw/imapfw/host/wire"
)

// bars draws one line of progress for each account on a terminal. Its methods
// may be called from any goroutine.
type bars struct {
	mu   sync.Mutex
	draw *mpb.Progress
	bar  map[string]*mpb.Bar
}

func newBars(w io.Writer) *bars {
	return &bars{draw: mpb.New(mpb.WithOutput(w), mpb.WithWidth(64), mpb.WithAutoRefresh()), bar: map[string]*mpb.Bar{}}
}

// update moves an account's bar on; the first copied message makes it appear.
func (b *bars) update(account string, p wire.Map) {
	done, _ := p["done"].(int64)
	total, _ := p["total"].(int64)
	if total == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	bar := b.bar[account]
	if bar == nil {
		bar = b.draw.AddBar(total,
			mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(account, decor.WCSyncSpaceR), decor.CountersNoUnit("%d / %d messages", decor.WCSyncWidth)),
			mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)))
		b.bar[account] = bar
	}
	bar.SetCurrent(done)
}

// printer returns what writes lines above the bars.
func (b *bars) printer() io.Writer { return b.draw }

// end takes the bars away and waits until the terminal is as it was.
func (b *bars) end() {
	b.mu.Lock()
	for _, bar := range b.bar {
		bar.Abort(true)
	}
	b.mu.Unlock()
	b.draw.Wait()
}
