package wire

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// The tags. Their order is the format.
const (
	tagNil byte = iota
	tagFalse
	tagTrue
	tagInt
	tagFloat
	tagString
	tagBytes
	tagList
	tagMap
	tagKeySet
	tagFlags
	tagMetas
	tagTime
	tagFault
)

// encoder writes a Value, or only measures it when dry.
type encoder struct {
	buf      []byte
	size     int
	dry      bool
	textLeft int // see errorText
}

func (e *encoder) value(v Value, depth int) *badValue {
	if depth > MaxDepth {
		return &badValue{what: fmt.Sprintf("more than %d levels deep (a cycle?)", MaxDepth)}
	}
	switch v := v.(type) {
	case nil:
		e.byte(tagNil)
	case bool:
		if v {
			e.byte(tagTrue)
		} else {
			e.byte(tagFalse)
		}
	case int64:
		e.byte(tagInt)
		e.varint(v)
	case float64:
		e.byte(tagFloat)
		e.raw(binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
	case string:
		e.byte(tagString)
		e.text(v)
	case []byte:
		e.byte(tagBytes)
		e.uvarint(uint64(len(v)))
		e.raw(v)
	case List:
		return e.list(v, depth)
	case Map:
		return e.dict(v, depth)
	case mail.KeySet:
		e.byte(tagKeySet)
		e.keySet(v)
	case mail.Flags:
		e.byte(tagFlags)
		e.flags(v)
	case []mail.Meta:
		e.byte(tagMetas)
		e.metas(v)
	case time.Time:
		e.byte(tagTime)
		e.time(v)
	case *fault.Error:
		if v == nil {
			e.byte(tagNil)
			break
		}
		e.byte(tagFault)
		e.textLeft = maxErrorText
		e.fault(v, 0)
	default:
		return &badValue{what: refusal(v)}
	}
	return e.checkSize()
}

func (e *encoder) list(v List, depth int) *badValue {
	e.byte(tagList)
	e.uvarint(uint64(len(v)))
	for i, item := range v {
		if err := e.value(item, depth+1); err != nil {
			return err.inList(i)
		}
	}
	return e.checkSize()
}

// dict writes the keys in order, so that equal maps have equal encodings.
func (e *encoder) dict(v Map, depth int) *badValue {
	e.byte(tagMap)
	e.uvarint(uint64(len(v)))
	for _, key := range slices.Sorted(maps.Keys(v)) {
		e.text(key)
		if err := e.value(v[key], depth+1); err != nil {
			return err.inMap(key)
		}
	}
	return e.checkSize()
}

func (e *encoder) checkSize() *badValue {
	if e.size > MaxSize {
		return &badValue{what: fmt.Sprintf("the whole is larger than %d MiB (send content in pieces, on a stream)", MaxSize>>20)}
	}
	return nil
}

// refusal says why a type cannot cross, in words for whoever made the value.
func refusal(v Value) string {
	switch v.(type) {
	case int, int8, int16, int32, uint, uint8, uint16, uint32, uint64:
		return fmt.Sprintf("%T is not a wire number (use int64)", v)
	case float32:
		return "float32 is not a wire number (use float64)"
	case error:
		return fmt.Sprintf("a %T cannot cross a channel (use wire.Fault)", v)
	}
	return fmt.Sprintf("a %T cannot cross a channel", v)
}

func (e *encoder) byte(b byte) {
	e.size++
	if !e.dry {
		e.buf = append(e.buf, b)
	}
}

func (e *encoder) raw(b []byte) {
	e.size += len(b)
	if !e.dry {
		e.buf = append(e.buf, b...)
	}
}

func (e *encoder) text(s string) {
	e.uvarint(uint64(len(s)))
	e.size += len(s)
	if !e.dry {
		e.buf = append(e.buf, s...)
	}
}

func (e *encoder) uvarint(n uint64) {
	var b [binary.MaxVarintLen64]byte
	e.raw(b[:binary.PutUvarint(b[:], n)])
}

func (e *encoder) varint(n int64) {
	var b [binary.MaxVarintLen64]byte
	e.raw(b[:binary.PutVarint(b[:], n)])
}
