package drivertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
)

// tracker is what an engine knows of a folder: the flags of the messages it has
// been told of, and where it stood.
type tracker struct {
	ref    mail.Ref
	cursor mail.Cursor
	flags  map[mail.Key]mail.Flags
	told   map[mail.Key]bool // handed out by the last reading
	res    mail.Result
}

func track(ref mail.Ref) *tracker {
	return &tracker{ref: ref, flags: map[mail.Key]mail.Flags{}}
}

// catchUp reads what changed, and believes it.
func (k *tracker) catchUp(t *testing.T, e *env) {
	t.Helper()
	k.told = map[mail.Key]bool{}
	var last mail.Key
	res, err := e.store.Changes(e.ctx, k.ref, k.cursor, func(metas []mail.Meta) error {
		for _, m := range metas {
			require.Less(t, last, m.Key, "keys ascend")
			last = m.Key
			k.told[m.Key] = true
			k.flags[m.Key] = m.Flags
		}
		return nil
	})
	require.NoError(t, err)
	require.False(t, res.Unsure, "nobody else was at work")
	require.False(t, res.Rewound)
	for key := range res.Gone.All() {
		require.False(t, k.told[key], "a message is not handed out and gone at once")
		delete(k.flags, key)
	}
	if res.Complete {
		for key := range k.flags {
			if !k.told[key] && !res.Present.Contains(key) {
				delete(k.flags, key)
			}
		}
	}
	k.cursor, k.res = res.Cursor, res
}

func (k *tracker) check(t *testing.T, truth map[mail.Key]mail.Flags) {
	t.Helper()
	require.Len(t, k.flags, len(truth))
	for key, want := range truth {
		got, ok := k.flags[key]
		require.Truef(t, ok, "%s is there", key)
		requireFlags(t, want, got)
	}
}
