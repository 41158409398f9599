package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	runtimetrace "runtime/trace"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imapfw/imapfw/host/fault"
)

// profile is a recording of the process, as Go's tools read it. Workers in
// processes of their own are not in it.
type profile struct {
	kind, path string
	file       *os.File // nil: nothing is recorded
}

// profileKinds are the values of --profile, with the files they are written to.
var profileKinds = [...]struct{ kind, file string }{
	{"cpu", "imapfw-cpu.pprof"}, {"mem", "imapfw-mem.pprof"}, {"trace", "imapfw-trace.out"},
}

// heapRate is the number of allocated bytes for each sample of a heap profile:
// that of the Go runtime.
const heapRate = 512 << 10

func (p *profile) flags(root *cobra.Command) {
	root.PersistentFlags().StringVar(&p.kind, "profile", "", "record a profile of `KIND` cpu, mem or trace, for go tool pprof or go tool trace")
	root.PersistentFlags().StringVar(&p.path, "profile-file", "", "write the profile to this `FILE` (default imapfw-cpu.pprof, imapfw-mem.pprof or imapfw-trace.out)")
	_ = root.RegisterFlagCompletionFunc("profile", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var kinds []string
		for _, k := range profileKinds {
			kinds = append(kinds, k.kind)
		}
		return kinds, cobra.ShellCompDirectiveNoFileComp // it fails for a flag that is not there
	})
}

// begin begins to record what was asked for. The file is made at once: where that
// fails nothing was done yet.
func (p *profile) begin() error {
	i := slices.IndexFunc(profileKinds[:], func(k struct{ kind, file string }) bool { return k.kind == p.kind })
	switch {
	case p.kind == "" && p.path == "":
		return nil
	case p.kind == "":
		return fault.New(fault.Config, "", "--profile-file needs --profile").WithHint("for example: --profile cpu")
	case i < 0:
		f := fault.New(fault.Config, "", "there is no profile of kind %q", p.kind)
		if file, ok := strings.CutPrefix(p.kind, "cpu:"); ok && file != "" {
			return f.WithHint("write --profile cpu --profile-file %s", file)
		}
		return f.WithHint("it is cpu, mem or trace; the file is named with --profile-file")
	case p.path == "":
		p.path = profileKinds[i].file
	}
	file, err := os.OpenFile(p.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.Wrap(fault.IO, "profile", err)
	}
	switch p.kind {
	case "cpu":
		err = pprof.StartCPUProfile(file)
	case "mem":
		runtime.MemProfileRate = heapRate // main has switched it off
	case "trace":
		err = runtimetrace.Start(file)
	}
	if err != nil {
		_ = file.Close()
		return fault.Wrap(fault.Internal, "profile", err)
	}
	p.file = file
	return nil
}

// end writes what was recorded, and returns what to tell about it.
func (p *profile) end() (string, error) {
	if p.file == nil {
		return "", nil
	}
	var err error
	tool := "go tool pprof -top " + p.path
	switch p.kind {
	case "cpu":
		pprof.StopCPUProfile()
	case "mem":
		runtime.GC() // what is not in use any more is not shown as in use
		err = pprof.Lookup("heap").WriteTo(p.file, 0)
		tool = "go tool pprof -top -sample_index=alloc_space " + p.path
	case "trace":
		runtimetrace.Stop()
		tool = "go tool trace " + p.path
	}
	if cerr := p.file.Close(); err == nil {
		err = cerr
	}
	p.file = nil
	if err != nil {
		return "", fault.Wrap(fault.IO, "write profile", err)
	}
	path, err := filepath.Abs(p.path)
	if err != nil {
		path = p.path
	}
	return fmt.Sprintf("imapfw: the profile is in %s; read it with: %s", path, tool), nil
}
