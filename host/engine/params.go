package engine

import (
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/naming"
	"github.com/imapfw/imapfw/host/predicate"
	"github.com/imapfw/imapfw/host/wire"
)

// Params describe an engine as plain data. See Config for what they mean.
type Params struct {
	Job     Job
	Args    wire.Map
	Once    Once
	Policy  Policy
	Scope   string
	Convert bool
	DryRun  bool
	Lanes   int
	Select  Selection
	// Messages says which messages are kept near; nil: all.
	Messages *predicate.Expr
	// Attempts is how often a run tries; 0 is DefaultAttempts.
	Attempts int
	// Timing has the engine tell, at its end, where the time went.
	Timing bool
}

// Map returns the parameters as those of a worker.Spec.
func (p Params) Map() wire.Map {
	args := p.Args
	if args == nil {
		args = wire.Map{}
	}
	var messages wire.Value
	if p.Messages != nil {
		messages = p.Messages.Encode()
	}
	return wire.Map{
		"messages": messages,
		"job":      string(p.Job), "job_args": args, "once": p.Once.encode(), "policy": p.Policy.encode(),
		"scope": p.Scope, "convert": p.Convert, "dry_run": p.DryRun, "lanes": int64(p.Lanes), "attempts": int64(p.Attempts), "timing": p.Timing,
		"patterns": list(p.Select.Patterns), "filter_far": p.Select.Far, "rename": naming.Encode(p.Select.Rename),
	}
}

// ParseParams reads what Map wrote.
func ParseParams(m wire.Map) (Params, error) {
	r := &params{m: m}
	p := Params{
		Job: Job(r.text("job")), Args: r.sub("job_args").m,
		Scope: r.text("scope"), Convert: r.bool("convert"), DryRun: r.bool("dry_run"), Lanes: int(r.number("lanes")),
		Attempts: int(r.number("attempts")), Timing: r.bool("timing"),
		Select: Selection{Patterns: r.texts("patterns"), Far: r.bool("filter_far")},
	}
	if len(p.Args) == 0 {
		p.Args = nil
	}
	once, policy := r.sub("once"), r.sub("policy")
	p.Once, p.Policy = decodeOnce(once), decodePolicy(policy)
	for _, part := range []*params{r, once, policy} {
		if part.bad != nil {
			return Params{}, part.bad
		}
	}
	var err error
	if m["messages"] != nil {
		if p.Messages, err = predicate.Decode(m["messages"]); err != nil {
			return Params{}, err
		}
	}
	p.Select.Rename, err = naming.Decode(m["rename"])
	return p, err
}

// params reads the fields of a map, and notes the first that is not as it must
// be.
type params struct {
	m   wire.Map
	bad error
}

func param[T any](r *params, name string) T {
	v, ok := r.m[name].(T)
	if !ok && r.bad == nil {
		r.bad = fault.New(fault.Internal, "set up the engine", "%s is a %T", name, r.m[name])
	}
	return v
}

func (r *params) text(name string) string    { return param[string](r, name) }
func (r *params) number(name string) int64   { return param[int64](r, name) }
func (r *params) float(name string) float64  { return param[float64](r, name) }
func (r *params) bool(name string) bool      { return param[bool](r, name) }
func (r *params) sub(name string) *params    { return &params{m: param[wire.Map](r, name)} }
func (r *params) texts(name string) []string { return textsOf(param[wire.List](r, name), r) }

func textsOf(in wire.List, r *params) []string {
	var out []string
	for _, v := range in {
		text, ok := v.(string)
		if !ok && r.bad == nil {
			r.bad = fault.New(fault.Internal, "set up the engine", "a list holds a %T", v)
		}
		out = append(out, text)
	}
	return out
}
