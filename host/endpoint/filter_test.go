package endpoint_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/predicate"
)

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
