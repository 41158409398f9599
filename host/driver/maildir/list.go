package maildir

import (
	"context"

	"github.com/imapfw/imapfw/host/mail"
)

// Folders lists the folders on disk. It looks at the times of their directories
// and reads no mail; the number of messages is not told.
func (s *Store) Folders(ctx context.Context) ([]mail.Folder, error) {
	const op = "list folders"
	ctx, done, err := s.begin(ctx, op, "")
	if err != nil {
		return nil, err
	}
	defer done()
	list, err := s.layout.folders(ctx, s.opts.Timing)
	if err != nil {
		return nil, err
	}
	now, err := s.lock.now()
	if err != nil {
		return nil, ioFault(op, "", err)
	}
	var out []mail.Folder
	for _, one := range list {
		entry := mail.Folder{Name: one.name, Raw: one.dir, Count: -1, Fault: one.why}
		f := folder{dir: one.dir}
		var marked bool
		if entry.Epoch, marked, err = readEpoch(one.dir); err == nil {
			if entry.Fault == "" {
				entry.ID = folderID(entry.Epoch, marked)
			}
			var t times
			if t, err = f.times(); err == nil {
				entry.Cursor = s.cursor(t, now, t.settled(now))
			}
		}
		if missing(err) { // removed since
			continue
		}
		if forbidden(err) {
			if entry.Fault == "" {
				entry.Fault = cannotRead(err)
			}
			err = nil
		}
		if err != nil {
			return nil, ioFault(op, one.name, err)
		}
		out = append(out, entry)
	}
	dropSharedIDs(out)
	return out, nil
}

// dropSharedIDs takes away the IDs that several folders have: one of them is
// somebody's copy of the other, and nobody can tell which.
func dropSharedIDs(list []mail.Folder) {
	seen := map[string]int{}
	for _, f := range list {
		seen[f.ID]++
	}
	for i := range list {
		if seen[list[i].ID] > 1 {
			list[i].ID = ""
		}
	}
}
