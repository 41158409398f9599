package maildir

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEnds(t *testing.T) {
	var es ends
	for range 3 {
		for _, name := range []string{"1.a:2,S", "2.b:2,", "3.c:2,Sa", "4.d"} {
			es.add(newEntry(name, name == "4.d", ':'))
		}
	}
	require.Len(t, es.list, 4)
	require.False(t, es.many)
	require.Equal(t, letterBits("a"), es.letters)

	folded := es.with(ends{list: []end{{text: ":2,sA"}}})
	require.True(t, folded.many, "a file system may take one name for the other")
	require.False(t, es.many)

	for i := range mostEnds {
		es.add(newEntry(fmt.Sprintf("5.e:2,%d", i), false, ':'))
	}
	es.add(newEntry("6.f:2,z", false, ':'))
	require.True(t, es.many)
	require.Equal(t, letterBits("az"), es.letters, "a letter that is in use is not given to another keyword")
}
