package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// askSize is the most messages a script is asked about at once.
const askSize = 1000

// askMessages lets a script leave out new messages. Without such a script
// nothing is read and nothing is called.
func (e *Engine) askMessages(ctx context.Context, plan *Plan) error {
	if e.Hooks.OnMessage == nil {
		return nil
	}
	for _, fp := range plan.Folders {
		for _, s := range fp.Steps {
			if s.Op != OpPull && s.Op != OpPush {
				continue
			}
			// What the script leaves out is taken out of the step meanwhile.
			for items := range s.items.chunks(askSize) {
				if err := e.askBatch(ctx, fp, s, items); err != nil {
					return err
				}
			}
		}
		fp.Steps = slices.DeleteFunc(fp.Steps, func(s *Step) bool {
			return (s.Op == OpPull || s.Op == OpPush) && s.items.len() == 0
		})
	}
	return nil
}

func (e *Engine) askBatch(ctx context.Context, fp *FolderPlan, s *Step, items []item) error {
	if err := e.fillSizes(ctx, fp, s, items); err != nil {
		return err
	}
	var keys mail.KeySet
	b := &Batch{Op: s.Op, Folder: fp.Name}
	for _, it := range items {
		keys.Add(it.meta.Key)
		b.Metas = append(b.Metas, it.meta)
	}
	var headers []mail.Description
	b.Describe = func(ctx context.Context) ([]mail.Description, error) {
		if headers != nil {
			return headers, nil
		}
		err := e.store(s.source()).Describe(ctx, fp.refs[s.source()], keys, mail.WantHeader, func(ds []mail.Description) error {
			headers = append(headers, ds...)
			return nil
		})
		return headers, err
	}
	if err := e.Hooks.OnMessage(ctx, b); err != nil {
		return err
	}
	if len(b.skipped) > 0 {
		e.told(fp.Name, "%d messages left out by the script", len(b.skipped))
	}
	for _, k := range slices.Sorted(maps.Keys(b.failed)) {
		if err := e.folderFailed(ctx, fp.Name, messageFailed(b.failed[k], k)); err != nil {
			return err
		}
	}
	s.without(func(k mail.Key) bool { return b.skipped[k] != "" || b.failed[k] != nil })
	if len(b.failed) > 0 {
		fp.blocked.Store(true) // the next run asks again
	}
	return nil
}

// messageFailed says which message an error is about.
func messageFailed(err error, k mail.Key) error {
	f := *asFault(err)
	f.Key = string(k)
	return &f
}

// fillSizes finds out the sizes and dates that the source did not tell by itself.
func (e *Engine) fillSizes(ctx context.Context, fp *FolderPlan, s *Step, items []item) error {
	metas := make([]mail.Meta, len(items))
	for i, it := range items {
		metas[i] = it.meta
	}
	if err := e.sizesOf(ctx, s.source(), fp.refs[s.source()], metas); err != nil {
		return err
	}
	for i := range items {
		items[i].meta = metas[i]
	}
	return nil
}

// fillAll is fillSizes for all messages of a step.
func (e *Engine) fillAll(ctx context.Context, fp *FolderPlan, s *Step) error {
	all := &s.items.metas
	for from := 0; from < all.Len(); from += pieceLen {
		some := all.Slice(from, min(from+pieceLen, all.Len()))
		if !slices.ContainsFunc(some, func(m mail.Meta) bool { return m.Size < 0 }) {
			continue
		}
		if err := e.sizesOf(ctx, s.source(), fp.refs[s.source()], some); err != nil {
			return err
		}
		for i, m := range some {
			all.Set(from+i, m)
		}
	}
	return nil
}

// sizesOf fills in the sizes and dates that a store did not tell by itself.
func (e *Engine) sizesOf(ctx context.Context, side state.Side, ref mail.Ref, metas []mail.Meta) error {
	at := map[mail.Key]*mail.Meta{}
	var keys mail.KeySet
	for i := range metas {
		if m := &metas[i]; m.Size < 0 {
			at[m.Key] = m
			keys.Add(m.Key)
		}
	}
	if keys.Empty() {
		return nil
	}
	err := e.store(side).Describe(ctx, ref, keys, mail.WantSize|mail.WantDate, func(ds []mail.Description) error {
		for _, d := range ds {
			if m := at[d.Key]; m != nil {
				m.Size, m.Date = d.Size, d.Date
			}
		}
		return nil
	})
	if _, partial := driver.AsPartial(err); partial {
		return nil // reading the message will tell what is wrong with it
	}
	return err
}
