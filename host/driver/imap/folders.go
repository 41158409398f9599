package imap

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"

	goimap "github.com/emersion/go-imap/v2"
	"golang.org/x/sync/errgroup"

	"github.com/imapfw/imapfw/host/driver/imap/conn"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// entry is a folder while its listing is being read.
type entry struct {
	mail.Folder
	box mailbox
}

// Folders lists the folders with their status: in one command where the server
// has LIST-EXTENDED and LIST-STATUS (RFC 5258, RFC 5819), else with one STATUS
// for each folder, all of them at once.
//
// A folder whose name the rest of the program cannot use has Fault set.
// Folders without subscription are hidden where only subscribed ones are asked
// for: they are not gone.
func (d *Driver) Folders(ctx context.Context) ([]mail.Folder, error) {
	var list []*entry
	err := d.with(ctx, "", true, func(ctx context.Context, s *session) (err error) {
		list, err = d.list(ctx, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	folders := make([]mail.Folder, 0, len(list))
	listed := make(map[string]mailbox, len(list))
	for _, e := range list {
		if _, double := listed[e.Name]; double {
			e.Fault = "another folder of the server has the same name here: " + e.Name
			e.Name = e.Raw
			e.box.name = e.Raw // not to be taken for the other one
		}
		if _, double := listed[e.Name]; double {
			d.log.Warn("a folder is left out, its name is another one's", "folder", e.Raw)
			continue
		}
		listed[e.Name] = e.box
		if d.opts.SubscribedOnly && !e.Subscribed && e.Name != mail.Inbox {
			e.Hidden = true
		}
		folders = append(folders, e.Folder)
	}
	d.names.known(listed)
	slices.SortFunc(folders, func(a, b mail.Folder) int { return strings.Compare(a.Name, b.Name) })
	return folders, nil
}

// list asks for all folders, and for their status.
func (d *Driver) list(ctx context.Context, s *session) ([]*entry, error) {
	extended := s.Has(goimap.CapListExtended)
	items := ""
	if extended && s.Has(goimap.CapListStatus) {
		items = statusItems(s)
	}
	list, byRaw, err := d.sendList(ctx, s, items)
	if err != nil {
		return nil, err
	}
	if !extended {
		if err := subscriptions(ctx, s, byRaw); err != nil {
			return nil, err
		}
	}
	if items == "" {
		err = statuses(ctx, s, list, byRaw)
	}
	dropSharedIDs(list)
	for _, e := range list {
		d.facts.limited(e.box.name, e.Limit)
		e.Limit = d.limit(e.box)
	}
	return list, err
}

// sendList sends LIST, where items are given with the status of each folder.
func (d *Driver) sendList(ctx context.Context, s *session, items string) (list []*entry, byRaw map[string]*entry, err error) {
	cmd := conn.Cmd("LIST").Text("").Text("*")
	if s.Has(goimap.CapListExtended) {
		cmd.Raw("RETURN (SUBSCRIBED CHILDREN")
		if s.Has(goimap.CapSpecialUse) {
			cmd.Raw("SPECIAL-USE")
		}
		if items != "" {
			cmd.Raw("STATUS (" + items + ")")
		}
		cmd.Raw(")")
	}
	byRaw = map[string]*entry{}
	_, err = d.peek(ctx, s, items != "", cmd, func(r *conn.Response) error {
		if r.Name == "STATUS" {
			if len(r.Fields) > 0 {
				if e := byRaw[rawKey(r.Fields[0].Text)]; e != nil {
					e.takeStatus(statusOf(r))
				}
			}
			return nil
		}
		if e := d.entryOf(r, s.UTF8()); e != nil && byRaw[rawKey(e.Raw)] == nil {
			byRaw[rawKey(e.Raw)] = e
			list = append(list, e)
		}
		return nil
	}, "LIST", "STATUS")
	return list, byRaw, err
}

// dropSharedIDs takes away the IDs that several folders have: the administrator
// has copied one of them.
func dropSharedIDs(list []*entry) {
	seen := map[string]int{}
	for _, e := range list {
		seen[e.ID]++
	}
	for _, e := range list {
		if seen[e.ID] > 1 {
			e.ID = ""
		}
	}
}

// rawKey is what names of the server are compared by.
func rawKey(raw string) string {
	if strings.EqualFold(raw, mail.Inbox) {
		return mail.Inbox
	}
	return raw
}

// entryOf reads a LIST response (RFC 9051 section 7.3.1), nil for one that does
// not concern us.
func (d *Driver) entryOf(r *conn.Response, utf8 bool) *entry {
	if len(r.Fields) < 3 {
		return nil
	}
	raw := r.Fields[2].Text
	box, complaint, ok := d.names.fromServer(raw, r.Fields[1].Text, utf8)
	if !ok {
		return nil
	}
	e := &entry{box: box}
	e.Folder = mail.Folder{
		Name: box.name, Raw: raw, Attrs: r.Fields[0].Strings(), Count: -1, Fault: complaint,
	}
	e.Subscribed = e.HasAttr(`\Subscribed`)
	if !e.Selectable() {
		e.Fault = "" // no mail is in it
	}
	return e
}

// subscriptions asks a server without LIST-EXTENDED.
func subscriptions(ctx context.Context, s *session, byRaw map[string]*entry) error {
	_, err := s.Do(ctx, conn.Cmd("LSUB").Text("").Text("*"), func(r *conn.Response) error {
		if len(r.Fields) >= 3 {
			if e := byRaw[rawKey(r.Fields[2].Text)]; e != nil {
				e.Subscribed = true
			}
		}
		return nil
	}, "LSUB", "LIST")
	if s.refused(ctx, err) {
		return nil // it has no subscriptions
	}
	return err
}

// status is what STATUS tells.
type status struct {
	position
	validity uint32
	count    int    // -1 when not told
	limit    int64  // APPENDLIMIT, 0 when not told or NIL
	id       string // MAILBOXID (RFC 8474)
}

func statusOf(r *conn.Response) status {
	number := func(item string) (uint64, bool) {
		v, ok := r.Item(item)
		if !ok {
			return 0, false
		}
		return v.Uint()
	}
	st := status{count: -1}
	if n, ok := number("MESSAGES"); ok {
		st.count, st.messages = int(n), uint32(n)
	}
	if n, ok := number("UIDNEXT"); ok {
		st.uidNext = uint32(n)
	}
	if n, ok := number("UIDVALIDITY"); ok {
		st.validity = uint32(n)
	}
	st.modSeq, _ = number("HIGHESTMODSEQ")
	if n, ok := number("APPENDLIMIT"); ok {
		st.limit = int64(min(n, math.MaxInt64))
	}
	if id, ok := r.Item("MAILBOXID"); ok && len(id.List) == 1 {
		st.id = id.List[0].Text
	} else if id, ok := r.Item(guid); ok {
		st.id = id.Text
	}
	return st
}

func (e *entry) takeStatus(st status) {
	e.Count, e.Limit, e.ID = st.count, st.limit, st.id
	if st.validity == 0 {
		return
	}
	e.Epoch = epochOf(st.validity)
	if st.count >= 0 {
		e.Cursor = st.complete()
	}
}

// statusBatch is how many STATUS commands are on their way at once.
const statusBatch = 200

// statuses asks for the status of each folder. One that is refused stays
// unknown.
func statuses(ctx context.Context, s *session, list []*entry, byRaw map[string]*entry) error {
	asked := slices.DeleteFunc(slices.Clone(list), func(e *entry) bool { return !e.Selectable() || e.Fault != "" })
	for batch := range slices.Chunk(asked, statusBatch) {
		told := make(map[*entry]status, len(batch))
		var mu sync.Mutex // of told: any of the commands may be given the answer to another
		var all errgroup.Group
		for _, e := range batch {
			all.Go(func() error {
				return fault.Contain("status", func() error {
					cmd := e.box.add(conn.Cmd("STATUS")).Raw("(" + statusItems(s) + ")")
					_, err := s.Do(ctx, cmd, func(r *conn.Response) error {
						if len(r.Fields) == 0 {
							return nil
						}
						if of := byRaw[rawKey(r.Fields[0].Text)]; of != nil {
							mu.Lock()
							defer mu.Unlock()
							told[of] = statusOf(r)
						}
						return nil
					}, "STATUS")
					if s.refused(ctx, err) {
						return nil
					}
					return err
				})
			})
		}
		if err := all.Wait(); err != nil {
			return err
		}
		for e, st := range told {
			e.takeStatus(st)
		}
	}
	return nil
}

// statusItems are what is asked about a folder in a listing.
func statusItems(s *session) string {
	items := "MESSAGES UIDNEXT UIDVALIDITY"
	if s.Has(goimap.CapCondStore) {
		items += " HIGHESTMODSEQ"
	}
	if limitsByFolder(s) {
		items += " APPENDLIMIT"
	}
	if s.Has("OBJECTID") {
		items += " MAILBOXID"
	}
	return items
}
