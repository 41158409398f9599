package state

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A folder is read in the order of an index, and single rows are found by one:
// nothing is sorted, so memory does not grow with the folder.
func TestQueriesUseIndexes(t *testing.T) {
	db := New(Options{Dir: t.TempDir()})
	require.NoError(t, db.Open(t.Context()))
	defer db.Close()
	conn, err := db.dial()
	require.NoError(t, err)
	defer conn.Close()
	for query, index := range map[string]string{
		loadFar: "messages_far", loadNear: "messages_near", findOdd: "messages_odd",
		findFar: "messages_far", findNear: "messages_near", findLastFar: "messages_far", findLastNear: "messages_near",
		knownFar: "messages_far", knownNear: "messages_far", oddFar: "messages_odd", oddNear: "messages_odd",
		knownFarOfAll: "SCAN messages", knownNearOfAll: "SCAN messages", // in the order in which they are on the disk
	} {
		stmt, _, err := conn.PrepareTransient("EXPLAIN QUERY PLAN " + query)
		require.NoError(t, err)
		var plan string
		require.NoError(t, eachRow(stmt, func() error { plan += stmt.ColumnText(3) + "\n"; return nil }))
		require.NoError(t, stmt.Finalize())
		require.Contains(t, plan, index)
		require.NotContains(t, plan, "TEMP B-TREE")
	}
}
