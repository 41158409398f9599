package script

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// Datum is implemented by Go values inside userdata that may stand in options
// and class arguments: definitions, functions of options, predicates, secrets.
type Datum interface {
	// DataKind names the kind, for its decoder: "predicate".
	DataKind() string
	// Data returns what describes it; it may hold other Datums.
	Data() (any, error)
}

// The form of a Datum on the wire: a map with these two keys. Scripts cannot
// make one, the first key is reserved.
const (
	dataKey   = "$imapfw"
	dataValue = "value"
)

// RegisterData tells a state how to rebuild a Datum of a kind from what its Data
// returned (when init(opts) of an instance is called in a worker).
func (s *State) RegisterData(kind string, decode func(L *lua.LState, v any) (lua.LValue, error)) {
	s.decoders[kind] = decode
}

func (s *State) decode(L *lua.LState, kind string, v any) lua.LValue {
	decode := s.decoders[kind]
	if decode == nil {
		Raise(L, fault.New(fault.Internal, "", "no decoder for a %s", kind))
	}
	got, err := decode(L, v)
	if err != nil {
		Raise(L, err)
	}
	return got
}

// Plain replaces every Datum in v by its encodable form, which ToLua turns back
// in any state of the same bundle. Durations become nanoseconds.
func Plain(v any) (wire.Value, error) {
	switch v := v.(type) {
	case Datum:
		data, err := v.Data()
		if err != nil {
			return nil, err
		}
		plain, err := Plain(data)
		if err != nil {
			return nil, err
		}
		return wire.Map{dataKey: v.DataKind(), dataValue: plain}, nil
	case []any:
		list := make(wire.List, len(v))
		for i, item := range v {
			var err error
			if list[i], err = Plain(item); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		m := make(wire.Map, len(v))
		for k, item := range v {
			var err error
			if m[k], err = Plain(item); err != nil {
				return nil, err
			}
		}
		return m, nil
	case int:
		return int64(v), nil
	case time.Duration:
		return int64(v), nil
	}
	return v, nil
}

// digest is the same for the same data, in every process.
func digest(v any) (string, error) {
	plain, err := Plain(v)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	hashValue(h, plain)
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

func hashValue(h hash.Hash, v wire.Value) {
	number := func(tag byte, n uint64) {
		var b [9]byte
		b[0] = tag
		binary.BigEndian.PutUint64(b[1:], n)
		h.Write(b[:])
	}
	text := func(tag byte, s string) {
		number(tag, uint64(len(s)))
		h.Write([]byte(s))
	}
	switch v := v.(type) {
	case nil:
		h.Write([]byte{'n'})
	case bool:
		if v {
			h.Write([]byte{'t'})
		} else {
			h.Write([]byte{'f'})
		}
	case int64:
		number('i', uint64(v))
	case float64:
		number('d', math.Float64bits(v))
	case string:
		text('s', v)
	case []byte:
		text('s', string(v))
	case wire.List:
		number('l', uint64(len(v)))
		for _, item := range v {
			hashValue(h, item)
		}
	case wire.Map:
		number('m', uint64(len(v)))
		for _, k := range sortedKeys(v) {
			text('s', k)
			hashValue(h, v[k])
		}
	default:
		text('o', fmt.Sprintf("%T %v", v, v))
	}
}
