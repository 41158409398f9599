package script_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script"
)

func BenchmarkNewState(b *testing.B) {
	bundle, err := load(b, classes)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		s, err := bundle.NewState(context.Background(), script.Options{})
		require.NoError(b, err)
		s.Close()
	}
}

// BenchmarkDo is what the lock, the context and the frame around a call cost.
func BenchmarkDo(b *testing.B) {
	s := state(b, "return function() end", script.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Do(ctx, func(*lua.LState) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOverride is a call from Go to a method that a script defines, which
// calls super in Go, inside one Do.
func BenchmarkOverride(b *testing.B) {
	s := state(b, `
local api = require "imapfw.api"
local Mine = api.ImapRepository:extend "Mine"
function Mine:stop() self.n = (self.n or 0) + 1 return Mine.super.stop(self) end`, script.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	require.NoError(b, s.Do(ctx, func(L *lua.LState) error {
		i, err := s.Instantiate(L, "app:Mine", &core{}, nil)
		require.NoError(b, err)
		for b.Loop() {
			if _, err := i.Call(L, "stop", 0); err != nil {
				return err
			}
		}
		return nil
	}))
}

// BenchmarkField is a script reading a field of a Go value.
func BenchmarkField(b *testing.B) {
	s := state(b, "local api = require 'imapfw.api'\nreturn function(n) local b, x = api.batch() for i = 1, n do x = b.count end end", script.Options{})
	b.ReportAllocs()
	_, err := call(b, s, lua.LNumber(b.N))
	require.NoError(b, err)
}

// BenchmarkLoop is a tight loop under a context that can be cancelled, with
// instructions counted.
func BenchmarkLoop(b *testing.B) {
	s := state(b, "return function(n) local s = 0 for i = 1, n do s = s + i % 7 end end", script.Options{Steps: 1 << 60})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := callCtx(ctx, b, s, lua.LNumber(b.N))
	require.NoError(b, err)
}

func BenchmarkGsub(b *testing.B) {
	s := state(b, "local s = ('word '):rep(1000) return function() return #s:gsub('%w+', 'x') end", script.Options{})
	b.ReportAllocs()
	for b.Loop() {
		_, err := call(b, s)
		require.NoError(b, err)
	}
}
