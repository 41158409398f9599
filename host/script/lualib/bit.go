package lualib

import (
	"math"
	"math/bits"
	"strconv"

	lua "github.com/yuin/gopher-lua"
)

// bitOps is the library of bit operations, which are no operators in Lua 5.1.
// Numbers are 32 unsigned bits, as in bit32 of Lua 5.2.
func bitOps(L *lua.LState) *lua.LTable {
	return functions(L, map[string]lua.LGFunction{
		"band": fold(func(a, b uint32) uint32 { return a & b }, math.MaxUint32),
		"bor":  fold(func(a, b uint32) uint32 { return a | b }, 0),
		"bxor": fold(func(a, b uint32) uint32 { return a ^ b }, 0),
		"bnot": func(L *lua.LState) int {
			L.Push(lua.LNumber(^bits32(L, 1)))
			return 1
		},
		"lshift": shift(shiftLeft),
		"rshift": shift(func(v uint32, n int) uint32 { return shiftLeft(v, -n) }),
		"arshift": shift(func(v uint32, n int) uint32 {
			if n < 0 {
				return shiftLeft(v, -n)
			}
			return uint32(int32(v) >> min(n, 31))
		}),
		"rol": shift(func(v uint32, n int) uint32 { return bits.RotateLeft32(v, n%32) }),
		"ror": shift(func(v uint32, n int) uint32 { return bits.RotateLeft32(v, -(n % 32)) }),
		"tohex": func(L *lua.LState) int {
			hex := strconv.FormatUint(uint64(bits32(L, 1)), 16)
			L.Push(lua.LString("00000000"[len(hex):] + hex))
			return 1
		},
	})
}

func bits32(L *lua.LState, n int) uint32 {
	return uint32(int64(math.Mod(math.Floor(float64(L.CheckNumber(n))), 1<<32)))
}

func fold(op func(a, b uint32) uint32, from uint32) lua.LGFunction {
	return func(L *lua.LState) int {
		acc := from
		for i := 1; i <= L.GetTop(); i++ {
			acc = op(acc, bits32(L, i))
		}
		L.Push(lua.LNumber(acc))
		return 1
	}
}

func shift(by func(v uint32, n int) uint32) lua.LGFunction {
	return func(L *lua.LState) int {
		L.Push(lua.LNumber(by(bits32(L, 1), L.CheckInt(2))))
		return 1
	}
}

func shiftLeft(v uint32, n int) uint32 {
	switch {
	case n <= -32 || n >= 32:
		return 0
	case n < 0:
		return v >> -n
	}
	return v << n
}
