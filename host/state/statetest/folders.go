package statetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

func record(far string) *state.Folder {
	return &state.Folder{
		Far: far, Near: "near/" + far,
		FarEpoch: "17", NearEpoch: "stamp",
		FarCursor: mail.Cursor("cursor of " + far), NearCursor: "\x00\xff any bytes",
		Policy: "policy",
		FarID:  "F" + far, NearID: "N" + far,
	}
}

// testRefused counts what was refused or is ambiguous, as rows become so and stop being so.
func testRefused(t *testing.T, s state.Store) {
	put := rows(0, 3)
	put[1].Status, put[1].Near, put[1].Note = state.StatusRefused, "", "NO too large"
	put[2].Status, put[2].Near, put[2].Note = state.StatusAmbiguous, "", "header x"
	c := &state.Change{Folder: record("INBOX"), Put: put}
	commit(t, s, "INBOX", c)
	require.Equal(t, 1, folders(t, s)[0].Refused)
	require.Equal(t, 1, folders(t, s)[0].Ambiguous)
	require.Equal(t, c.Put[1], load(t, s, "INBOX", state.Far)[1])
	again := c.Put[1]
	again.Status, again.Near, again.Note = state.StatusPair, "near.1", ""
	commit(t, s, "INBOX", &state.Change{Put: []state.Row{again}})
	require.Zero(t, folders(t, s)[0].Refused)
	require.Equal(t, again, load(t, s, "INBOX", state.Far)[1])
}

func testFolders(t *testing.T, s state.Store) {
	for _, far := range []string{"Work", "INBOX", "Étude", "archive"} {
		commit(t, s, far, &state.Change{Folder: record(far)})
	}
	commit(t, s, "no record", &state.Change{Put: rows(0, 1)})
	want := []state.Folder{*record("INBOX"), *record("Work"), *record("archive"), {Far: "no record", Messages: 1}, *record("Étude")}
	require.Equal(t, want, folders(t, s), "ordered by far name")

	second := record("Work")
	second.FarEpoch, second.NearCursor = "18", ""
	second.Open = 12 // is not ours to set
	commit(t, s, "Work", &state.Change{Folder: second})
	want[1].FarEpoch, want[1].NearCursor = "18", ""
	reopen(t, s)
	require.Equal(t, want, folders(t, s))

	requireCode(t, fault.Internal, s.Commit(t.Context(), "", &state.Change{Put: rows(0, 1)}))
	requireCode(t, fault.Internal, s.Commit(t.Context(), "Work", &state.Change{Folder: &state.Folder{Near: "x"}}))
	require.Equal(t, want, folders(t, s))
}

func testRename(t *testing.T, s state.Store) {
	commit(t, s, "Old", &state.Change{Folder: record("Old"), Put: rows(0, 3), Intend: []state.Intent{intent(1)}})
	commit(t, s, "Other", &state.Change{Folder: record("Other"), Put: rows(5, 6)})

	requireCode(t, fault.Exists, s.Commit(t.Context(), "Old", &state.Change{Folder: record("Other"), Put: rows(7, 9)}))
	require.Len(t, load(t, s, "Old", state.Far), 3)
	require.Len(t, load(t, s, "Other", state.Far), 1)

	commit(t, s, "Old", &state.Change{Folder: record("New"), Put: rows(3, 4)})
	reopen(t, s)
	require.Empty(t, load(t, s, "Old", state.Far))
	require.Empty(t, intents(t, s, "Old"))
	require.Len(t, load(t, s, "New", state.Far), 4)
	require.Len(t, intents(t, s, "New"), 1)
	want := *record("New")
	other := *record("Other")
	want.Open, want.Messages, other.Messages = 1, 4, 1
	require.Equal(t, []state.Folder{want, other}, folders(t, s))
}

func testForget(t *testing.T, s state.Store) {
	for _, far := range []string{"INBOX", "Work"} {
		commit(t, s, far, &state.Change{Folder: record(far), Put: rows(0, 5), Intend: []state.Intent{intent(1)}})
	}
	commit(t, s, "INBOX", &state.Change{Forget: true})
	reopen(t, s)
	require.Empty(t, load(t, s, "INBOX", state.Far))
	require.Empty(t, intents(t, s, "INBOX"))
	require.Len(t, folders(t, s), 1)
	require.Len(t, load(t, s, "Work", state.Near), 5, "another folder was forgotten too")
	require.Len(t, intents(t, s, "Work"), 1)

	// Forgetting comes first: the rest of the change is the folder's new life.
	c := &state.Change{Forget: true, Folder: record("Work"), Put: rows(0, 2)}
	commit(t, s, "Work", c)
	want := *record("Work")
	want.Messages = 2
	require.Equal(t, []state.Folder{want}, folders(t, s))
	require.Equal(t, c.Put, load(t, s, "Work", state.Far))
}

// testMarks changes rows: the marks in the cursors go, and nothing else.
func testMarks(t *testing.T, s state.Store) {
	marked := record("INBOX")
	marked.FarCursor, marked.NearCursor = "far", "near 2#0123456789abcdef0123456789abcdef"
	commit(t, s, "INBOX", &state.Change{Folder: marked, Intend: []state.Intent{intent(1)}})
	require.Equal(t, marked.NearCursor, folders(t, s)[0].NearCursor)
	put := &state.Change{Put: rows(1, 3)}
	for _, c := range []*state.Change{put, {Drop: []int64{1}}, {Folder: marked, Put: rows(5, 7)}} {
		commit(t, s, "INBOX", &state.Change{Folder: marked})
		commit(t, s, "INBOX", c)
		is := folders(t, s)[0]
		require.EqualValues(t, "near 2", is.NearCursor)
		require.EqualValues(t, "far", is.FarCursor)
	}
}
