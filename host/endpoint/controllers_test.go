package endpoint_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/drivertest"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// far gives every folder but the inbox another name on the far side.
func far(near string) string {
	if near == mail.Inbox {
		return near
	}
	return "x-" + near
}

func dressed(t testing.TB) *naming.Rename {
	r, err := naming.NewRename([]naming.Step{{Kind: naming.Pair, ToNear: "near", ToFar: "far"}}, func(id, name string) (string, error) {
		if id == "far" {
			return far(name), nil
		}
		return strings.TrimPrefix(name, "x-"), nil
	})
	require.NoError(t, err)
	return r
}

// Every controller around a store is a store that keeps the contract.
func TestControllersConform(t *testing.T) {
	all, err := predicate.Compile(predicate.OnSize(predicate.Larger, 0).Or(predicate.Leaf(predicate.All)))
	require.NoError(t, err)
	wrap := map[string]func(s driver.Store) driver.Store{
		"NameTrans": func(s driver.Store) driver.Store { return endpoint.NameTrans(s, dressed(t)) },
		"Filter":    func(s driver.Store) driver.Store { return endpoint.Filter(s, endpoint.FilterOptions{Messages: all}) },
		"Trace": func(s driver.Store) driver.Store {
			return endpoint.Trace(s, slog.New(slog.DiscardHandler), slog.LevelInfo)
		},
		"Throttle": func(s driver.Store) driver.Store { return endpoint.Throttle(s, endpoint.NewRate(1<<40, 1e9)) },
		"Retry":    func(s driver.Store) driver.Store { return endpoint.Retry(s, endpoint.RetryOptions{}) },
		"Fake":     func(s driver.Store) driver.Store { return endpoint.Fake(s) },
		"Limit":    func(s driver.Store) driver.Store { return endpoint.Limit(s, 1, 1) },
	}
	wrap["All"] = func(s driver.Store) driver.Store {
		for _, name := range []string{"Limit", "Retry", "Throttle", "Filter", "NameTrans", "Trace"} {
			s = wrap[name](s)
		}
		return s
	}
	for name, around := range wrap {
		if name == "Limit" || name == "Trace" || name == "Throttle" {
			continue // they are in All
		}
		t.Run(name, func(t *testing.T) {
			door := func(near string) string { return near }
			if name == "NameTrans" || name == "All" {
				door = far
			}
			drivertest.Run(t, drivertest.Harness{
				Features: drivertest.Features{LineEnds: mail.CRLF, Delta: true},
				New: func(*testing.T) drivertest.Place {
					s := memory.New(memory.Options{Batch: 3})
					store := around(s)
					return drivertest.Place{
						Store: func(*testing.T) driver.Store { return store },
						Add: func(_ *testing.T, folder string, m drivertest.Message) {
							s.Add(door(folder), memory.Message{Flags: m.Flags, Date: m.Date, Body: m.Body})
						},
						SetFlags: func(_ *testing.T, folder string, key mail.Key, flags mail.Flags) {
							s.SetFlags(door(folder), key, flags)
						},
						Remove:   func(_ *testing.T, folder string, key mail.Key) { s.Remove(door(folder), key) },
						Recreate: func(_ *testing.T, folder string) { s.DropFolder(door(folder)); s.AddFolder(door(folder)) },
					}
				},
			})
		})
	}
}

