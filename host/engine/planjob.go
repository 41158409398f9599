package engine

import (
	"context"
	"encoding/json"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// documentPiece is how much of a document is told at once.
const documentPiece = 1 << 20

// tellDocument tells a plan as a document, in pieces: one may be larger than what
// crosses a channel.
func (e *Engine) tellDocument(plan *Plan) error {
	doc, err := e.document(plan)
	if err != nil {
		return err
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return fault.Wrap(fault.Internal, "write plan", err)
	}
	for at := 0; at < len(text); at += documentPiece {
		end := min(at+documentPiece, len(text))
		e.Emit("document", wire.Map{"piece": string(text[at:end]), "first": at == 0, "last": end == len(text)})
	}
	return nil
}

// takeDocument reads the document that is to be applied, and does without the
// script what the script decided then.
func (e *Engine) takeDocument() error {
	if e.Job != JobApply {
		return nil
	}
	text, _ := e.Args["plan"].(string)
	if text == "" {
		return badPlan("it has nothing for %s", e.account())
	}
	f := PlanFile{Version: PlanVersion, Accounts: make([]PlanDocument, 1)}
	if err := json.Unmarshal([]byte(text), &f.Accounts[0]); err != nil {
		return badPlan("%v", err)
	}
	if err := f.check(); err != nil {
		return err
	}
	e.doc = &f.Accounts[0]
	once, err := e.doc.Once.once()
	if err != nil {
		return err
	}
	once.AllowRemovals = e.Once.AllowRemovals
	e.Once = once
	e.decided.take(e.doc)
	e.Hooks.OnMessage, e.Hooks.OnPlan, e.Hooks.OnConflict = nil, nil, nil
	e.Hooks.OnFolder = func(_ context.Context, f FolderPair) (bool, string, error) {
		_, out := e.decided.leftOut[f.Name]
		return !out, "as when the plan was made", nil
	}
	return nil
}
