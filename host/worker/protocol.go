package worker

import (
	"strings"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// The frames between a parent and its child. Both send calls and everything
// that belongs to one; a call's stream id is even when the parent began it, odd
// when the child did.
const (
	frameHello  = iota + 1 // parent: what to run (a Map); the first frame
	frameReady             // child: an error, nil when Start went well
	frameCall              // a head (a Map), then the arguments
	frameReply             // an error, then the value when it is nil
	frameItem              // the next item of a stream
	frameEnd               // no more items from this side: an error, or nil
	frameCredit            // so many bytes of items were read (an int64)
	frameCancel            // the caller is gone: an error
	frameEvent             // child: a Map
	frameLog               // child: a Map
	frameDrain             // parent: the first interrupt
	frameRuns              // parent: the second interrupt: an error
	frameStop              // parent: end as you should
	frameExit              // child: an error, nil when it ended well; the last frame
)

// callHead is what a call frame says beside the arguments.
type callHead struct {
	to, op string
	chain  []string
	stream bool
}

func (c callHead) encode(args wire.Value) ([]byte, error) {
	head := wire.Map{"to": c.to, "op": c.op, "chain": strings.Join(c.chain, "\n"), "stream": c.stream}
	b, err := wire.AppendAs(nil, "call", head)
	if err != nil {
		return nil, err
	}
	return wire.AppendAs(b, "args", args)
}

func decodeCall(b []byte) (callHead, wire.Value, error) {
	v, rest, err := wire.DecodeNext(b)
	if err != nil {
		return callHead{}, nil, err
	}
	head, _ := v.(wire.Map)
	c := callHead{to: text(head, "to"), op: text(head, "op"), stream: flag(head, "stream")}
	if chain := text(head, "chain"); chain != "" {
		c.chain = strings.Split(chain, "\n")
	}
	args, err := wire.Decode(rest)
	return c, args, err
}

// encodeReply returns a reply frame's payload. A value that cannot cross is a
// failed call.
func encodeReply(v wire.Value, err error) []byte {
	if err == nil {
		var b []byte
		if b, err = wire.AppendAs(wire.AppendError(nil, nil), "reply", v); err == nil {
			return b
		}
	}
	return wire.AppendError(nil, err)
}

func decodeReply(b []byte) (v wire.Value, failed, err error) {
	failed, rest, err := wire.DecodeError(b)
	if err != nil || failed != nil {
		return nil, failed, err
	}
	v, err = wire.Decode(rest)
	return v, nil, err
}

func decodeError(b []byte) error {
	err, _, bad := wire.DecodeError(b)
	if bad != nil {
		return bad
	}
	return err
}

func text(m wire.Map, key string) string {
	s, _ := m[key].(string)
	return s
}

func flag(m wire.Map, key string) bool {
	b, _ := m[key].(bool)
	return b
}

func number(m wire.Map, key string) int64 {
	n, _ := m[key].(int64)
	return n
}

// encodeHello says what a child is to run. Everything secret is in here.
func encodeHello(spec Spec, setup wire.Value, strict bool, level int) ([]byte, error) {
	channels := wire.Map{}
	for own, target := range spec.Channels {
		channels[own] = target
	}
	head := wire.Map{"name": spec.Name, "kind": spec.Kind, "class": spec.Class, "channels": channels,
		"strict": strict, "level": int64(level)}
	b, err := wire.AppendAs(nil, "spec", head)
	if err != nil {
		return nil, err
	}
	if b, err = wire.AppendAs(b, "params", spec.Params); err != nil {
		return nil, err
	}
	if b, err = wire.AppendAs(b, "setup", setup); err == nil && len(b) > wire.MaxFrame {
		err = fault.New(fault.Config, "", "what worker %q is started with is larger than %d MiB", spec.Name, wire.MaxFrame>>20)
	}
	return b, err
}

type hello struct {
	spec   Spec
	setup  wire.Value
	strict bool
	level  int
}

func decodeHello(b []byte) (h hello, err error) {
	v, rest, err := wire.DecodeNext(b)
	if err != nil {
		return h, err
	}
	params, rest, err := wire.DecodeNext(rest)
	if err != nil {
		return h, err
	}
	if h.setup, err = wire.Decode(rest); err != nil {
		return h, err
	}
	head, ok := v.(wire.Map)
	if !ok {
		return h, fault.New(fault.Protocol, "read what to run", "not a map")
	}
	h.spec = Spec{Name: text(head, "name"), Kind: text(head, "kind"), Class: text(head, "class"), Backend: Process}
	h.spec.Params, _ = params.(wire.Map)
	h.spec.Channels = map[string]string{}
	channels, _ := head["channels"].(wire.Map)
	for own := range channels {
		h.spec.Channels[own] = text(channels, own)
	}
	h.strict, h.level = flag(head, "strict"), int(number(head, "level"))
	return h, nil
}

func encodeEvent(e Event) ([]byte, error) {
	b, err := wire.AppendAs(nil, "event", wire.Map{"worker": e.Worker, "name": e.Name})
	if err != nil {
		return nil, err
	}
	return wire.AppendAs(b, "event", e.Data)
}

func decodeEvent(b []byte) (Event, error) {
	v, rest, err := wire.DecodeNext(b)
	if err != nil {
		return Event{}, err
	}
	head, _ := v.(wire.Map)
	e := Event{Worker: text(head, "worker"), Name: text(head, "name")}
	e.Data, err = wire.Decode(rest)
	return e, err
}
