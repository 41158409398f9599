package spool

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// sizesFile remembers how large the runs are, so that not every message of weeks is
// looked at again whenever one is removed. A run is known by its number and by the
// time of its folder, which is another one when anything in it came or went. The file
// can be lost at any time.
const sizesFile = ".sizes"

// tooYoung is how old the time of a folder has to be to tell it from any later one:
// clocks of file systems are coarse.
const tooYoung = 2 * time.Second

type measured struct{ id, last int64 }

// measure fills in the sizes of runs.
func (s *Spool) measure(runs []kept) error {
	known := s.sizes()
	var text strings.Builder
	fresh := false
	for i := range runs {
		r := &runs[i]
		m := measured{r.id, r.last.UnixNano()}
		size, ok := known[m]
		if !ok {
			var err error
			if size, err = s.sizeOf(r.path); err != nil {
				return err
			}
		}
		r.size = size
		if time.Since(r.last) > tooYoung {
			fresh = fresh || !ok
			fmt.Fprintln(&text, m.id, m.last, size)
		}
	}
	if fresh {
		s.remember(text.String())
	}
	return nil
}

// remember replaces the file. Where that fails, the next run measures again.
func (s *Spool) remember(text string) {
	path := filepath.Join(s.dir, sizesFile)
	if os.WriteFile(path+".new", []byte(text), 0o600) == nil {
		_ = os.Rename(path+".new", path)
	}
}

// sizes reads what was remembered. A line that is not whole is none.
func (s *Spool) sizes() map[measured]int64 {
	text, err := os.ReadFile(filepath.Join(s.dir, sizesFile))
	if err != nil {
		return nil
	}
	known := map[measured]int64{}
	for line := range strings.Lines(string(text)) {
		var numbers [3]int64
		fields := strings.Fields(line)
		good := len(fields) == len(numbers) && strings.HasSuffix(line, "\n")
		for i := 0; good && i < len(numbers); i++ {
			numbers[i], err = strconv.ParseInt(fields[i], 10, 64)
			good = err == nil && numbers[i] >= 0
		}
		if good {
			known[measured{numbers[0], numbers[1]}] = numbers[2]
		}
	}
	return known
}

// sizeOf adds up what is kept of a run.
func (s *Spool) sizeOf(dir string) (size int64, _ error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return 0, s.fault("look at what is kept for undo", err)
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil { // else it went meanwhile
			size += info.Size()
		}
	}
	return size, nil
}
