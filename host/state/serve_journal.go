package state

import (
	"context"
	"time"

	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// The operations of a served journal.
const (
	callBeginRun = "state.begin_run"
	callEndRun   = "state.end_run"
	callRuns     = "state.runs"
	callEvents   = "state.events"
	callPrune    = "state.prune"
)

// journal answers the calls about the journal; ours tells whether it was one.
func (s *Server) journal(ctx context.Context, call *worker.Call) (v wire.Value, ours bool, err error) {
	args := func(n int) *columns { return readColumns(call.Args, n) }
	switch call.Op {
	case callBeginRun:
		a := args(1)
		kind := a.text()
		if a.err != nil {
			return nil, true, a.err
		}
		id, err := s.store.BeginRun(ctx, kind)
		return id, true, err
	case callEndRun:
		a := args(2)
		run, outcome := next[int64](a), a.text()
		if a.err != nil {
			return nil, true, a.err
		}
		return nil, true, s.store.EndRun(ctx, run, outcome)
	case callRuns:
		a := args(1)
		limit := next[int64](a)
		if a.err != nil {
			return nil, true, a.err
		}
		runs, err := s.store.Runs(ctx, int(limit))
		if err != nil {
			return nil, true, err
		}
		return nil, true, sendAll(ctx, call, runs, encodeRun)
	case callEvents:
		a := args(3)
		q := Query{Run: next[int64](a)}
		rows := next[wire.List](a)
		if q.MessageID = a.text(); a.err != nil {
			return nil, true, a.err
		}
		var err error
		if q.Rows, err = decodeAll(rows, decodeID); err != nil {
			return nil, true, err
		}
		return nil, true, s.store.Events(ctx, q, func(events []Event) error { return sendAll(ctx, call, events, encodeEvent) })
	case callPrune:
		a := args(1)
		before := next[time.Time](a)
		if a.err != nil {
			return nil, true, a.err
		}
		return nil, true, s.store.Prune(ctx, before)
	}
	return nil, false, nil
}

func (p proxy) BeginRun(ctx context.Context, kind string) (id int64, err error) {
	if p.ch.Local() {
		err = p.local(ctx, callBeginRun, func(ctx context.Context, s Store) (err error) {
			id, err = s.BeginRun(ctx, kind)
			return err
		})
		return id, err
	}
	v, err := p.ch.Call(ctx, &worker.Call{Op: callBeginRun, Args: wire.List{kind}})
	if err != nil {
		return 0, err
	}
	return decodeID(v)
}

func (p proxy) EndRun(ctx context.Context, run int64, outcome string) error {
	if p.ch.Local() {
		return p.local(ctx, callEndRun, func(ctx context.Context, s Store) error { return s.EndRun(ctx, run, outcome) })
	}
	_, err := p.ch.Call(ctx, &worker.Call{Op: callEndRun, Args: wire.List{run, outcome}})
	return err
}

func (p proxy) Runs(ctx context.Context, limit int) (runs []Run, err error) {
	if p.ch.Local() {
		err = p.local(ctx, callRuns, func(ctx context.Context, s Store) (err error) {
			runs, err = s.Runs(ctx, limit)
			return err
		})
		return runs, err
	}
	return recvAll(ctx, p.ch, callRuns, wire.List{int64(limit)}, decodeRun)
}

func (p proxy) Events(ctx context.Context, q Query, fn func([]Event) error) error {
	var refused error // by fn; it goes back as it is
	see := func(events []Event) error {
		refused = fn(events)
		return refused
	}
	var err error
	if p.ch.Local() {
		err = p.local(ctx, callEvents, func(ctx context.Context, s Store) error { return s.Events(ctx, q, see) })
	} else {
		err = stream(ctx, p.ch, callEvents, wire.List{q.Run, encodeAll(q.Rows, encodeID), q.MessageID}, nil, func(item wire.Value) error {
			events, err := decodeAll(item, decodeEvent)
			if err != nil {
				return err
			}
			return see(events)
		})
	}
	if refused != nil {
		return refused
	}
	return err
}

func (p proxy) Prune(ctx context.Context, before time.Time) error {
	if p.ch.Local() {
		return p.local(ctx, callPrune, func(ctx context.Context, s Store) error { return s.Prune(ctx, before) })
	}
	_, err := p.ch.Call(ctx, &worker.Call{Op: callPrune, Args: wire.List{before}})
	return err
}
