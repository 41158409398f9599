package drivertest

import (
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
)

// testConcurrentFolders has one goroutine for each of several folders.
func testConcurrentFolders(t *testing.T, e *env) {
	var refs []mail.Ref
	for i := range 4 {
		refs = append(refs, e.create(t, fmt.Sprintf("F%d", i)))
	}
	errs := make([]error, len(refs))
	var all sync.WaitGroup
	for i, ref := range refs {
		all.Go(func() { errs[i] = e.work(ref, i*100) })
	}
	soon(t, "four workers", all.Wait)
	for i, ref := range refs {
		require.NoError(t, errs[i])
		var want []int
		for n := range 20 {
			if n%4 != 0 {
				want = append(want, i*100+n)
			}
		}
		require.Equal(t, subjects(want...), e.subjects(t, ref))
	}
}

// work delivers, reads, changes and removes messages. It uses no testing.T, for
// it does not run on the test's goroutine.
func (e *env) work(ref mail.Ref, from int) error {
	for n := 0; n < 20; n += 4 {
		var ds []driver.Delivery
		for i := range 4 {
			d, err := e.store.Deliver(e.ctx, ref, mail.Meta{Date: day(1)}, bodyOf(text(from+n+i).Body, mail.LF))
			if err != nil {
				return err
			}
			ds = append(ds, d)
		}
		placed, err := e.store.Commit(e.ctx, ref, ds)
		if err != nil {
			return err
		}
		var set mail.KeySet
		if _, err := e.store.Changes(e.ctx, ref, "", func(metas []mail.Meta) error {
			for _, m := range metas {
				set.Add(m.Key)
			}
			return nil
		}); err != nil {
			return err
		}
		victim := placed[0].Key
		if err := e.store.Bodies(e.ctx, ref, set, func(m mail.Meta, b mail.Body) error {
			content, err := io.ReadAll(b)
			if victim == "" && string(content) == string(e.kept(text(from+n).Body)) {
				victim = m.Key
			}
			return err
		}); err != nil {
			return err
		}
		out, err := e.store.Change(e.ctx, ref, []mail.Change{{Key: victim, Op: mail.ChangeRemove}})
		if err != nil {
			return err
		}
		if out[0].Gone || out[0].Err != nil {
			return fmt.Errorf("message %s was not removed: %+v", victim, out[0])
		}
	}
	return nil
}

// testConcurrentOneFolder has readers and writers in the same folder.
func testConcurrentOneFolder(t *testing.T, e *env) {
	ref := e.create(t, "F")
	keys := e.add(t, ref, texts(0, 20)...)
	set := mail.NewKeySet(keys...)
	errs := make(chan error, 16)
	var all sync.WaitGroup
	for w := range 2 {
		all.Go(func() {
			for n := range 10 {
				d, err := e.store.Deliver(e.ctx, ref, mail.Meta{}, bodyOf(text(100+w*10+n).Body, mail.LF))
				if err == nil {
					_, err = e.store.Commit(e.ctx, ref, []driver.Delivery{d})
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
		all.Go(func() {
			flag := mail.NewFlags([]string{`\Seen`, `\Flagged`}[w])
			for _, key := range keys {
				out, err := e.store.Change(e.ctx, ref, []mail.Change{{Key: key, Op: mail.ChangeFlags, Add: flag}})
				if err == nil && out[0].Gone {
					err = fmt.Errorf("%s was taken for gone", key)
				}
				if err == nil {
					err = out[0].Err
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
		all.Go(func() {
			for range 5 {
				n := 0
				err := e.store.Bodies(e.ctx, ref, set, func(_ mail.Meta, b mail.Body) error {
					n++
					_, err := io.Copy(io.Discard, b)
					return err
				})
				if err == nil && n != len(keys) {
					err = fmt.Errorf("%d of %d messages were read", n, len(keys))
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	soon(t, "six workers", all.Wait)
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	listed, _ := e.list(t, ref)
	require.Len(t, listed, 40)
	for _, key := range keys {
		requireFlags(t, mail.NewFlags(`\Seen`, `\Flagged`), listed[key].Flags)
	}
}
