package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/luaapi"
)

// outcome is what one engine reported at its end.
type outcome struct {
	account string
	report  wire.Map
	stopped bool // it could not be done to its end
}

func (o outcome) number(field string) int64 {
	n, _ := o.report[field].(int64)
	return n
}

// failed is the number of failures, without those that are told as refused.
func (o outcome) failed() int64 {
	failures, _ := o.report["failures"].(wire.List)
	n := int64(0)
	for _, v := range failures {
		if f, ok := v.(*fault.Error); !ok || !f.Final {
			n++
		}
	}
	return n
}

// line is the one line that tells what a sync did.
func (o outcome) line(took time.Duration) string {
	var parts []string
	add := func(n int64, what string) {
		if n == 1 {
			what = strings.Replace(what, "folders", "folder", 1)
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(o.number("pulled"), "pulled")
	add(o.number("pushed"), "pushed")
	add(o.number("flags_near")+o.number("flags_far"), "flags changed")
	add(o.number("moved_near"), "moved here")
	add(o.number("moved_far"), "moved there")
	add(o.number("removed_near"), "removed here")
	add(o.number("removed_far"), "removed there")
	add(o.number("expired"), "not kept here any more")
	add(o.number("created"), "folders created")
	add(o.number("renamed"), "folders renamed")
	add(o.number("folders_removed"), "folders removed")
	add(o.number("restored"), "restored")
	add(o.failed(), "FAILED")
	switch {
	case o.stopped:
		parts = append(parts, "STOPPED")
	case len(parts) == 0:
		parts = append(parts, "nothing to do")
	}
	add(o.number("refused"), "REFUSED and set aside")
	return fmt.Sprintf("%s: %s (%s)", o.account, strings.Join(parts, ", "), took.Round(10*time.Millisecond))
}

// planLines prints a plan that was not carried out.
func planLines(w io.Writer, account string, plan wire.Map) {
	steps, _ := plan["steps"].(wire.List)
	if len(steps) == 0 {
		fmt.Fprintf(w, "%s: nothing to do\n", account)
	}
	for _, v := range steps {
		s, _ := v.(wire.Map)
		fmt.Fprintf(w, "%s: %-6s %-4s %q%s %v%s: %v\n", account, s["op"], s["side"], s["folder"], toWords(s), s["count"], flagWords(s), s["reason"])
	}
}

// toWords names the other folder of a move or a renaming.
func toWords(step wire.Map) string {
	if to, _ := step["to"].(string); to != "" {
		return fmt.Sprintf(" -> %q", to)
	}
	return ""
}

func flagWords(step wire.Map) string {
	var b strings.Builder
	for _, field := range []struct{ name, sign string }{{"add", "+"}, {"remove", "-"}} {
		flags, _ := step[field.name].(wire.List)
		for _, f := range flags {
			fmt.Fprintf(&b, " %s%v", field.sign, f)
		}
	}
	return b.String()
}

// writeJSON prints what happened for a program to read.
func writeJSON(w io.Writer, result luaapi.Result, outcomes []outcome, plans map[string]wire.Map, alarms []alarm, timings *timings) error {
	type account struct {
		Account string   `json:"account"`
		Report  wire.Map `json:"report"`
		Plan    any      `json:"plan,omitempty"`
		Guard   any      `json:"guard,omitempty"`
	}
	doc := struct {
		ExitCode int       `json:"exit_code"`
		Error    string    `json:"error,omitempty"`
		Code     string    `json:"error_code,omitempty"`
		Accounts []account `json:"accounts"`
		Timing   any       `json:"timing,omitempty"`
	}{ExitCode: result.ExitCode, Accounts: []account{}, Timing: timings.value()}
	if result.Err != nil {
		doc.Error, doc.Code = result.Err.Error(), string(fault.CodeOf(result.Err))
	}
	for _, o := range outcomes {
		a := account{Account: o.account, Report: textual(o.report).(wire.Map)}
		if p, ok := plans[o.account]; ok {
			a.Plan = textual(p)
		}
		for _, one := range alarms {
			if one.account == o.account {
				a.Guard = textual(one.data)
			}
		}
		doc.Accounts = append(doc.Accounts, a)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

// textual makes a value fit for JSON: faults become objects, byte strings that
// are not UTF-8 are repaired by the encoder.
func textual(v wire.Value) any {
	switch v := v.(type) {
	case wire.Map:
		out := wire.Map{}
		for k, e := range v {
			out[k] = textual(e)
		}
		return out
	case wire.List:
		out := make(wire.List, len(v))
		for i, e := range v {
			out[i] = textual(e)
		}
		return out
	case *fault.Error:
		return wire.Map{"code": string(v.Code), "message": v.Error(), "folder": v.Folder, "key": v.Key, "temporary": v.Temporary, "final": v.Final}
	}
	return v
}