// No ability may be reached around the controller that changes what it is about.
func TestAbilitiesGoThroughControllers(t *testing.T) {
	s := server(t, memory.Options{})
	log := &bytes.Buffer{}
	var did []endpoint.WouldDo
	chain := func(inner driver.Store) driver.Store {
		traced := endpoint.Trace(endpoint.NameTrans(inner, dressed(t)), slog.New(slog.NewTextHandler(log, nil)), slog.LevelInfo)
		return endpoint.Limit(traced, 1, 1)
	}
	store := chain(s)
	maker, ok := driver.As[driver.FolderMaker](store)
	require.True(t, ok)
	require.NoError(t, maker.CreateFolder(t.Context(), "New"))
	require.Contains(t, s.Snapshot(), "x-New")
	require.NoError(t, maker.Subscribe(t.Context(), "New"))
	require.Contains(t, log.String(), `op="create folder"`)
	require.Contains(t, log.String(), "folder=New")
	remover, ok := driver.As[driver.FolderRemover](store)
	require.True(t, ok)
	require.NoError(t, remover.RemoveFolder(t.Context(), "New"))
	require.NotContains(t, s.Snapshot(), "x-New")
	stamper, ok := driver.As[driver.Stamper](store)
	require.True(t, ok)
	require.NoError(t, stamper.SetStamp(t.Context(), "mark"))

	for _, found := range []driver.Store{endpoint.DryRun(s, func(w endpoint.WouldDo) { did = append(did, w) }), endpoint.NameTrans(s, dressed(t))} {
		got, _ := driver.As[*memory.Store](found)
		require.Nil(t, got, "the store within cannot be reached")
	}
	none := chain(bare{s})
	_, ok = driver.As[driver.FolderMaker](none)
	require.False(t, ok, "nothing is promised that is not there")
	_, ok = driver.As[driver.Stamper](endpoint.DryRun(bare{s}, nil))
	require.False(t, ok)
	require.Empty(t, did)
}

func TestNameTrans(t *testing.T) {
	s := server(t, memory.Options{})
	for _, name := range []string{"[Gmail]/Sent Mail", "[Gmail]/Drafts", "Lists/go", "Drafts"} {
		s.AddFolder(name)
	}
	rename, err := naming.NewRename([]naming.Step{{Kind: naming.StripPrefix, Prefix: "[Gmail]/"},
		{Kind: naming.Map, Names: map[string]string{"Sent Mail": "Sent"}}}, nil)
	require.NoError(t, err)
	n := endpoint.NameTrans(s, rename)
	folders, err := n.Folders(t.Context())
	require.NoError(t, err)
	var got []string
	for _, f := range folders {
		got = append(got, f.Name)
		require.Equal(t, f.Name == "Drafts", f.Fault != "", "%s: %s", f.Name, f.Fault)
	}
	require.Equal(t, []string{"Drafts", "Drafts", "INBOX", "Lists/go", "Sent"}, got)

	// The names that meet are refused, whatever is asked of them.
	_, err = n.Changes(t.Context(), mail.Ref{Name: "Drafts"}, "", nil)
	require.ErrorIs(t, err, fault.BadName)
	_, err = n.Deliver(t.Context(), mail.Ref{Name: "Drafts"}, mail.Meta{}, body("x"))
	require.ErrorIs(t, err, fault.BadName)

	key := s.Add(mail.Inbox, text(1, 1))
	out, err := n.Change(t.Context(), inbox, []mail.Change{
		{Key: key, Op: mail.ChangeMove, To: "Drafts"},
		{Key: key, Op: mail.ChangeFlags, Add: mail.NewFlags(`\Seen`)},
		{Key: key, Op: mail.ChangeMove, To: "Sent"},
	})
	require.NoError(t, err)
	require.ErrorIs(t, out[0].Err, fault.BadName)
	require.NoError(t, out[1].Err)
	require.NoError(t, out[2].Err)
	require.Len(t, s.Snapshot()["[Gmail]/Sent Mail"], 1)

	// A name translates also before anybody has listed.
	fresh := endpoint.NameTrans(s, rename)
	require.Len(t, metas(t, fresh, "Sent"), 1)
}

func filterOf(t testing.TB, e *predicate.Expr) *predicate.Predicate {
	p, err := predicate.Compile(e)
	require.NoError(t, err)
	return p
}

