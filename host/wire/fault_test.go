package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

func TestErrorsKeepTheirTree(t *testing.T) {
	inner := &fault.Error{Code: fault.Quota, Op: "append", Account: "work", Worker: "far", Folder: "INBOX", Key: "7",
		Message: "over quota", Hint: "remove something", At: "app.lua:3", Temporary: true, Final: true, After: 30 * time.Second,
		Trace: "stack", Err: syscall.ENOSPC}
	err := fmt.Errorf("batch 3: %w", errors.Join(inner, fmt.Errorf("and: %w", io.ErrUnexpectedEOF), fault.Busy))
	got := wire.CloneError(err)
	require.Equal(t, err.Error(), got.Error())
	for _, is := range []error{fault.Quota, syscall.ENOSPC, io.ErrUnexpectedEOF, fault.Busy} {
		require.ErrorIs(t, got, is)
	}
	require.NotErrorIs(t, got, fault.Auth)
	require.Equal(t, fault.Quota, fault.CodeOf(got))
	require.True(t, fault.IsTemporary(got))
	var f *fault.Error
	require.ErrorAs(t, got, &f)
	require.Equal(t, inner, f)
}

func TestWellKnownErrors(t *testing.T) {
	require.NoError(t, wire.CloneError(nil))
	for _, err := range []error{io.EOF, context.Canceled, context.DeadlineExceeded} {
		require.Equal(t, err, wire.CloneError(err))
		require.ErrorIs(t, wire.CloneError(fmt.Errorf("while: %w", err)), err)
	}
}

func TestFaultIsAValue(t *testing.T) {
	require.Nil(t, wire.Fault(nil))
	f := wire.Fault(fmt.Errorf("folder: %w", fault.New(fault.ReadOnly, "select", "no").AsTemporary()))
	require.Equal(t, fault.ReadOnly, f.Code)
	require.True(t, f.Temporary)
	got, err := wire.Clone(wire.Map{"failed": f})
	require.NoError(t, err)
	failed := got.(wire.Map)["failed"].(*fault.Error)
	require.Equal(t, f.Error(), failed.Error())
	require.ErrorIs(t, failed, fault.ReadOnly)
}

// doubling is an error whose tree has 2^40 paths.
func doubling() error {
	err := errors.New("x")
	for range 40 {
		err = &pair{err}
	}
	return err
}

type pair struct{ err error }

func (p *pair) Error() string   { return "pair" }
func (p *pair) Unwrap() []error { return []error{p.err, p.err} }

func TestHugeErrorsAreCut(t *testing.T) {
	long := fault.New(fault.IO, "read", "%s", strings.Repeat("x", 5<<20))
	deep := error(fault.New(fault.Auth, "sign in", "no"))
	for range 200 {
		deep = fault.Wrap(fault.IO, "op", deep)
	}
	for name, c := range map[string]struct {
		err  error
		code fault.Code
	}{"long": {long, fault.IO}, "deep": {deep, fault.IO}, "doubling": {doubling(), fault.Internal}} {
		t.Run(name, func(t *testing.T) {
			b := wire.AppendError(nil, c.err)
			require.Less(t, len(b), 2<<20)
			got, rest, bad := wire.DecodeError(b)
			require.NoError(t, bad)
			require.Empty(t, rest)
			require.Equal(t, c.code, fault.CodeOf(got))
		})
	}
}
