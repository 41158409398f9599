package engine_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

func part(d *engine.PlanDocument, name engine.Text) *engine.DocPart {
	for i := range d.Folders {
		if d.Folders[i].Name == name {
			return &d.Folders[i]
		}
	}
	return nil
}

// What does not fit together was changed by hand, and is refused.
func TestPlansThatDoNotFit(t *testing.T) {
	f := eventful(t, "imap-maildir").plan()
	good, err := f.Encode()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(d *engine.PlanDocument)
		why    string
	}{
		"a message less":    {func(d *engine.PlanDocument) { part(d, "INBOX").Steps[0].Messages[0].UIDs = "9:10" }, "it says 3 messages, and names 2"},
		"another operation": {func(d *engine.PlanDocument) { part(d, "INBOX").Steps[0].Op = "fly" }, `"fly" is no operation`},
		"another side":      {func(d *engine.PlanDocument) { part(d, "INBOX").Steps[0].Side = "far" }, "a pull that writes the far side"},
		"no side":           {func(d *engine.PlanDocument) { part(d, "INBOX").Steps[0].Side = "left" }, "no side"},
		"a target":          {func(d *engine.PlanDocument) { part(d, "INBOX").Steps[0].To = "Trash" }, `a pull to "Trash"`},
		"flags":             {func(d *engine.PlanDocument) { part(d, "INBOX").Steps[0].Add = []string{`\Seen`} }, "a pull of the flags"},
		"no flags":          {func(d *engine.PlanDocument) { part(d, "INBOX").Steps[0].Messages[0].Flags = []string{`\Fast`} }, "are no flags"},
		"a step twice":      {func(d *engine.PlanDocument) { part(d, "INBOX").Steps[1].ID = part(d, "INBOX").Steps[0].ID }, "there twice"},
		"a folder twice":    {func(d *engine.PlanDocument) { d.Folders[0].Name = "INBOX" }, "there twice"},
		"a message twice": {func(d *engine.PlanDocument) {
			s := &part(d, "INBOX").Steps[0]
			s.Messages = append(s.Messages, s.Messages...)
			s.Count *= 2
		}, "there twice"},
		"UIDs out of order":  {func(d *engine.PlanDocument) { part(d, "INBOX").Steps[0].Messages[0].UIDs = "11,9:10" }, "no ascending list"},
		"all UIDs":           {func(d *engine.PlanDocument) { part(d, "INBOX").Steps[0].Messages[0].UIDs = "1:4294967295" }, "names 4294967295"},
		"no UID":             {func(d *engine.PlanDocument) { part(d, "INBOX").Steps[0].Messages[0].UIDs = "one" }, "no ascending list"},
		"an empty name":      {func(d *engine.PlanDocument) { part(d, "INBOX").Steps[0].Messages[0].Names = []engine.Text{""} }, "out of place"},
		"a state without id": {func(d *engine.PlanDocument) { d.State.ID = "" }, "its state is"},
		"an operation once":  {func(d *engine.PlanDocument) { d.Once.Pull = &[]string{"news"} }, `"news" is no operation`},
		"a form":             {func(d *engine.PlanDocument) { part(d, "INBOX").Steps[0].Form = "round" }, "of the form"},
		"an expiry":          {func(d *engine.PlanDocument) { part(d, "INBOX").Steps[0].Expiry = true }, "an expiry that is"},
		"a row":              {func(d *engine.PlanDocument) { part(d, "INBOX").Rows = []engine.DocRow{{Note: "1"}} }, "without a number"},
		"a pair":             {func(d *engine.PlanDocument) { part(d, "INBOX").Pairs = []engine.DocRow{{Far: "1"}} }, "lacks a side"},
		"no account":         {func(d *engine.PlanDocument) { d.Account = "" }, "without a name"},
	} {
		g, err := engine.ParsePlan(good)
		require.NoError(t, err)
		c.change(&g.Accounts[0])
		data, err := g.Encode()
		require.NoError(t, err)
		_, err = engine.ParsePlan(data)
		require.ErrorIs(t, err, fault.Config, name)
		require.ErrorContains(t, err, c.why, name)
	}
	for text, why := range map[string]string{
		``:                                 "no plan of imapfw",
		`{}`:                               "no plan of imapfw",
		`[]`:                               "no plan of imapfw",
		`{"imapfw_plan": 2, "more": true}`: "it is of version 2, and this imapfw knows version 1 (make a new plan)",
		`{"imapfw_plan": 1, "more": true}`: `unknown field "more"`,
		string(good) + "{}":                "no plan of imapfw",
	} {
		_, err := engine.ParsePlan([]byte(text))
		require.ErrorIs(t, err, fault.Config, text)
		require.ErrorContains(t, err, why)
	}
}

// Names and keys are bytes, and none of them is lost.
func TestTextOfAPlanIsBytes(t *testing.T) {
	var every []byte
	for c := range 256 {
		every = append(every, byte(c))
	}
	for _, text := range []string{"", "plain", "é", "\x00\n\"\\\u2028<&>", "\xff\xfe", "a\xc3(", string(every), "{\"base64\"", "\ufffd"} {
		data, err := json.Marshal(engine.Text(text))
		require.NoError(t, err)
		var got engine.Text
		require.NoError(t, json.Unmarshal(data, &got), "%s", data)
		require.Equal(t, text, string(got))
	}
	for _, bad := range []string{`{}`, `{"base64": null}`, `{"base64": "!"}`, `{"base64": "", "more": 1}`, `null`, `1`} {
		var got engine.Text
		require.Error(t, json.Unmarshal([]byte(bad), &got), bad)
	}
}

func FuzzParsePlan(f *testing.F) {
	w := eventful(f, "imap-maildir")
	w.hooks.OnPlan = func(_ context.Context, p *engine.Plan) error {
		for _, s := range p.Steps(engine.OpFlag, "INBOX", 0) {
			_ = p.Narrow(s.ID, mail.Flags{System: s.Add.System}, mail.Flags{}, "")
		}
		return nil
	}
	data, err := w.plan().Encode()
	require.NoError(f, err)
	f.Add(data)
	f.Add([]byte(`{"imapfw_plan":1,"accounts":[{"account":{"base64":"/w=="},"state":{"run":0},"folders":[{"name":"A","steps":[{"id":1,"op":"pull","side":"near","count":3,"messages":[{"flags":["a"],"uids":"1:2","names":["x"]}]}]}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		plan, err := engine.ParsePlan(data)
		if err != nil {
			require.Equal(t, fault.Config, fault.CodeOf(err))
			return
		}
		// What was understood means the same when it is written and read again.
		again, err := plan.Encode()
		require.NoError(t, err)
		other, err := engine.ParsePlan(again)
		require.NoError(t, err, string(again))
		twice, err := other.Encode()
		require.NoError(t, err)
		require.Equal(t, string(again), string(twice))
	})
}
