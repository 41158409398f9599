package wire_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

func frames() []wire.Frame {
	return []wire.Frame{
		{Type: 1, Stream: 0, Payload: []byte{}},
		{Type: 255, Stream: 1<<64 - 1, Payload: []byte("x")},
		{Type: 3, Stream: 2, Payload: bytes.Repeat([]byte("abc"), 300_000)},
	}
}

func encode(t testing.TB, fs ...wire.Frame) []byte {
	var b bytes.Buffer
	w := wire.NewFrameWriter(&b)
	for _, f := range fs {
		require.NoError(t, w.Write(f))
	}
	require.NoError(t, w.Flush())
	return b.Bytes()
}

func TestFramesCrossUnchanged(t *testing.T) {
	b := encode(t, frames()...)
	for name, r := range map[string]io.Reader{"at once": bytes.NewReader(b), "in pieces": iotest.HalfReader(bytes.NewReader(b))} {
		t.Run(name, func(t *testing.T) {
			fr := wire.NewFrameReader(r)
			for _, want := range frames() {
				got, err := fr.Read()
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
			_, err := fr.Read()
			require.Equal(t, io.EOF, err)
		})
	}
}

func TestAFrameCutShortIsNoEnd(t *testing.T) {
	b := encode(t, wire.Frame{Type: 1, Stream: 5, Payload: []byte("hello")})
	for n := 1; n < len(b); n++ {
		_, err := wire.NewFrameReader(bytes.NewReader(b[:n])).Read()
		require.Equal(t, io.ErrUnexpectedEOF, err, "after %d bytes", n)
	}
}

func TestFramesAreBounded(t *testing.T) {
	w := wire.NewFrameWriter(io.Discard)
	require.NoError(t, w.Write(wire.Frame{Payload: make([]byte, wire.MaxFrame)}))
	require.Error(t, w.Write(wire.Frame{Payload: make([]byte, wire.MaxFrame+1)}))
	head := binary.BigEndian.AppendUint32(nil, wire.MaxFrame+1)
	_, err := wire.NewFrameReader(bytes.NewReader(append(head, make([]byte, 9)...))).Read()
	require.ErrorIs(t, err, fault.Protocol)
}

// FuzzFrames: no bytes make the reader panic or take more memory than arrives,
// and what it reads is written as the same bytes.
func FuzzFrames(f *testing.F) {
	f.Add(encode(f, wire.Frame{Type: 1, Stream: 5, Payload: []byte("hello")}, wire.Frame{Type: 2}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := wire.NewFrameReader(bytes.NewReader(b))
		var read []wire.Frame
		for {
			frame, err := r.Read()
			if err != nil {
				break
			}
			read = append(read, frame)
		}
		again := encode(t, read...)
		require.True(t, bytes.Equal(b[:len(again)], again))
	})
}
