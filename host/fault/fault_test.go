package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
)

func TestErrorSaysWhatWhereAndWhatToDo(t *testing.T) {
	for want, err := range map[string]*fault.Error{
		"select \"A/b\": no such folder":                      fault.New(fault.NotFound, "select", "no such folder").InFolder("A/b"),
		"append \"A\" message 7: quota":                       {Code: fault.Quota, Op: "append", Folder: "A", Key: "7"},
		"folder \"A\": bad name":                              {Code: fault.BadName, Folder: "A"},
		"open state: in use: unexpected EOF (stop the other)": {Code: fault.Busy, Op: "open state", Message: "in use", Err: io.ErrUnexpectedEOF, Hint: "stop the other"},
		"app.lua:3: api.imap: no host":                        {Code: fault.Config, At: "app.lua:3", Op: "api.imap", Message: "no host"},
	} {
		require.Equal(t, want, err.Error())
	}
}

func TestKindsAreFoundAtAnyDepth(t *testing.T) {
	err := fmt.Errorf("sync: %w", errors.Join(io.EOF, fault.Wrap(fault.Network, "read", io.ErrUnexpectedEOF)))
	require.ErrorIs(t, err, fault.Network)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NotErrorIs(t, err, fault.Auth)
	require.Equal(t, fault.Network, fault.CodeOf(err))
	require.Equal(t, fault.Internal, fault.CodeOf(io.EOF))
	require.False(t, fault.IsTemporary(err))
	require.True(t, fault.IsTemporary(fmt.Errorf("x: %w", fault.New(fault.Busy, "", "later").AsTemporary())))
	require.NoError(t, fault.Wrap(fault.IO, "x", nil))
}

func TestAPanicIsAnError(t *testing.T) {
	err := fault.Contain("work", func() error { panic(io.ErrUnexpectedEOF) })
	require.ErrorIs(t, err, fault.Crashed)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NoError(t, fault.Contain("work", func() error { return nil }))
	require.ErrorIs(t, fault.Contain("work", func() error { return io.EOF }), io.EOF)
}

// What ended a connection is one error for all the folders that were at work on it.
func TestNamingTheFolderLeavesTheErrorAlone(t *testing.T) {
	dropped := fault.New(fault.Network, "read", "dropped").AsTemporary()
	wrapped := fmt.Errorf("sign in: %w", dropped)
	require.EqualError(t, fault.WithFolder(dropped, "A"), `read "A": dropped`)
	require.EqualError(t, fault.WithFolder(wrapped, "B"), `folder "B": sign in: read: dropped`)
	require.EqualError(t, dropped, "read: dropped")

	named := fault.WithFolder(wrapped, "B")
	require.ErrorIs(t, named, fault.Network)
	require.True(t, fault.IsTemporary(named))
	require.Equal(t, io.EOF, fault.WithFolder(io.EOF, "A"))
	require.NoError(t, fault.WithFolder(nil, "A"))
}
