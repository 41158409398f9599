package engine_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// odd is a store around a memory store that does something odd.
type odd struct {
	driver.Store
	hides   func(m mail.Meta) bool            // what a filter would hide
	result  func(res mail.Result) mail.Result // what Changes tells
	swallow map[mail.Key]bool                 // messages that Changes does not see
	alter   func(body []byte) []byte          // what Deliver makes of a message
	mute    bool                              // Commit does not tell keys
	sizes   int64                             // by how much sizes are told wrong
	deaf    map[mail.Key]bool                 // messages that Describe cannot describe
	twice   bool                              // Bodies hands each message out two times
	strips  bool                              // Deliver drops keywords, and does not say so

	reserved int          // reservations that were not given back
	claimed  []mail.Flags // what strips says it kept
}

func (o *odd) Unwrap() driver.Store { return o.Store }

func (o *odd) Changes(ctx context.Context, ref mail.Ref, since mail.Cursor, fn func([]mail.Meta) error) (mail.Result, error) {
	res, err := o.Store.Changes(ctx, ref, since, func(metas []mail.Meta) error {
		var out []mail.Meta
		for _, m := range metas {
			if o.swallow[m.Key] {
				continue
			}
			m.Hidden = o.hides != nil && o.hides(m)
			out = append(out, m)
		}
		return fn(out)
	})
	if len(o.swallow) > 0 {
		var present mail.KeySet
		for k := range res.Present.All() {
			if !o.swallow[k] {
				present.Add(k)
			}
		}
		res.Present = present
	}
	res.Filtered = o.hides != nil
	if o.result != nil {
		res = o.result(res)
	}
	return res, err
}

func (o *odd) Describe(ctx context.Context, ref mail.Ref, keys mail.KeySet, want mail.Items, fn func([]mail.Description) error) error {
	var failed driver.Partial
	err := o.Store.Describe(ctx, ref, keys, want, func(ds []mail.Description) error {
		for i := range ds {
			ds[i].CRLFSize += o.sizes
		}
		ds = slices.DeleteFunc(ds, func(d mail.Description) bool {
			if o.deaf[d.Key] {
				failed.Fail(d.Key, fault.New(fault.Refused, "describe", "no"))
			}
			return o.deaf[d.Key]
		})
		return fn(ds)
	})
	if err != nil {
		return err
	}
	return failed.OrNil()
}

func (o *odd) Bodies(ctx context.Context, ref mail.Ref, keys mail.KeySet, fn func(mail.Meta, mail.Body) error) error {
	err := o.Store.Bodies(ctx, ref, keys, fn)
	if err == nil && o.twice {
		err = o.Store.Bodies(ctx, ref, keys, fn)
	}
	return err
}

func (o *odd) Reserve(ctx context.Context, ref mail.Ref, n int) (mail.Reservation, error) {
	r, err := o.Store.Reserve(ctx, ref, n)
	if err == nil {
		o.reserved++
	}
	return r, err
}

func (o *odd) Deliver(ctx context.Context, ref mail.Ref, m mail.Meta, body mail.Body) (driver.Delivery, error) {
	if o.alter != nil {
		content, err := io.ReadAll(body)
		if err != nil {
			return nil, err
		}
		content = o.alter(content)
		body.Reader, body.Size = bytes.NewReader(content), int64(len(content))
	}
	if o.strips {
		o.claimed = append(o.claimed, m.Flags)
		m.Flags = mail.Flags{System: m.Flags.System}
	}
	return o.Store.Deliver(ctx, ref, m, body)
}

func (o *odd) Commit(ctx context.Context, ref mail.Ref, ds []driver.Delivery) ([]mail.Placed, error) {
	placed, err := o.Store.Commit(ctx, ref, ds)
	o.reserved = 0
	for i := range placed {
		if o.strips {
			placed[i].Flags = o.claimed[i]
		}
		if o.mute {
			placed[i].Key = ""
		}
	}
	return placed, err
}

// between runs the engine between any two stores.
func (w *world) between(far, near driver.Store, change ...func(*engine.Config)) (*engine.Report, error) {
	cfg := engine.Config{Name: "test", Far: far, Near: near, State: w.state, Policy: w.policy,
		Hooks: w.hooks, Convert: w.convert, DryRun: w.dry, Lanes: 2, Settle: time.Millisecond, Pause: time.Millisecond}
	for _, c := range change {
		c(&cfg)
	}
	return engine.New(cfg).Run(context.Background())
}

func (w *world) well(r *engine.Report, err error) *engine.Report {
	require.NoError(w.t, err)
	require.NoError(w.t, r.Err())
	return r
}
