package endpoint

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Mishap is something that Fake makes go wrong.
type Mishap struct {
	// Op, Folder and Key say which calls it concerns; empty ones all. Key is
	// that of the message in Bodies and Deliver.
	Op     Op
	Folder string
	Key    mail.Key
	// Skip is how many such calls are left alone first, Times how many are
	// hit after that; 0 is all of them.
	Skip, Times int

	// Delay is waited before anything else.
	Delay time.Duration
	// Code, Text and Temporary make the error. Without a code there is none.
	Code      fault.Code
	Text      string
	Temporary bool
	// After lets the call be done, and loses its answer.
	After bool
	// Cut lets so many octets of the content go by before the error. For Bodies
	// and Deliver only; 0 means that the call fails, not its content.
	Cut int64
}

// fake is the script of a Fake and how far it has come.
type fake struct {
	mu      sync.Mutex
	mishaps []Mishap
	seen    []int
}

// Fake returns a Store to which mishaps happen, in the order of the script: of
// those that concern a call, the first that is due. It is for tests, in front of
// a store in memory.
func Fake(inner driver.Store, script ...Mishap) driver.Store {
	f := &fake{mishaps: script, seen: make([]int, len(script))}
	return &around{Store: inner, run: f.run, body: f.body}
}

// due returns the mishap that happens to a call now.
func (f *fake) due(c *call, content bool) (Mishap, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, m := range f.mishaps {
		if m.Op != "" && m.Op != c.op || m.Folder != "" && m.Folder != c.folder ||
			m.Key != "" && m.Key != c.key || content != (m.Cut > 0) {
			continue
		}
		f.seen[i]++
		if n := f.seen[i] - m.Skip; n > 0 && (m.Times == 0 || n <= m.Times) {
			return m, true
		}
	}
	return Mishap{}, false
}

func (f *fake) run(ctx context.Context, c *call, do func() error) error {
	m, due := f.due(c, false)
	if !due {
		return do()
	}
	if err := sleep(ctx, m.Delay); err != nil {
		return err
	}
	if m.After || m.Code == "" {
		if err := do(); err != nil || m.Code == "" {
			return err
		}
	}
	return m.err(c)
}

func (f *fake) body(ctx context.Context, c *call, m mail.Meta, body mail.Body) mail.Body {
	one := *c
	one.key = m.Key
	mishap, due := f.due(&one, true)
	if !due {
		return body
	}
	body.Reader = &cutReader{r: io.LimitReader(body.Reader, mishap.Cut), fail: func() error {
		return errors.Join(sleep(ctx, mishap.Delay), mishap.err(&one))
	}}
	return body
}

// cutReader fails where its reader ends.
type cutReader struct {
	r    io.Reader
	fail func() error
}

func (c *cutReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err == io.EOF {
		if failed := c.fail(); failed != nil {
			err = failed
		}
	}
	return n, err
}

func (m Mishap) err(c *call) error {
	if m.Code == "" {
		return nil
	}
	text := m.Text
	if text == "" {
		text = "made to fail"
	}
	return &fault.Error{Code: m.Code, Op: string(c.op), Folder: c.folder, Key: string(c.key), Message: text, Temporary: m.Temporary}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
