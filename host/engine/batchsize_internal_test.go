package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBatchesFollowTheRate(t *testing.T) {
	var size batchSize
	require.Equal(t, batchMessages, size.messages())
	for range 10 {
		size.took(time.Millisecond)
	}
	require.Equal(t, largestMessages, size.messages())
	require.EqualValues(t, 32<<20, size.bytes())
	size.took(time.Second)
	require.Equal(t, largestMessages, size.messages(), "neither quick nor slow")
	for range 10 {
		size.took(time.Minute)
	}
	require.Equal(t, batchMessages, size.messages())
}
