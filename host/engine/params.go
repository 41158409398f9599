package engine

import (
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/wire"
)

// Params describe an engine as plain data. See Config for what they mean.
type Params struct {
	Policy  Policy
	Scope   string
	Convert bool
	DryRun  bool
	Lanes   int
	Select  Selection
}

// Map returns the parameters as those of a worker.Spec.
func (p Params) Map() wire.Map {
	return wire.Map{
		"pull": int64(p.Policy.Pull), "push": int64(p.Policy.Push), "expunge": int64(p.Policy.Expunge),
		"create": int64(p.Policy.Create), "subscribe": int64(p.Policy.Subscribe),
		"conflict": string(p.Policy.Conflict), "copy_date": p.Policy.CopyDate,
		"scope": p.Scope, "convert": p.Convert, "dry_run": p.DryRun, "lanes": int64(p.Lanes),
		"patterns": list(p.Select.Patterns), "filter_far": p.Select.Far, "rename": naming.Encode(p.Select.Rename),
	}
}

// ParseParams reads what Map wrote.
func ParseParams(m wire.Map) (Params, error) {
	var bad error
	number := func(name string) int64 { return param[int64](m, name, &bad) }
	p := Params{
		Policy: Policy{
			Pull: Ops(number("pull")), Push: Ops(number("push")), Expunge: Sides(number("expunge")),
			Create: Sides(number("create")), Subscribe: Sides(number("subscribe")),
			Conflict: Conflict(param[string](m, "conflict", &bad)), CopyDate: param[bool](m, "copy_date", &bad),
		},
		Scope: param[string](m, "scope", &bad), Convert: param[bool](m, "convert", &bad),
		DryRun: param[bool](m, "dry_run", &bad), Lanes: int(number("lanes")),
	}
	for _, v := range param[wire.List](m, "patterns", &bad) {
		text, _ := v.(string)
		p.Select.Patterns = append(p.Select.Patterns, text)
	}
	p.Select.Far = param[bool](m, "filter_far", &bad)
	if bad != nil {
		return Params{}, bad
	}
	p.Select.Rename, bad = naming.Decode(m["rename"])
	return p, bad
}

func param[T any](m wire.Map, name string, bad *error) T {
	v, ok := m[name].(T)
	if !ok && *bad == nil {
		*bad = fault.New(fault.Internal, "set up the engine", "%s is a %T", name, m[name])
	}
	return v
}
