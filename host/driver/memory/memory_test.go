package memory_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/drivertest"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/mail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	for name, one := range map[string]struct {
		opts     memory.Options
		features drivertest.Features
	}{
		"late IDs": {memory.Options{IDs: true, LateIDs: true}, drivertest.Features{LineEnds: mail.CRLF, Delta: true, FolderIDs: true}},
		"IMAP":     {memory.Options{IDs: true}, drivertest.Features{LineEnds: mail.CRLF, Delta: true, FolderIDs: true}},
		"Maildir":  {memory.Options{Maildir: true}, drivertest.Features{LineEnds: mail.LF, ChosenKeys: true}},
		"Eager": {memory.Options{Eager: true, NoUIDPlus: true, Batch: 7, Keywords: 5},
			drivertest.Features{LineEnds: mail.CRLF, Delta: true, EarlyVisible: true, KeysUntold: true, MaxKeywords: 5}},
		"NoKeywords": {memory.Options{Keywords: -1}, drivertest.Features{LineEnds: mail.CRLF, Delta: true, NoKeywords: true}},
	} {
		one.features.BadNames = []string{"", "a//b", "/a", "a/", "nul\x00", "bad\xff", "inbox/x"}
		t.Run(name, func(t *testing.T) {
			drivertest.Run(t, drivertest.Harness{Features: one.features, New: func(*testing.T) drivertest.Place {
				s := memory.New(one.opts)
				return drivertest.Place{
					Store: func(*testing.T) driver.Store { return s },
					Add: func(_ *testing.T, folder string, m drivertest.Message) {
						s.Add(folder, memory.Message{Flags: m.Flags, Date: m.Date, Body: m.Body})
					},
					SetFlags: func(_ *testing.T, folder string, key mail.Key, flags mail.Flags) { s.SetFlags(folder, key, flags) },
					Remove:   func(_ *testing.T, folder string, key mail.Key) { s.Remove(folder, key) },
					Recreate: func(_ *testing.T, folder string) { s.DropFolder(folder); s.AddFolder(folder) },
				}
			}})
		})
	}
}