func TestFilter(t *testing.T) {
	now := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	s := server(t, memory.Options{Batch: 2})
	counts := map[memory.Op]int{}
	s.SetHook(func(_ context.Context, c memory.Call) error {
		if !c.Done {
			counts[c.Op]++
		}
		return nil
	})
	add := func(flags string, age time.Duration, body string) mail.Key {
		return s.Add("F", memory.Message{Flags: mail.NewFlags(strings.Fields(flags)...), Date: now.Add(-age), Body: []byte(body)})
	}
	day := 24 * time.Hour
	old := add("", 40*day, "Subject: old\n\nx")
	oldFlagged := add(`\Flagged`, 40*day, "Subject: keep\n\nx")
	big := add("", day, "Subject: big\n\n"+strings.Repeat("y", 5000))
	spam := add("", day, "Subject: cheap SPAM\n\nbuy")
	plain := add("", day, "Subject: hello\n\nfind the needle")
	lastOnes := []mail.Key{add(`\Flagged`, day, "\n"), add(`\Flagged`, day, "\n"), add(`\Flagged`, day, "\n")}
	all := append([]mail.Key{old, oldFlagged, big, spam, plain}, lastOnes...)

	leaf := predicate.Leaf
	spamLeaf := predicate.OnText(predicate.Subject, "", predicate.Match{Substring: "spam"})
	needle := predicate.OnText(predicate.Body, "", predicate.Match{Substring: "needle"})
	fn := predicate.OnName(predicate.Fn, "short subject")
	for name, c := range map[string]struct {
		keep      *predicate.Expr
		hidden    []mail.Key
		describes int
		bodies    int
	}{
		"flags":       {leaf(predicate.Flagged), []mail.Key{old, big, spam, plain}, 0, 0},
		"size":        {predicate.OnSize(predicate.Smaller, 1000).Or(leaf(predicate.Flagged)), []mail.Key{big}, 1, 0},
		"age":         {predicate.OnAge(predicate.Newer, 30*day).Or(leaf(predicate.Flagged)), []mail.Key{old}, 1, 0},
		"header":      {spamLeaf.Not(), []mail.Key{spam}, 1, 0},
		"folder":      {predicate.OnName(predicate.Folder, "G*"), all, 0, 0},
		"everything":  {leaf(predicate.All), nil, 0, 0},
		"header last": {predicate.OnSize(predicate.Larger, 1000).Minus(spamLeaf), append([]mail.Key{old, oldFlagged, spam, plain}, lastOnes...), 1, 0},
		"content":     {needle, append([]mail.Key{old, oldFlagged, big, spam}, lastOnes...), 0, 1},
		"function":    {fn, []mail.Key{spam, plain}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			clear(counts)
			f := endpoint.Filter(s, endpoint.FilterOptions{
				Messages: filterOf(t, c.keep), Now: func() time.Time { return now },
				Call: func(_ context.Context, _ string, v *predicate.View) (bool, error) {
					require.NotEmpty(t, v.Header)
					return len(v.Header) < len("Subject: hello\r\n\r\n"), nil
				},
			})
			seen := metas(t, f, "F")
			require.Len(t, seen, len(all), "hidden is not dropped")
			for i, m := range seen {
				require.Equal(t, all[i], m.Key, "the order stays")
			}
			require.ElementsMatch(t, c.hidden, hiddenKeys(t, f, "F"))
			require.Equal(t, 2*c.describes, counts[memory.OpDescribe], "one call for a batch")
			require.Equal(t, 2*c.bodies, counts[memory.OpBodies])
		})
	}
}

// What a filter says about age changes without anybody touching a message.
func TestFilterLooksAgain(t *testing.T) {
	now := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	s := server(t, memory.Options{})
	key := s.Add(mail.Inbox, memory.Message{Date: now, Body: []byte("\n")})
	f := endpoint.Filter(s, endpoint.FilterOptions{Messages: filterOf(t, predicate.OnAge(predicate.Newer, time.Hour)), Now: func() time.Time { return now }})
	require.Empty(t, hiddenKeys(t, f, mail.Inbox))
	folders, err := f.Folders(t.Context())
	require.NoError(t, err)
	require.Empty(t, folders[0].Cursor, "an unchanged folder is not skipped")
	res, err := s.Changes(t.Context(), inbox, "", func([]mail.Meta) error { return nil })
	require.NoError(t, err)

	now = now.Add(2 * time.Hour)
	var got []mail.Meta
	_, err = f.Changes(t.Context(), inbox, res.Cursor, func(some []mail.Meta) error { got = append(got, some...); return nil })
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, key, got[0].Key)
	require.True(t, got[0].Hidden)

	// Without an age the cursor is good.
	f = endpoint.Filter(s, endpoint.FilterOptions{Messages: filterOf(t, predicate.OnSize(predicate.Smaller, 1000))})
	folders, err = f.Folders(t.Context())
	require.NoError(t, err)
	require.Equal(t, res.Cursor, folders[0].Cursor)
}

