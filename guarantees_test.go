package imapfw_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every test and folder of scenarios that docs/guarantees.md names exists.
func TestGuarantees(t *testing.T) {
	page, err := os.ReadFile("docs/guarantees.md")
	require.NoError(t, err)
	there := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(source, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	require.NoError(t, err)
	names := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(string(page), -1)
	require.NotEmpty(t, names)
	for _, m := range names {
		if !there[m[1]] {
			t.Errorf("docs/guarantees.md names %s, which is no test", m[1])
		}
	}
	for _, m := range regexp.MustCompile("scenarios in `(\\w+)`").FindAllStringSubmatch(string(page), -1) {
		require.DirExists(t, filepath.Join("luaapi/scenario/testdata", m[1]))
	}
}
