package maildir_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/maildir"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// restless renames messages without end, as mail readers do: it moves them from
// new/ to cur/ and sets and takes away flags. It knows where each file is, for
// the driver may rename them too.
type restless struct {
	dir  string
	keys []mail.Key
	rest func(*rand.Rand) // between two renames
}

func (r *restless) run(ctx context.Context, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 2))
	for ctx.Err() == nil {
		for _, sub := range []string{"new", "cur"} {
			d, err := os.Open(filepath.Join(r.dir, sub))
			if err != nil {
				return
			}
			names, _ := d.Readdirnames(-1)
			_ = d.Close()
			rnd.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
			for _, name := range names[:min(len(names), 200)] {
				if ctx.Err() != nil {
					return
				}
				key, _, _ := strings.Cut(name, ":")
				letters := []string{"", "S", "F", "FS", "RS"}[rnd.IntN(5)]
				_ = os.Rename(filepath.Join(r.dir, sub, name), filepath.Join(r.dir, "cur", key+":2,"+letters))
				r.rest(rnd)
			}
		}
	}
}

func TestStressOtherProgramsRename(t *testing.T) {
	for name, one := range map[string]struct {
		messages int
		kept     int // names
		rest     func(*rand.Rand)
	}{
		"few, without end":  {3, 1000, func(*rand.Rand) {}},
		"many, without end": {1500, 2000, func(*rand.Rand) {}},
		"many, with rests":  {400, 2000, func(rnd *rand.Rand) { time.Sleep(time.Duration(rnd.IntN(20)) * time.Millisecond) }},
		"names not kept":    {1500, 100, func(*rand.Rand) {}},
	} {
		t.Run(name, func(t *testing.T) { stress(t, one.messages, one.kept, one.rest) })
	}
}

func stress(t *testing.T, messages, kept int, rest func(*rand.Rand)) {
	root := t.TempDir()
	dir := filepath.Join(root, "F")
	makeDirs(t, dir)
	truth := map[mail.Key]string{}
	for i := range messages {
		key := mail.Key(fmt.Sprintf("%d.M%dP1.host", 1700000000+i, i))
		truth[key] = fmt.Sprintf("Subject: %d\n\n", i)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "new", string(key)), []byte(truth[key]), 0o600))
	}
	keys := slices.Sorted(maps.Keys(truth))

	s := maildir.New(maildir.Options{Path: root, NoFsync: true}).KeepNames(kept)
	require.NoError(t, s.Open(t.Context()))
	ctx, stop := context.WithCancel(t.Context())
	var others sync.WaitGroup
	for seed := range uint64(2) {
		r := &restless{dir: dir, keys: keys, rest: rest}
		others.Go(func() { r.run(ctx, seed) })
	}
	ref := mail.Ref{Name: "F"}
	sure, unsure, changed, busy := 0, 0, 0, 0
	for begun := time.Now(); time.Since(begun) < 700*time.Millisecond; {
		got, res := list(t, s, ref)
		require.LessOrEqual(t, len(got), messages)
		require.True(t, res.Complete)
		require.Equal(t, len(got), res.Present.Len())
		if unsure++; !res.Unsure {
			sure++
			unsure--
			require.Equal(t, messages, len(got), "messages were taken for gone")
		}
	}
	for begun := time.Now(); time.Since(begun) < 500*time.Millisecond; {
		key := keys[rand.IntN(len(keys))]
		out, err := s.Change(t.Context(), ref, []mail.Change{
			{Key: key, Op: mail.ChangeFlags, Add: mail.NewFlags(`\Draft`)},
			{Key: key, Op: mail.ChangeFlags, Remove: mail.NewFlags(`\Draft`)},
		})
		require.NoError(t, err)
		for _, o := range out {
			require.False(t, o.Gone, "a message was taken for gone")
			if o.Err != nil {
				require.ErrorIs(t, o.Err, fault.Busy)
				busy++
			} else {
				changed++
			}
		}

		read, set := 0, mail.KeySet{}
		for _, i := range rand.Perm(len(keys))[:min(len(keys), 40)] {
			set.Add(keys[i])
		}
		err = s.Bodies(t.Context(), ref, set, func(m mail.Meta, b mail.Body) error {
			content, err := io.ReadAll(b)
			require.NoError(t, err)
			require.Equal(t, truth[m.Key], string(content))
			read++
			return nil
		})
		if err != nil {
			require.ErrorContains(t, err, "keeps renaming")
		} else {
			require.Equal(t, set.Len(), read, "a message was left out")
		}
	}
	stop()
	others.Wait()
	t.Logf("%d readings sure, %d unsure; %d changes done, %d given up", sure, unsure, changed, busy)
	require.NotZero(t, changed)

	got, res := list(t, s, ref)
	require.False(t, res.Unsure, "the others have stopped")
	require.Equal(t, messages, len(got))
	require.NoError(t, s.Close())
	files := 0
	for _, sub := range []string{"new", "cur"} {
		list, err := os.ReadDir(filepath.Join(dir, sub))
		require.NoError(t, err)
		files += len(list)
	}
	require.Equal(t, messages, files, "no file was lost, none was doubled")
}

// list returns the keys that a reading hands out, each of them once.
func list(t testing.TB, s driver.Store, ref mail.Ref) ([]mail.Key, mail.Result) {
	t.Helper()
	var keys []mail.Key
	res, err := s.Changes(t.Context(), ref, "", func(metas []mail.Meta) error {
		for _, m := range metas {
			keys = append(keys, m.Key)
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, len(keys), len(slices.Compact(slices.Clone(keys))), "a message came twice")
	return keys, res
}

// TestStressRemovals removes messages that another program keeps renaming.
func TestStressRemovals(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "F")
	makeDirs(t, dir)
	var keys []mail.Key
	for i := range 400 {
		key := mail.Key(fmt.Sprintf("%d.M%dP1.host", 1700000000+i, i))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "new", string(key)), []byte("x"), 0o600))
		keys = append(keys, key)
	}
	s := maildir.New(maildir.Options{Path: root, NoFsync: true})
	require.NoError(t, s.Open(t.Context()))
	defer s.Close()
	require.NoError(t, s.CreateFolder(t.Context(), "To"))
	ctx, stop := context.WithCancel(t.Context())
	var others sync.WaitGroup
	r := &restless{dir: dir, rest: func(*rand.Rand) { time.Sleep(20 * time.Microsecond) }}
	others.Go(func() { r.run(ctx, 1) })

	ref, left := mail.Ref{Name: "F"}, map[mail.Key]mail.Change{}
	for i, key := range keys {
		left[key] = mail.Change{Key: key, Op: mail.ChangeRemove}
		if i%2 == 0 {
			left[key] = mail.Change{Key: key, Op: mail.ChangeMove, To: "To"}
		}
	}
	for end := time.Now().Add(10 * time.Second); len(left) > 0 && time.Now().Before(end); {
		out, err := s.Change(t.Context(), ref, slices.Collect(maps.Values(left)))
		require.NoError(t, err)
		for _, o := range out {
			require.False(t, o.Gone)
			if o.Err == nil {
				delete(left, o.Key)
			}
		}
	}
	stop()
	others.Wait()
	require.Empty(t, left)
	for sub, want := range map[string]int{"F/new": 0, "F/cur": 0, "To": 200} {
		n := 0
		require.NoError(t, filepath.WalkDir(filepath.Join(root, sub), func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() && e.Name()[0] != '.' {
				n++
			}
			return err
		}))
		require.Equal(t, want, n, sub)
	}
}