// A folder of any size is filtered in order and in bounded memory.
func TestFilterSpools(t *testing.T) {
	s := server(t, memory.Options{})
	var want []mail.Key
	n := 23_000
	for i := range n {
		m := memory.Message{Body: []byte("\n")}
		if i%1000 == 999 {
			m = text(i, 100)
		}
		if k := s.Add(mail.Inbox, m); i%1000 == 999 {
			want = append(want, k)
		}
	}
	f := endpoint.Filter(s, endpoint.FilterOptions{Messages: filterOf(t, predicate.OnSize(predicate.Smaller, 50))})
	seen := metas(t, f, mail.Inbox)
	require.Len(t, seen, n)
	for i, m := range seen {
		require.Equal(t, mail.UIDKey(uint32(i+1)), m.Key)
	}
	require.Equal(t, want, hiddenKeys(t, f, mail.Inbox))
}

func TestFilterFolders(t *testing.T) {
	s := server(t, memory.Options{})
	s.AddFolder("Work")
	s.AddFolder("Odd")
	s.AddFolder("Spam")
	s.SetAttrs("Spam", `\Junk`)
	p, err := naming.ParsePatterns([]string{"*", `!\Junk`})
	require.NoError(t, err)
	f := endpoint.Filter(s, endpoint.FilterOptions{Folders: func(_ context.Context, f mail.Folder) (bool, error) {
		if f.Name == "Odd" {
			return false, errors.New("cannot tell")
		}
		return p.Selects(f), nil
	}})
	folders, err := f.Folders(t.Context())
	require.NoError(t, err)
	for _, one := range folders {
		require.Equal(t, one.Name == "Spam", one.Hidden, one.Name)
		require.Equal(t, one.Name == "Odd", one.Fault != "", one.Name)
	}
}

// A dry run reads everything, says what it would do and does none of it.
func TestDryRun(t *testing.T) {
	s := server(t, memory.Options{})
	keys := list(fill(s, mail.Inbox, 3, 10))
	s.AddFolder("Old")
	require.NoError(t, s.SetStamp(t.Context(), "before"))
	before := s.Snapshot()
	var did []endpoint.WouldDo
	d := endpoint.DryRun(s, func(w endpoint.WouldDo) { did = append(did, w) })

	r, err := d.Reserve(t.Context(), inbox, 2)
	require.NoError(t, err)
	require.Empty(t, r.Keys)
	ds := deliver(t, d, inbox, "Subject: a\n\n", "Subject: b\n\n")
	placed, err := d.Commit(t.Context(), inbox, ds)
	require.NoError(t, err)
	require.Len(t, placed, 2)
	out, err := d.Change(t.Context(), inbox, []mail.Change{
		{Key: keys[0], Op: mail.ChangeFlags, Add: mail.NewFlags(`\Seen`)}, {Key: keys[1], Op: mail.ChangeRemove}, {Key: keys[2], Op: mail.ChangeMove, To: "New"}})
	require.NoError(t, err)
	require.Equal(t, mail.NewFlags(`\Seen`), out[0].Flags)
	_, err = d.Deliver(t.Context(), inbox, mail.Meta{}, mail.Body{Reader: strings.NewReader("short"), Size: 10})
	require.Error(t, err)

	maker, _ := driver.As[driver.FolderMaker](d)
	require.NoError(t, maker.CreateFolder(t.Context(), "New"))
	require.NoError(t, maker.CreateFolder(t.Context(), mail.Inbox))
	require.NoError(t, maker.Subscribe(t.Context(), "New"))
	require.Empty(t, metas(t, d, "New"), "it is as if it were there")
	remover, _ := driver.As[driver.FolderRemover](d)
	require.NoError(t, remover.RemoveFolder(t.Context(), "New"))
	require.NoError(t, remover.RemoveFolder(t.Context(), "Old"))
	folders, err := d.Folders(t.Context())
	require.NoError(t, err)
	require.Len(t, folders, 1)
	stamper, _ := driver.As[driver.Stamper](d)
	require.NoError(t, stamper.SetStamp(t.Context(), "after"))
	stamp, err := stamper.Stamp(t.Context())
	require.NoError(t, err)
	require.Equal(t, "after", stamp)

	stamp, err = s.Stamp(t.Context())
	require.NoError(t, err)
	require.Equal(t, "before", stamp)
	require.Equal(t, before, s.Snapshot())
	require.ElementsMatch(t, []endpoint.WouldDo{
		{Op: "deliver", Folder: "INBOX", Count: 2, Octets: 24},
		{Op: "flags", Folder: "INBOX", Count: 1}, {Op: "remove", Folder: "INBOX", Count: 1}, {Op: "move", Folder: "INBOX", To: "New", Count: 1},
		{Op: "create folder", Folder: "New", Count: 1}, {Op: "subscribe", Folder: "New", Count: 1},
		{Op: "remove folder", Folder: "New", Count: 1}, {Op: "remove folder", Folder: "Old", Count: 1}, {Op: "stamp", Count: 1},
	}, did)
}

