package drivertest

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
)

// seen is a message as the driver hands it out.
type seen struct {
	meta mail.Meta
	body []byte
}

// list returns what a full reading of the folder says, checking its order.
func (e *env) list(t *testing.T, ref mail.Ref) (map[mail.Key]mail.Meta, mail.Result) {
	t.Helper()
	out := map[mail.Key]mail.Meta{}
	var last mail.Key
	res, err := e.store.Changes(e.ctx, ref, "", func(metas []mail.Meta) error {
		require.NotEmpty(t, metas, "no empty batch")
		for _, m := range metas {
			require.Less(t, last, m.Key, "keys ascend, none comes twice")
			last = m.Key
			out[m.Key] = m
		}
		return nil
	})
	require.NoError(t, err)
	require.True(t, res.Complete, "a reading from the beginning is complete")
	require.False(t, res.Unsure)
	require.True(t, res.Gone.Empty())
	return out, res
}

func (e *env) keys(t *testing.T, ref mail.Ref) mail.KeySet {
	t.Helper()
	metas, _ := e.list(t, ref)
	var set mail.KeySet
	for key := range metas {
		set.Add(key)
	}
	return set
}

// read returns every message of the folder.
func (e *env) read(t *testing.T, ref mail.Ref) map[mail.Key]seen {
	t.Helper()
	return e.bodies(t, ref, e.keys(t, ref))
}

func (e *env) bodies(t *testing.T, ref mail.Ref, keys mail.KeySet) map[mail.Key]seen {
	t.Helper()
	out := map[mail.Key]seen{}
	require.NoError(t, e.store.Bodies(e.ctx, ref, keys, func(m mail.Meta, b mail.Body) error {
		require.True(t, keys.Contains(m.Key), "only what was asked for")
		require.NotContains(t, out, m.Key)
		require.Equal(t, e.h.LineEnds, b.LineEnds)
		content, err := io.ReadAll(b)
		require.NoError(t, err)
		require.EqualValues(t, len(content), b.Size, "Size is what was read")
		out[m.Key] = seen{m, content}
		return nil
	}))
	return out
}

// subjects returns the folder's subjects, sorted: who is there, in short.
func (e *env) subjects(t *testing.T, ref mail.Ref) []string {
	t.Helper()
	out := []string{}
	for _, m := range e.read(t, ref) {
		_, rest, _ := strings.Cut(string(m.body), "Subject: ")
		subject, _, _ := strings.Cut(rest, "\n")
		out = append(out, strings.TrimSuffix(subject, "\r"))
	}
	slices.Sort(out)
	return out
}

func subjects(numbers ...int) []string {
	out := []string{}
	for _, n := range numbers {
		out = append(out, fmt.Sprintf("message %d", n))
	}
	slices.Sort(out)
	return out
}
