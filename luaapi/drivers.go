package luaapi

import (
	"context"
	"sync"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/driver/imap"
	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/driver/maildir"
	"github.com/imapfw/imapfw/host/driver/memory"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/script"
	"github.com/imapfw/imapfw/host/timing"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// storeParams returns a definition of a store as plain data for the worker that
// opens it. It may hold a secret, or where to find it.
func storeParams(d *script.Def) (wire.Map, error) {
	plain := wire.Map{}
	for name, v := range d.Options {
		if s, ok := v.(*secret); ok {
			v, _ = s.Data()
		}
		one, err := script.Plain(v)
		if err != nil {
			return nil, err
		}
		plain[name] = one
	}
	return plain, nil
}

// driverBuilders are the kinds of stores that endpoints are made of.
func (s *services) driverBuilders() map[string]endpoint.DriverBuilder {
	return map[string]endpoint.DriverBuilder{
		kindImap: s.buildImap, kindMaildir: s.buildMaildir, kindMemory: s.buildMemory,
	}
}

func (s *services) buildImap(env worker.Env, options wire.Map) (driver.Store, error) {
	f := readMap(options)
	which, err := secretOf(options["password"])
	if err != nil {
		return nil, err
	}
	user := f.text("user")
	opts := imap.Options{
		Conn: conn.Config{
			Host: f.text("host"), Port: int(f.int("port")), TLS: tlsOf(f),
			User: user, Authzid: f.text("authzid"), Auth: f.texts("auth"),
			Password: func(ctx context.Context) (string, error) { return s.secrets.resolve(ctx, *which, user) },
			Without:  f.texts("without"), Timeout: f.age("timeout"), Insecure: f.bool("insecure"), Log: env.Log,
			Compress: compressionOf(f.m["compress"]), Line: new(conn.Line),
		},
		Connections: int(f.int("connections")), Namespace: f.text("namespace"), Path: f.text("path"),
		Separator: f.text("separator"), SubscribedOnly: f.bool("subscribed_only"), MaxAppend: f.int("max_append"),
		ReadOnly: s.readOnly(f), Log: env.Log,
	}
	retries := f.int("retries")
	if f.err != nil {
		return nil, f.err
	}
	opts.Conn.Timing = s.recorder()
	mailbox, err := imap.New(opts)
	if err != nil {
		return nil, err
	}
	store := timed(env, mailbox, opts.Conn.Timing)
	if retries == 0 {
		return store, nil
	}
	return endpoint.RetryFor(env, store, endpoint.RetryOptions{Tries: 1 + int(retries)}), nil
}

// compressionOf reads `compress`: a boolean, or "auto".
func compressionOf(v any) conn.Compression {
	switch v {
	case true:
		return conn.CompressAlways
	case false:
		return conn.CompressNever
	}
	return conn.CompressAuto
}

// tlsOf reads `tls`, a word or a table.
func tlsOf(f *fields) conn.TLS {
	if word, ok := f.m["tls"].(string); ok {
		return conn.TLS{Mode: conn.TLSMode(word)}
	}
	t := f.sub("tls")
	out := conn.TLS{
		Mode: conn.TLSMode(t.text("mode")), NoSystemCA: !t.bool("system_ca"), Fingerprint: t.text("fingerprint"),
		MinVersion: t.text("min"), ServerName: t.text("server_name"),
		CAFile: t.path("ca_file"), CertFile: t.path("cert"), KeyFile: t.path("key"),
	}
	if f.err == nil {
		f.err = t.err
	}
	return out
}

// path reads a path of this machine.
func (f *fields) path(name string) string {
	path, err := expandHome(f.text(name))
	if f.err == nil {
		f.err = err
	}
	return path
}

func (s *services) buildMaildir(env worker.Env, options wire.Map) (driver.Store, error) {
	f := readMap(options)
	opts := maildir.Options{
		Path: f.path("path"), Inbox: f.path("inbox"), Subfolders: maildir.Layout(f.text("subfolders")),
		Separator: f.text("separator"), Encoding: maildir.Encoding(f.text("encoding")),
		NoFsync: !f.bool("fsync"), InfoSeparator: f.text("info_separator"), ReadOnly: s.readOnly(f), Log: env.Log,
	}
	switch keywords := options["keywords"].(type) {
	case bool:
		opts.NoKeywords = !keywords
	case wire.Map:
		letters := readMap(keywords)
		opts.Letters = map[string]string{}
		for letter := range keywords {
			opts.Letters[letter] = letters.text(letter)
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	opts.Timing = s.recorder()
	return timed(env, maildir.New(opts), opts.Timing), nil
}

// recorder is for a driver, where its time is asked for; else nil.
func (s *services) recorder() *timing.Recorder {
	if !s.timing {
		return nil
	}
	return timing.New()
}

// timed has a driver tell what it recorded.
func timed(env worker.Env, store driver.Store, r *timing.Recorder) driver.Store {
	if r == nil {
		return store
	}
	return endpoint.TellTiming(env, store, r)
}

// readOnly reports whether a store must not be written: in a dry run, and where
// the account allows nothing that would.
func (s *services) readOnly(f *fields) bool { return s.dryRun || f.bool("read_only") }

// memories are the stores in memory of this process, by name.
type memories struct {
	mu     sync.Mutex
	stores map[string]*memory.Store
}

// store returns the store of a name, made by the first one who asks.
func (m *memories) store(name string, opts memory.Options, fill func(*memory.Store)) *memory.Store {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stores == nil {
		m.stores = map[string]*memory.Store{}
	}
	if m.stores[name] == nil {
		m.stores[name] = memory.New(opts)
		fill(m.stores[name])
	}
	return m.stores[name]
}

// memoryDate is when the first message arrived that a script puts into a store
// in memory.
const memoryDate = 1700000000

func (s *services) buildMemory(_ worker.Env, options wire.Map) (driver.Store, error) {
	f := readMap(options)
	opts := memory.Options{Maildir: f.text("like") == kindMaildir}
	folders := f.sub("folders")
	store := s.memories.store(f.text("name"), opts, func(store *memory.Store) {
		for folder := range folders.m {
			store.AddFolder(folder)
			for i, text := range folders.texts(folder) {
				store.Add(folder, memory.Message{Body: []byte(text), Date: time.Unix(memoryDate+int64(i), 0)})
			}
		}
	})
	if f.err == nil {
		f.err = folders.err
	}
	return store, f.err
}