func TestTrace(t *testing.T) {
	s := server(t, memory.Options{})
	keys := fill(s, "Work", 3, 1000)
	var log bytes.Buffer
	tr := endpoint.Trace(s, slog.New(slog.NewTextHandler(&log, nil)), slog.LevelInfo)
	require.NoError(t, tr.Bodies(t.Context(), mail.Ref{Name: "Work"}, keys, func(_ mail.Meta, b mail.Body) error { read(t, b); return nil }))
	require.Contains(t, log.String(), "op=bodies")
	require.Contains(t, log.String(), "folder=Work")
	require.Contains(t, log.String(), "asked=3 ")
	require.Contains(t, log.String(), "octets=30")
	log.Reset()
	_, err := tr.Changes(t.Context(), mail.Ref{Name: "None"}, "", nil)
	require.Error(t, err)
	require.Contains(t, log.String(), "failed=not_found")
	require.NotContains(t, log.String(), "Subject")
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(memory.Options{})
		require.NoError(t, s.Open(t.Context()))
		defer s.Close()
		keys := fill(s, mail.Inbox, 10, 10_000) // about 100 kB
		slow := endpoint.Throttle(s, endpoint.NewRate(10_000, 0))
		began := time.Now()
		require.NoError(t, slow.Bodies(t.Context(), inbox, keys, func(_ mail.Meta, b mail.Body) error { read(t, b); return nil }))
		took := time.Since(began)
		require.Greater(t, took, 8*time.Second)
		require.Less(t, took, 11*time.Second)

		few := endpoint.Throttle(s, endpoint.NewRate(0, 2))
		began = time.Now()
		for range 12 {
			_, err := few.Folders(t.Context())
			require.NoError(t, err)
		}
		took = time.Since(began)
		require.Greater(t, took, 4*time.Second)
		require.Less(t, took, 7*time.Second)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var err error
		for err == nil {
			_, err = few.Folders(ctx)
		}
		require.ErrorIs(t, err, context.DeadlineExceeded, "waiting honours the context")
	})
}

// A body that can be read twice is paid for once, and still can.
func TestThrottleKeepsSeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(memory.Options{Maildir: true})
		require.NoError(t, s.Open(t.Context()))
		defer s.Close()
		keys := fill(s, mail.Inbox, 5, 10_000)
		slow := endpoint.Throttle(s, endpoint.NewRate(10_000, 0))
		began := time.Now()
		require.NoError(t, slow.Bodies(t.Context(), inbox, keys, func(_ mail.Meta, b mail.Body) error {
			first := read(t, b)
			_, err := b.Reader.(interface {
				Seek(int64, int) (int64, error)
			}).Seek(0, 0)
			require.NoError(t, err)
			require.Equal(t, first, read(t, b))
			return nil
		}))
		require.Less(t, time.Since(began), 5*time.Second)
		require.Greater(t, time.Since(began), 2*time.Second)
	})
}

