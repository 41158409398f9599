package main

import (
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest"
	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

// plainCapabilities are those that imapfw makes use of, and how a command that
// does looks. A server that does not announce one may not know it.
var plainCapabilities = map[string][]string{
	"UIDPLUS":       {"UID EXPUNGE"},
	"CONDSTORE":     {"CONDSTORE", "CHANGEDSINCE", "HIGHESTMODSEQ"},
	"QRESYNC":       {"QRESYNC", "VANISHED"},
	"MOVE":          {"UID MOVE"},
	"LITERAL+":      {"+}"},
	"SPECIAL-USE":   {"SPECIAL-USE"},
	"UNSELECT":      {"UNSELECT"},
	"LIST-STATUS":   {"RETURN (SUBSCRIBED CHILDREN STATUS", "SPECIAL-USE STATUS ("},
	"LIST-EXTENDED": {"RETURN (SUBSCRIBED"},
	"ESEARCH":       {"RETURN (ALL)"},
	"NAMESPACE":     {"NAMESPACE"},
	"ENABLE":        {"ENABLE"},
	"ID":            {"ID ("},
	"SASL-IR":       nil, // before signing in Dovecot tells it in any case
}

// implied are capabilities that are of no use without another one.
var implied = map[string][]string{
	"CONDSTORE": {"QRESYNC"}, "LIST-EXTENDED": {"LIST-STATUS"}, "ENABLE": {"QRESYNC"},
}

// Servers that lack capabilities, one each and all at once, are kept in step all
// the same, and are not asked for what they do not have.
func TestServersWithoutCapabilities(t *testing.T) {
	all := []string{"IMAP4rev1", "LITERAL+", "UNSELECT", "CHILDREN", "NAMESPACE", "UIDPLUS", "LIST-EXTENDED", "CONDSTORE",
		"QRESYNC", "ESEARCH", "LIST-STATUS", "MOVE", "SPECIAL-USE", "ENABLE", "ID", "SASL-IR"}
	cases := map[string][]string{"everything is there": {}, "nothing is there": all[1:]}
	for name := range plainCapabilities {
		cases["no "+name] = append([]string{name}, implied[name]...)
	}
	for name, hidden := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			left := slices.DeleteFunc(slices.Clone(all), func(c string) bool { return slices.Contains(hidden, c) })
			srv := dovecot.Start(t, dovecot.Config("imap_capability = "+strings.Join(left, " ")))
			srv.AddUser(t, "plain")
			p := &imaptest.Proxy{Target: srv.Addr()}
			require.NoError(t, p.Start(t.Context()))
			t.Cleanup(func() { _ = p.Close() })
			s := newMixed(t, srv.Addr(), p.Addr(), "plain", dovecot.Password, "")

			ok(t, s.home, "sync", s.file)
			require.Equal(t, s.client.snapshot(), readMaildir(t, s.near))
			s.change()
			ok(t, s.home, "sync", s.file)
			s.equal()
			before, status := files(t, s.near), s.client.stable()
			require.Contains(t, ok(t, s.home, "sync", s.file).out, "nothing to do")
			s.equal()
			require.Equal(t, before, files(t, s.near))
			require.Equal(t, status, s.client.stable())

			commands := p.Commands()
			require.NotEmpty(t, commands)
			used := func(c string) bool {
				return slices.ContainsFunc(plainCapabilities[c], func(use string) bool {
					return slices.ContainsFunc(commands, func(line string) bool { return strings.Contains(line, use) })
				})
			}
			for c := range plainCapabilities {
				switch {
				case slices.Contains(hidden, c):
					require.False(t, used(c), "%s is not there, and was used: %v", c, commands)
				case len(hidden) == 0 && !slices.Contains([]string{"UNSELECT", "SASL-IR"}, c):
					require.True(t, used(c), "the test does not see how %s is used", c)
				}
			}
		})
	}
}

// A server without UIDPLUS expunges all that is marked. What somebody else has
// marked meanwhile stays, with its mark.
func TestPlainExpungeSparesWhatOthersMarked(t *testing.T) {
	srv := dovecot.Start(t, dovecot.Config("imap_capability = IMAP4rev1"))
	srv.AddUser(t, "plain")
	p := &imaptest.Proxy{Target: srv.Addr()}
	var others *rawIMAP
	var marked atomic.Bool
	p.Client = func(line string) string {
		// Just before imapfw marks what it is about to expunge.
		if strings.Contains(line, "UID STORE") && strings.Contains(line, `\Deleted`) && marked.CompareAndSwap(false, true) {
			others.cmd("SELECT INBOX")
			others.cmd(`UID STORE 7:8 +FLAGS.SILENT (\Deleted)`)
		}
		return ""
	}
	require.NoError(t, p.Start(t.Context()))
	t.Cleanup(func() { _ = p.Close() })
	s := newMixed(t, srv.Addr(), p.Addr(), "plain", dovecot.Password, "")
	others = dialRaw(t, srv.Addr(), "plain", dovecot.Password)
	t.Cleanup(others.close)
	ok(t, s.home, "sync", s.file)
	require.NoError(t, os.Remove(s.find("INBOX", "5")))
	ok(t, s.home, "sync", s.file)
	require.True(t, marked.Load())
	far := s.client.snapshot()
	require.Equal(t, 11, far.messages(), "only the one that was removed near is gone")
	deleted := 0
	for message, n := range far["INBOX"] {
		if strings.HasSuffix(message, "T") {
			deleted += n
		}
	}
	require.Equal(t, 2, deleted, "the marks of others stay")
}
