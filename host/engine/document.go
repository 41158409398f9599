package engine

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
)

// PlanVersion is the version of the documents that this package writes, and the
// only one that it reads.
const PlanVersion = 1

// PlanFile is a plan as a document: what was planned for each account, and what
// it was made from. It says which steps to take; how they are taken, and whether
// they still can be, is found out when it is applied, by planning again. So
// nothing in it is believed, and steps may be deleted from it.
type PlanFile struct {
	Version  int            `json:"imapfw_plan"`
	Made     time.Time      `json:"made"`
	By       string         `json:"by"`  // the version of imapfw
	App      Text           `json:"app"` // the path of the app's file
	Accounts []PlanDocument `json:"accounts"`
}

// PlanDocument is the plan of one account.
type PlanDocument struct {
	Account Text      `json:"account"`
	State   DocState  `json:"state"`
	Options string    `json:"options"` // digest of everything that a plan depends on
	Once    DocOnce   `json:"once"`
	LeftOut []Text    `json:"left_out,omitempty"` // folders, by the script
	Folders []DocPart `json:"folders"`
}

// DocState names the state that a plan was made from.
type DocState struct {
	ID  string `json:"id,omitempty"` // empty where there was none yet
	Run int64  `json:"run"`
}

// DocOnce is what the command line said when the plan was made; nil is nothing.
type DocOnce struct {
	Pull    *[]string `json:"pull,omitempty"`
	Push    *[]string `json:"push,omitempty"`
	Folders *[]Text   `json:"folders,omitempty"`
}

// DocPart is the plan of one folder: its steps, and what will be recorded.
type DocPart struct {
	Name Text    `json:"name"`
	Far  DocSide `json:"far"`
	Near DocSide `json:"near"`
	// Anew says that the folder is paired anew: all that was known is forgotten.
	Anew      bool          `json:"anew,omitempty"`
	Steps     []DocStep     `json:"steps"`
	Decisions []DocDecision `json:"decisions,omitempty"` // of the script, about conflicts
	// Pairs are messages that were found to be on both sides already, Rows are
	// rows of the state that change without anything to do, Forget those that
	// go, Settle intents that are resolved.
	Pairs  []DocRow `json:"pairs,omitempty"`
	Rows   []DocRow `json:"rows,omitempty"`
	Forget []int64  `json:"forget,omitempty"`
	Settle []int64  `json:"settle,omitempty"`
}

// DocSide is one side of a folder as it was when the plan was made.
type DocSide struct {
	Epoch  Text `json:"epoch,omitempty"`
	Cursor Text `json:"cursor,omitempty"`
	Count  int  `json:"count"`
}

// DocStep is one step. Count is the number of its messages, 1 for a folder.
type DocStep struct {
	ID       int           `json:"id"`
	Op       Op            `json:"op"`
	Side     string        `json:"side"`
	To       Text          `json:"to,omitempty"`
	Add      []string      `json:"add,omitempty"`
	Remove   []string      `json:"remove,omitempty"`
	Narrowed *DocFlags     `json:"narrowed,omitempty"` // what the script left of the flags
	Expiry   bool          `json:"expiry,omitempty"`
	Form     Form          `json:"form,omitempty"`
	Count    int           `json:"count"`
	Reason   string        `json:"reason,omitempty"`
	Messages []DocMessages `json:"messages,omitempty"`
}

// DocFlags are the flags that a step is left with.
type DocFlags struct {
	Add    []string `json:"add"`
	Remove []string `json:"remove"`
}

// DocMessages are messages of a step that have the same flags.
type DocMessages struct {
	Flags []string `json:"flags"`
	DocKeys
}

// DocRow is a row of the state.
type DocRow struct {
	ID     int64        `json:"id,omitempty"`
	Far    Text         `json:"far,omitempty"`
	Near   Text         `json:"near,omitempty"`
	Flags  []string     `json:"flags,omitempty"`
	Status state.Status `json:"status,omitempty"`
	Note   Text         `json:"note,omitempty"`
}

// DocDecision is what a script said about a conflict of one row.
type DocDecision struct {
	Row int64    `json:"row"`
	Is  Conflict `json:"is"`
}

const opReadPlan = "read plan"

// Encode writes a plan as a document.
func (f *PlanFile) Encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(f); err != nil {
		return nil, fault.Wrap(fault.Internal, "write plan", err)
	}
	return b.Bytes(), nil
}

// ParsePlan reads a document. What it does not understand, or what does not fit
// together, is an error.
func ParsePlan(data []byte) (*PlanFile, error) {
	var head struct {
		Version *int `json:"imapfw_plan"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, badPlan("it is no plan of imapfw: %v", err)
	}
	switch {
	case head.Version == nil:
		return nil, badPlan("it is no plan of imapfw")
	case *head.Version != PlanVersion:
		return nil, badPlan("it is of version %d, and this imapfw knows version %d", *head.Version, PlanVersion).
			WithHint("make a new plan")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	f := &PlanFile{}
	if err := dec.Decode(f); err != nil {
		return nil, badPlan("%v", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, badPlan("something follows the plan")
	}
	return f, f.check()
}

// Account returns the plan of one account, nil when there is none.
func (f *PlanFile) Account(name string) *PlanDocument {
	for i := range f.Accounts {
		if string(f.Accounts[i].Account) == name {
			return &f.Accounts[i]
		}
	}
	return nil
}

func badPlan(format string, args ...any) *fault.Error {
	return fault.New(fault.Config, opReadPlan, format, args...)
}