func TestRetry(t *testing.T) {
	for name, c := range map[string]struct {
		script []endpoint.Mishap
		do     func(s driver.Store) error
		tries  int // in all
		ok     bool
	}{
		"listing": {[]endpoint.Mishap{{Op: endpoint.OpFolders, Code: fault.Network, Temporary: true, Times: 2}},
			func(s driver.Store) error { _, err := s.Folders(context.Background()); return err }, 3, true},
		"too often": {[]endpoint.Mishap{{Op: endpoint.OpFolders, Code: fault.Network, Temporary: true}},
			func(s driver.Store) error { _, err := s.Folders(context.Background()); return err }, 4, false},
		"for good": {[]endpoint.Mishap{{Op: endpoint.OpFolders, Code: fault.Auth}},
			func(s driver.Store) error { _, err := s.Folders(context.Background()); return err }, 1, false},
		"flags": {[]endpoint.Mishap{{Op: endpoint.OpChange, Code: fault.Network, Temporary: true, Times: 1, After: true}},
			func(s driver.Store) error {
				_, err := s.Change(context.Background(), inbox, []mail.Change{{Key: mail.UIDKey(1), Op: mail.ChangeFlags, Add: mail.NewFlags(`\Seen`)}})
				return err
			}, 2, true},
		"a removal": {[]endpoint.Mishap{{Op: endpoint.OpChange, Code: fault.Network, Temporary: true, Times: 1}},
			func(s driver.Store) error {
				_, err := s.Change(context.Background(), inbox, []mail.Change{{Key: mail.UIDKey(1), Op: mail.ChangeRemove}})
				return err
			}, 1, false},
		"a delivery": {[]endpoint.Mishap{{Op: endpoint.OpDeliver, Code: fault.Network, Temporary: true, Times: 1}},
			func(s driver.Store) error {
				_, err := s.Deliver(context.Background(), inbox, mail.Meta{}, body("x"))
				return err
			}, 1, false},
		"a commit": {[]endpoint.Mishap{{Op: endpoint.OpCommit, Code: fault.Network, Temporary: true, Times: 1}},
			func(s driver.Store) error { _, err := s.Commit(context.Background(), inbox, nil); return err }, 1, false},
		"reading that had begun": {nil,
			func(s driver.Store) error {
				n := 0
				_, err := s.Changes(context.Background(), inbox, "", func(some []mail.Meta) error { n += len(some); return nil })
				if n != 2 {
					return errors.New("handed out twice")
				}
				return err
			}, 1, false},
		"a folder": {[]endpoint.Mishap{{Op: endpoint.OpCreateFolder, Code: fault.Network, Temporary: true, Times: 1, After: true}},
			func(s driver.Store) error {
				m, _ := driver.As[driver.FolderMaker](s)
				return m.CreateFolder(context.Background(), "New")
			}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := memory.New(memory.Options{})
				require.NoError(t, s.Open(t.Context()))
				defer s.Close()
				fill(s, mail.Inbox, 2, 10)
				if c.script == nil { // the answer to the reading gets lost
					s.SetHook(memory.Chain(memory.Lose(memory.OpChanges, 1)))
				}
				tries := 1
				r := endpoint.Retry(endpoint.Fake(s, c.script...), endpoint.RetryOptions{Told: func(endpoint.Op, string, int, error) { tries++ }})
				err := c.do(r)
				require.Equal(t, c.ok, err == nil, "%v", err)
				require.Equal(t, c.tries, tries)
			})
		})
	}
}

// Reading goes on where it broke, and hands out nothing twice.
func TestRetryGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(memory.Options{Batch: 2})
		require.NoError(t, s.Open(t.Context()))
		defer s.Close()
		keys := fill(s, mail.Inbox, 9, 10)
		dropped := fault.New(fault.Network, "fetch", "dropped").AsTemporary()
		s.SetHook(memory.Chain(memory.Fail(memory.OpBody, 3, dropped), memory.Fail(memory.OpBody, 7, dropped), memory.Fail(memory.OpDescribe, 1, dropped)))
		r := endpoint.Retry(s, endpoint.RetryOptions{})
		var got []mail.Key
		require.NoError(t, r.Bodies(t.Context(), inbox, keys, func(m mail.Meta, _ mail.Body) error { got = append(got, m.Key); return nil }))
		require.Equal(t, list(keys), got)
		got = nil
		require.NoError(t, r.Describe(t.Context(), inbox, keys, mail.WantSize, func(ds []mail.Description) error {
			for _, d := range ds {
				got = append(got, d.Key)
			}
			return nil
		}))
		require.Equal(t, list(keys), got)

		boom := fault.New(fault.Network, "mine", "the callee's").AsTemporary()
		n := 0
		err := r.Bodies(t.Context(), inbox, keys, func(mail.Meta, mail.Body) error { n++; return boom })
		require.Same(t, error(boom), err)
		require.Equal(t, 1, n)
	})
}

