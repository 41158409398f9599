package luaapi

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/imapfw/imapfw/host/engine"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/wire"
)

// selectionOf returns which folders the engine may create far.
func selectionOf(m wire.Map) (engine.Selection, error) {
	patterns, _ := m["folders"].([]any)
	steps, err := renamesOf(m["rename"])
	return engine.Selection{Patterns: textsOf(patterns), Rename: steps, Far: m["account"] == nil}, err
}

// messagesOf reads the option messages: nil keeps everything near.
func messagesOf(v any) (*predicate.Expr, error) {
	m, ok := v.(*match)
	if !ok {
		return nil, nil
	}
	plain, err := plainExpr(m)
	if err != nil {
		return nil, err
	}
	return predicate.Decode(plain)
}

// accountOf is the name the state is recorded under.
func (p *program) accountOf(m wire.Map) string {
	if name := text(m, "account"); name != "" {
		return name
	}
	return text(m, "name")
}

// onceOf is what the command line says about this run of an account.
func (p *program) onceOf(account string) engine.Once {
	once := p.opt.Once
	for _, a := range p.accounts {
		if a.name == account && a.folders != nil {
			once.Folders = a.folders
		}
	}
	return once
}

// syncs reports whether the run carries what the options of accounts allow, and
// nothing else.
func (p *program) syncs() bool {
	switch p.opt.Job {
	case engine.JobSync, engine.JobPlan, engine.JobApply:
		return true
	}
	return false
}

// argsOf is what the job of an account's engine needs.
func (p *program) argsOf(account string) wire.Map {
	switch p.opt.Job {
	case engine.JobPlan:
		return wire.Map{"account": account}
	case engine.JobApply:
		plans, _ := p.opt.JobArgs["plans"].(wire.Map)
		return wire.Map{"account": account, "plan": text(plans, account)}
	}
	return p.opt.JobArgs
}

// engineArgs are the options an engine's init is given: what is plain.
func engineArgs(m wire.Map) wire.Map {
	args := wire.Map{}
	for name, v := range m {
		switch v.(type) {
		case *manager, *script.Class, *script.Func:
		default:
			args[name] = v
		}
	}
	return args
}

// scopeOf identifies everything that decides which messages the stores show, and
// which flags they keep.
func scopeOf(parts ...any) (string, error) {
	plain, err := script.Plain(wire.List(parts))
	if err != nil {
		return "", err
	}
	b, err := wire.Encode(plain)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8]), nil
}
