package drivertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// testEpochPinned calls everything with an epoch that is not the folder's.
func testEpochPinned(t *testing.T, e *env) {
	ref := e.create(t, "F")
	keys := e.add(t, ref, text(1))
	e.create(t, "To")
	e.requireStale(t, mail.Ref{Name: "F", Epoch: ref.Epoch + "9"}, keys[0])
	require.Equal(t, subjects(1), e.subjects(t, ref), "nothing was done")
	require.Empty(t, e.subjects(t, e.pin(t, "To")))
}

func (e *env) requireStale(t *testing.T, stale mail.Ref, key mail.Key) {
	t.Helper()
	set := mail.NewKeySet(key)
	_, err := e.store.Changes(e.ctx, stale, "", func([]mail.Meta) error { return nil })
	require.ErrorIs(t, err, fault.EpochChanged, "Changes")
	err = e.store.Describe(e.ctx, stale, set, mail.WantHeader, func([]mail.Description) error { return nil })
	require.ErrorIs(t, err, fault.EpochChanged, "Describe")
	err = e.store.Bodies(e.ctx, stale, set, func(mail.Meta, mail.Body) error { return nil })
	require.ErrorIs(t, err, fault.EpochChanged, "Bodies")
	_, err = e.store.Reserve(e.ctx, stale, 1)
	require.ErrorIs(t, err, fault.EpochChanged, "Reserve")
	for _, c := range []mail.Change{
		{Key: key, Op: mail.ChangeFlags, Add: mail.NewFlags(`\Seen`)},
		{Key: key, Op: mail.ChangeRemove},
		{Key: key, Op: mail.ChangeMove, To: "To"},
	} {
		_, err = e.store.Change(e.ctx, stale, []mail.Change{c})
		require.ErrorIs(t, err, fault.EpochChanged, "Change")
	}
	d, err := e.store.Deliver(e.ctx, stale, mail.Meta{}, bodyOf(text(2).Body, mail.LF))
	if err == nil {
		_, err = e.store.Commit(e.ctx, stale, []driver.Delivery{d})
	}
	require.ErrorIs(t, err, fault.EpochChanged, "Deliver and Commit")
}

func testEpochRecreated(t *testing.T, e *env) {
	e.need(t, "recreate a folder", e.place.Recreate != nil)
	old := e.create(t, "F")
	keys := e.add(t, old, texts(0, 2)...)
	e.create(t, "To")
	e.place.Recreate(t, "F")
	ref := e.pin(t, "F")
	require.NotEqual(t, old.Epoch, ref.Epoch, "a folder that was made anew has another epoch")
	e.requireStale(t, old, keys[0])
	require.Empty(t, e.subjects(t, ref))
	e.add(t, ref, text(3))
	require.Equal(t, ref, e.pin(t, "F"), "which stays")
	require.Equal(t, subjects(3), e.subjects(t, ref))
}
