package imap

import (
	"context"
	"time"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
)

// stale is for how long a connection may lie idle before it is asked whether it
// still works: routers forget connections without telling.
const stale = 2 * time.Minute

// Open makes the first connection, so that a wrong password or host is told
// here, and learns how the server names folders. It may be called again after it
// failed.
func (d *Driver) Open(ctx context.Context) error {
	return d.with(ctx, "", true, d.learnNames)
}

// Close ends all connections and waits for what is in progress on them.
func (d *Driver) Close() error {
	d.pool.close()
	return nil
}

func (d *Driver) dial(ctx context.Context) (*session, error) {
	c, err := conn.Dial(ctx, d.opts.Conn)
	if err != nil {
		return nil, err
	}
	s := &session{Conn: c, facts: &d.facts, examine: d.opts.ReadOnly, used: time.Now()}
	d.serverLimit.Store(serverLimit(s))
	d.collector.offered(c.AppendsSeveral())
	return s, nil
}

// with runs fn on a session. Where the connection turns out to be dead, fn is
// run once more on another one, if it is safe to repeat.
func (d *Driver) with(ctx context.Context, folder string, repeat bool, fn func(context.Context, *session) error) error {
	dead, err := d.once(ctx, folder, fn)
	if err == nil || !dead || !repeat || ctx.Err() != nil || d.pool.isClosed() {
		return d.closedErr(err)
	}
	d.log.Debug("connection lost, trying again on a new one", "folder", folder, "error", err)
	_, err = d.once(ctx, folder, fn)
	return d.closedErr(err)
}

// once runs fn on a session, and tells whether the connection died of it.
func (d *Driver) once(ctx context.Context, folder string, fn func(context.Context, *session) error) (dead bool, err error) {
	s, err := d.borrow(ctx, folder)
	if err != nil {
		return false, err
	}
	defer d.pool.giveBack(s)
	err = fn(ctx, s)
	return !s.alive(), err
}

// borrow borrows a session that was not found dead.
func (d *Driver) borrow(ctx context.Context, folder string) (*session, error) {
	for {
		s, fresh, err := d.pool.borrow(ctx, folder)
		if err != nil || fresh || time.Since(s.used) < stale {
			return s, err
		}
		if _, err := s.Do(ctx, conn.Cmd("NOOP"), nil); err == nil {
			return s, nil
		}
		s.close()
		d.pool.giveBack(s)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
}

// closedErr replaces the errors of connections that Close cut.
func (d *Driver) closedErr(err error) error {
	if err != nil && d.pool.isClosed() {
		return errClosed()
	}
	return err
}

// learnNames learns prefixes and the separator from NAMESPACE, or asks for the
// separator where the server does not tell.
func (d *Driver) learnNames(ctx context.Context, s *session) error {
	var prefix, delim string
	var others []string
	told := false
	if r := s.Namespaces(); r != nil {
		for i, v := range r.Fields {
			for j, space := range v.List {
				if len(space.List) < 2 {
					continue
				}
				p, _ := s.DecodeName(space.List[0].Text)
				if i == 0 && j == 0 {
					prefix, delim, told = p, space.List[1].Text, true
				} else if p != "" {
					others = append(others, p)
				}
			}
		}
	}
	if told {
		d.names.learn(prefix, delim, others, s.UTF8())
		return nil
	}
	delim = "/"
	_, err := s.Do(ctx, conn.Cmd("LIST").Text("").Text(""), func(r *conn.Response) error {
		if len(r.Fields) >= 3 {
			delim = r.Fields[1].Text // empty for NIL
		}
		return nil
	}, "LIST")
	if err == nil {
		d.names.learn("", delim, nil, s.UTF8())
	}
	return err
}

// toWrite is asked before anything is written.
func (d *Driver) toWrite(op, folder string) error {
	if d.opts.ReadOnly {
		return fault.New(fault.ReadOnly, op, "the account is open for reading only").InFolder(folder)
	}
	return nil
}

// readOnly is the error for a change to a folder that takes none.
func readOnly(op, folder string) error {
	return fault.New(fault.ReadOnly, op, "the server opens it read-only").InFolder(folder)
}
