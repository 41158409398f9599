//go:build !linux

package durable

import "os"

func canSyncFS() bool { return false }

func answersForAll(*os.File) bool { return false }

func syncFS(*os.File) error { return os.ErrInvalid }

func syncData(f *os.File) error { return f.Sync() }
