package scenario_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/wire"
)

// once is what the command line says about one run.
type once struct {
	engine.Once
	job  engine.Job
	args wire.Map
}

// parseOnce reads a command as a user types it, such as
//
//	sync --only new,flags --pull --allow-removals 20 INBOX Work
//	undo 3
//
// up to the exit code.
func parseOnce(args []string) (once, error) {
	var o once
	if end := slices.Index(args, "->"); end >= 0 {
		args = args[:end]
	}
	if args[0] == "undo" {
		o.job, o.args = engine.JobUndo, wire.Map{"run": int64(0)}
		if len(args) > 1 {
			n, err := strconv.ParseInt(args[1], 10, 64)
			o.args["run"] = n
			return o, err
		}
		return o, nil
	}
	o.Pull, o.Push = engine.OpsAll, engine.OpsAll
	for args = args[1:]; len(args) > 0; args = args[1:] {
		value := ""
		if len(args) > 1 {
			value = args[1]
		}
		var err error
		switch args[0] {
		case "--only":
			o.Pull, err = engine.ParseOps(strings.Split(value, ",")...)
			o.Push, o.NarrowPull, o.NarrowPush = o.Pull, true, true
			args = args[1:]
		case "--pull":
			o.Push, o.NarrowPush = engine.OpsNone, true
		case "--push":
			o.Pull, o.NarrowPull = engine.OpsNone, true
		case "--allow-removals":
			o.AllowRemovals, err = strconv.Atoi(value)
			args = args[1:]
		default:
			if strings.HasPrefix(args[0], "-") {
				err = fmt.Errorf("there is no option %s", args[0])
			}
			o.Folders = append(o.Folders, args[0])
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}
