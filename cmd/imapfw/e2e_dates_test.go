package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/driver/imap/imaptest/dovecot"
)

var (
	fetchDate    = regexp.MustCompile(`INTERNALDATE "([^"]*)"`)
	fetchSubject = regexp.MustCompile(`(?i)Subject: (\S+)`)
)

// arrivals are the arrival dates of the messages of a folder, by subject.
func (c *rawIMAP) arrivals(folder string) map[string]int64 {
	out := map[string]int64{}
	c.cmd("SELECT %s", quoted(folder))
	for _, r := range c.cmd("UID FETCH 1:* (INTERNALDATE BODY.PEEK[HEADER.FIELDS (SUBJECT)])") {
		if m := fetchDate.FindStringSubmatch(r.text); m != nil {
			date, err := time.Parse("_2-Jan-2006 15:04:05 -0700", m[1])
			require.NoError(c.t, err)
			out[fetchSubject.FindStringSubmatch(string(r.literals[0]))[1]] = date.Unix()
		}
	}
	return out
}

// mtimes are the modification times of the messages of a folder, by subject.
func mtimes(t testing.TB, dir string) map[string]int64 {
	out := map[string]int64{}
	for _, path := range inFolder(t, dir) {
		body, err := os.ReadFile(path)
		require.NoError(t, err)
		info, err := os.Stat(path)
		require.NoError(t, err)
		out[fetchSubject.FindStringSubmatch(string(body))[1]] = info.ModTime().Unix()
	}
	return out
}

// inFolder lists the files of a Maildir folder.
func inFolder(t testing.TB, dir string) []string {
	var out []string
	for _, sub := range []string{"new", "cur"} {
		list, err := filepath.Glob(filepath.Join(dir, sub, "*"))
		require.NoError(t, err)
		out = append(out, list...)
	}
	return out
}

func subjectOnly(subject string) []byte {
	return fmt.Appendf(nil, "Message-ID: <%s@dates>\nSubject: %s\n\nbody\n", subject, subject)
}

// The arrival date goes both ways, wherever the user and the server are.
func TestArrivalDates(t *testing.T) {
	srv := dovecot.Start(t)
	srv.AddUser(t, "dates")
	home := t.TempDir()
	inbox := filepath.Join(home, "near/INBOX")
	file := write(t, home, "me.lua", account1(imapStore(srv.Addr(), "dates", dovecot.Password, ""), maildirStore(filepath.Dir(inbox)), ""))
	client := dialRaw(t, srv.Addr(), "dates", dovecot.Password)
	defer client.close()
	sync := func() result {
		cmd := command(t, home, "sync", file)
		cmd.Env = append(cmd.Env, "TZ=Europe/Berlin")
		r := finish(t, cmd)
		require.Zero(t, r.code, r.out+r.err)
		return r
	}

	want := map[string]int64{}
	for name, date := range map[string]string{
		"begin":    "01-Jan-1970 00:00:01 +0000",
		"west":     "17-Jul-1996 02:44:25 -0700",
		"halfhour": "05-Nov-2009 23:59:59 +0530",
		"leapday":  "29-Feb-2012 23:59:59 +1400",
		"nohour":   "29-Mar-2020 02:30:00 +0100", // there was no 2:30 in Berlin that night
		"summer":   "25-Oct-2020 02:30:00 +0200", // and in this one there were two
		"winter":   "25-Oct-2020 02:30:00 +0100",
	} {
		client.append("INBOX", "", date, bytes.ReplaceAll(subjectOnly(name), []byte("\n"), []byte("\r\n")))
		at, err := time.Parse(wireDate, date)
		require.NoError(t, err)
		want[name] = at.Unix()
	}
	sync()
	require.Equal(t, want, mtimes(t, inbox))
	require.Equal(t, want, client.arrivals("INBOX"))

	// Up, as far as a server can keep it. Dovecot lets nothing arrive later than
	// now.
	soon := time.Now()
	for name, at := range map[string]int64{
		"n-before": -300_000_000, "n-last": -1, "n-first": 0, "n-summer": 1_600_000_000, "n-2050": 2_524_608_000,
	} {
		path := filepath.Join(inbox, "new", name)
		require.NoError(t, os.WriteFile(path, subjectOnly(name), 0o600))
		require.NoError(t, os.Chtimes(path, time.Time{}, time.Unix(at, 0)))
		want[name] = max(at, 0)
	}
	sync()
	got := client.arrivals("INBOX")
	require.InDelta(t, soon.Unix(), got["n-2050"], 60)
	want["n-2050"] = got["n-2050"]
	require.Equal(t, want, got)

	// A later touch is no change, neither of a file nor of a directory.
	before := client.stable()
	for _, path := range append(inFolder(t, inbox), filepath.Join(inbox, "cur"), filepath.Join(inbox, "new")) {
		require.NoError(t, os.Chtimes(path, time.Time{}, time.Unix(1_234_567_890, 0)))
	}
	require.Contains(t, sync().out, "nothing to do")
	client.append("INBOX", "", "", []byte("Subject: more\r\n\r\n")) // the folder is looked at
	sync()
	delete(want, "more")
	got = client.arrivals("INBOX")
	delete(got, "more")
	require.Equal(t, want, got)
	require.NotEqual(t, before, client.stable(), "the test sees changes")

	// Flags change no date.
	stamps := mtimes(t, inbox)
	client.cmd("SELECT INBOX")
	client.cmd(`UID STORE 1:* +FLAGS (\Flagged)`)
	sync()
	require.Equal(t, stamps, mtimes(t, inbox))
}

// Without copy_date a copy arrives when it is made.
func TestCopyDateOff(t *testing.T) {
	home := t.TempDir()
	a, b := filepath.Join(home, "A/INBOX"), filepath.Join(home, "B/INBOX")
	for name, dir := range map[string]string{"one": a, "two": b} {
		makeMaildir(t, dir)
		store(t, dir, "1."+name, "S", subjectOnly(name), time.Unix(1_000_000_000, 0))
	}
	stores := [2]string{maildirStore(filepath.Dir(a)), maildirStore(filepath.Dir(b))}
	off := write(t, home, "off.lua", account1(stores[0], stores[1], "  copy_date = false,\n"))
	ok(t, home, "sync", off)
	for _, c := range []struct {
		dir, own, copied string
	}{{a, "one", "two"}, {b, "two", "one"}} {
		got := mtimes(t, c.dir)
		require.EqualValues(t, 1_000_000_000, got[c.own])
		require.InDelta(t, time.Now().Unix(), got[c.copied], 60)
	}
	require.Contains(t, ok(t, home, "sync", off).out, "nothing to do")

	on := write(t, home, "on.lua", account1(stores[0], stores[1], ""))
	store(t, a, "1.three", "", subjectOnly("three"), time.Unix(1_100_000_000, 5))
	store(t, b, "1.four", "", subjectOnly("four"), time.Unix(1_200_000_000, 999_999_999))
	ok(t, home, "sync", on)
	for _, dir := range []string{a, b} {
		got := mtimes(t, dir)
		require.EqualValues(t, 1_100_000_000, got["three"])
		require.EqualValues(t, 1_200_000_000, got["four"])
	}
}
