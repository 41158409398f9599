package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
	"github.com/imapfw/imapfw/host/wire"
)

// String says in one line what an alarm is about.
func (a *Alarm) String() string {
	if len(a.Dangers) == 0 {
		return "nothing"
	}
	text := a.Dangers[0].String()
	if n := len(a.Dangers) - 1; n > 0 {
		text += fmt.Sprintf(", and %d more", n)
	}
	return text
}

func (d Danger) String() string {
	switch d.Kind {
	case DangerRemovals:
		return fmt.Sprintf("%d of the %d messages in %q would be removed on the %s side", d.Count, d.Of, d.Folder, d.Side)
	case DangerEmptied:
		return fmt.Sprintf("%q is empty on the %s side, which held %d messages; %d would be removed on the %s side",
			d.Folder, d.Side, d.Of, d.Count, d.Side.Other())
	case DangerSide:
		return fmt.Sprintf("the %s side is empty; it held %d messages", d.Side, d.Of)
	case DangerVanished:
		return fmt.Sprintf("the %s side is not there; it held %d messages", d.Side, d.Of)
	case DangerAccount:
		return fmt.Sprintf("%d messages would be removed in all", d.Count)
	case DangerAllowed:
		return fmt.Sprintf("%d messages would be removed, where %d were allowed", d.Count, d.Of)
	case DangerUploads:
		return fmt.Sprintf("%d messages would be uploaded to a side that was never in step with them", d.Count)
	}
	return string(d.Kind)
}

// Value returns a danger as plain data.
func (d Danger) Value() wire.Map {
	side := ""
	if d.Side != 0 {
		side = d.Side.String()
	}
	return wire.Map{"kind": string(d.Kind), "folder": d.Folder, "side": side, "count": int64(d.Count), "of": int64(d.Of), "text": d.String()}
}

// shownDangers and shownExamples bound what is told of an alarm: it must fit on
// a screen.
const (
	shownDangers  = 8
	shownExamples = 3
)

// example is one message that would be lost.
type example struct {
	folder, from, subject string
	date                  time.Time
}

// value returns an alarm as plain data, for whoever shows it.
func (a *Alarm) value(last state.Run, examples []example) wire.Map {
	dangers, shown := wire.List{}, wire.List{}
	for i, d := range a.Dangers {
		if i == shownDangers {
			break
		}
		dangers = append(dangers, d.Value())
	}
	for _, e := range examples {
		shown = append(shown, wire.Map{"folder": e.folder, "from": e.from, "subject": e.subject, "date": unix(e.date)})
	}
	return wire.Map{
		"text": a.String(), "dangers": dangers, "more": int64(max(len(a.Dangers)-shownDangers, 0)),
		"removals": int64(a.Removals), "allowed": int64(a.Allowed), "examples": shown,
		"last_run": last.ID, "last_time": unix(last.Began),
		"limits": wire.Map{"max": int64(a.Limits.Max), "share": a.Limits.Share, "hard": int64(a.Limits.Hard),
			"account": int64(a.Limits.Account), "new": int64(a.Limits.New)},
	}
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// err is what stops the run.
func (a *Alarm) err() *fault.Error {
	e := fault.New(fault.Guard, "guard", "nothing was written: %s", a)
	for _, d := range a.Dangers {
		if d.Kind == DangerVanished {
			return e.WithHint("mount or restore it and run again; if it is to be filled anew, remove the account's state first")
		}
	}
	if a.Removals > 0 {
		return e.WithHint("restore what is missing; if it is meant: --allow-removals %d", a.Removals)
	}
	return e.WithHint("if it is meant, change the option guard")
}

// plain makes text of a message fit to be shown in a line.
func plain(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return text
}
