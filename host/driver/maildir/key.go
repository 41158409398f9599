package maildir

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/imapfw/imapfw/host/mail"
)

// keyMaker makes names that no other file has, on no machine.
type keyMaker struct {
	process string // of this Store: random, for process numbers come again
	host    string
	serial  atomic.Uint64
}

func newKeyMaker(infoSeparator string) *keyMaker {
	var b [4]byte
	_, _ = rand.Read(b[:]) // it never fails: see its documentation
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	return &keyMaker{
		process: fmt.Sprintf("P%dR%s", os.Getpid(), hex.EncodeToString(b[:])),
		host:    escapeHost(host, infoSeparator),
	}
}

func (k *keyMaker) next() mail.Key {
	now := time.Now()
	return mail.Key(fmt.Sprintf("%d.M%06d%s_%d.%s",
		now.Unix(), now.Nanosecond()/1000, k.process, k.serial.Add(1), k.host))
}

// escapeHost writes what may not be in a file name in octal, as Maildir wants.
func escapeHost(host, infoSeparator string) string {
	var out strings.Builder
	for _, c := range []byte(host) {
		if (isLetter(c) || isDigit(c) || strings.IndexByte(".-_", c) >= 0) && string(c) != infoSeparator {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, `\%03o`, c)
		}
	}
	return out.String()[:min(out.Len(), 80)]
}

// usable reports whether a file can be called by a key.
func usable(key mail.Key, sep byte) bool {
	name := string(key)
	return name != "" && name[0] != '.' && len(name) <= 200 && !strings.ContainsAny(name, "/\x00") && cutKey(name, sep) == name
}

// tmpPrefix marks the files in tmp/ that are ours to remove.
const tmpPrefix = "imapfw-"

func tmpName(key mail.Key) string { return tmpPrefix + string(key) }

func unfinished(name string) bool { return strings.HasPrefix(name, tmpPrefix) }