// The controllers can be built from plain data, as a worker is.
func TestStandard(t *testing.T) {
	s := server(t, memory.Options{})
	s.AddFolder("x-Work")
	s.AddFolder("x-Spam")
	var log bytes.Buffer
	var events []string
	env := worker.Env{Log: slog.New(slog.NewTextHandler(&log, nil)), Emit: func(name string, _ wire.Value) { events = append(events, name) }}
	b := endpoint.Builders{
		Drivers: map[string]endpoint.DriverBuilder{"memory": func(worker.Env, wire.Map) (driver.Store, error) { return s, nil }},
		Controllers: endpoint.Standard(func(worker.Env) endpoint.Functions {
			return endpoint.Functions{Message: func(context.Context, string, *predicate.View) (bool, error) { return true, nil }}
		}),
	}
	p := endpoint.Params{Driver: "memory", Readers: 2, Controllers: []endpoint.Controller{
		{Kind: "dry_run"},
		{Kind: "trace", Options: wire.Map{"level": "info"}},
		{Kind: "throttle", Options: wire.Map{"octets": 1e9, "calls": int64(1000)}},
		{Kind: "retry", Options: wire.Map{"tries": int64(2), "wait": int64(1)}},
		{Kind: "filter", Options: wire.Map{"folders": wire.List{"*", "!Spam"}, "messages": predicate.OnName(predicate.Fn, "f").Encode()}},
		{Kind: "nametrans", Options: wire.Map{"rename": naming.Encode([]naming.Step{{Kind: naming.StripPrefix, Prefix: "x-"}})}},
		{Kind: "fake", Options: wire.Map{"script": wire.List{wire.Map{"op": "folders", "times": int64(1), "code": "network", "temporary": true}}}},
	}}
	sent, err := wire.Encode(p.Map())
	require.NoError(t, err)
	v, err := wire.Decode(sent)
	require.NoError(t, err)
	again, err := endpoint.ParseParams(v.(wire.Map))
	require.NoError(t, err)
	store, err := b.Build(env, again)
	require.NoError(t, err)
	folders, err := store.Folders(t.Context())
	require.NoError(t, err)
	for _, f := range folders {
		require.Contains(t, []string{"INBOX", "Work", "Spam"}, f.Name)
		require.Equal(t, f.Name == "Spam", f.Hidden)
	}
	_, err = store.Commit(t.Context(), inbox, deliver(t, store, inbox, "x"))
	require.NoError(t, err)
	require.Equal(t, []string{"would"}, events)
	require.Contains(t, log.String(), "trying again")
	require.Empty(t, bodies(s, mail.Inbox))

	for _, c := range []endpoint.Controller{
		{Kind: "nothing"},
		{Kind: "nametrans", Options: wire.Map{"rename": "x"}},
		{Kind: "nametrans", Options: wire.Map{"rename": naming.Encode([]naming.Step{{Kind: naming.Pair, ToNear: "a", ToFar: "b"}})}},
		{Kind: "filter", Options: wire.Map{"folders": wire.List{"!x"}}},
		{Kind: "filter", Options: wire.Map{"folders_fn": "f"}},
		{Kind: "filter", Options: wire.Map{"messages": wire.Map{"op": "sen"}}},
		{Kind: "trace", Options: wire.Map{"level": "loud"}},
		{Kind: "throttle", Options: wire.Map{"octets": "many"}},
	} {
		_, err := b.Wrap(env, []endpoint.Controller{c}, s)
		require.Error(t, err, c.Kind)
	}
	_, err = b.Build(env, endpoint.Params{Driver: "none"})
	require.ErrorIs(t, err, fault.Config)
}
