package memory

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/mail"
)

// folder is a folder of the server. Everything in it is guarded by Store.mu.
type folder struct {
	name       string
	id         string // see Options.IDs; stays with the folder's mail
	epoch      uint32
	next       uint32 // UIDNEXT
	modseq     uint64 // HIGHESTMODSEQ
	messages   []*message
	gone       []removal
	attrs      []string
	subscribed bool
	readOnly   bool
}

// message is a message of a folder. Its body never changes.
type message struct {
	key    mail.Key
	flags  mail.Flags
	date   time.Time
	body   []byte
	modseq uint64
}

// removal remembers a message that is gone, for those who ask what changed.
type removal struct {
	key    mail.Key
	modseq uint64
}

func (s *Store) newFolder(name string) *folder {
	s.epochs++
	f := &folder{name: name, epoch: s.epochs, next: 1, modseq: 1}
	if s.opts.IDs {
		f.id = "id-" + f.epochString()
	}
	s.folders[name] = f
	return f
}

func (f *folder) epochString() string { return strconv.FormatUint(uint64(f.epoch), 10) }

// cursor says where the folder stands. It holds what an IMAP server would tell
// in STATUS.
func (f *folder) cursor() mail.Cursor {
	return mail.Cursor(strings.Join([]string{
		f.epochString(), strconv.FormatUint(uint64(f.next), 10), strconv.FormatUint(f.modseq, 10),
	}, " "))
}

// parseCursor reads a cursor; what it cannot read counts as "never read".
func parseCursor(c mail.Cursor) (epoch string, next uint32, modseq uint64) {
	fields := strings.Fields(string(c))
	if len(fields) != 3 {
		return "", 0, 0
	}
	n, err1 := strconv.ParseUint(fields[1], 10, 32)
	m, err2 := strconv.ParseUint(fields[2], 10, 64)
	if err1 != nil || err2 != nil {
		return "", 0, 0
	}
	return fields[0], uint32(n), m
}

func (f *folder) search(key mail.Key) (int, bool) {
	return slices.BinarySearchFunc(f.messages, key, func(m *message, k mail.Key) int {
		return strings.Compare(string(m.key), string(k))
	})
}

func (f *folder) get(key mail.Key) *message {
	if i, ok := f.search(key); ok {
		return f.messages[i]
	}
	return nil
}

// put adds a message, under the next UID when it has no key.
func (f *folder) put(m *message) {
	if m.key == "" {
		m.key = mail.UIDKey(f.next)
	}
	f.next++
	f.modseq++
	m.modseq = f.modseq
	i, _ := f.search(m.key)
	f.messages = slices.Insert(f.messages, i, m)
}

func (f *folder) setFlags(m *message, flags mail.Flags) {
	if m.flags == flags {
		return
	}
	f.modseq++
	// A reader may hold the old value: messages are replaced, never written to.
	changed := *m
	changed.flags, changed.modseq = flags, f.modseq
	i, _ := f.search(m.key)
	f.messages[i] = &changed
}

// remove takes a message away and returns it.
func (f *folder) remove(key mail.Key) *message {
	i, ok := f.search(key)
	if !ok {
		return nil
	}
	m := f.messages[i]
	f.messages = slices.Delete(f.messages, i, i+1)
	f.modseq++
	f.gone = append(f.gone, removal{key, f.modseq})
	return m
}

// allowed takes away the keywords that do not fit into the folder any more.
func (f *folder) allowed(flags mail.Flags, limit int) mail.Flags {
	if limit == 0 || len(flags.Keywords()) == 0 {
		return flags
	}
	var known []string
	for _, m := range f.messages {
		known = append(known, m.flags.Keywords()...)
	}
	used := mail.NewFlags(known...)
	kept := mail.Flags{System: flags.System}
	for _, word := range flags.Keywords() {
		keyword := mail.NewFlags(word)
		grown := used.Union(keyword)
		if len(grown.Keywords()) <= max(limit, 0) {
			used, kept = grown, kept.Union(keyword)
		}
	}
	return kept
}
