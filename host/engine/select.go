package engine

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/endpoint"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
)

// Selection says which folders an engine may create on the far side: those whose
// far name the patterns select. One that only the near side has would be created
// outside them otherwise. Folders that the far side has are hidden by that side,
// before they are renamed, unless Far says to do it here.
type Selection struct {
	Patterns []string
	Far      bool
	// Rename is that of the far side: patterns are for far names, the engine
	// speaks near ones. Steps with functions change nothing here.
	Rename []naming.Step
}

// around returns both sides with near folders hidden that the far side lacks and
// is not to get.
func (s Selection) around(far, near driver.Store) (driver.Store, driver.Store, error) {
	if len(s.Patterns) == 0 {
		return far, near, nil
	}
	patterns, err := naming.ParsePatterns(s.Patterns)
	if err != nil {
		return nil, nil, err
	}
	rename, err := s.rename()
	if err != nil {
		return nil, nil, err
	}
	selects := func(name string) bool {
		for _, far := range rename.FarFolders(name) {
			if patterns.Selects(far) {
				return true
			}
		}
		return false
	}
	if s.Far {
		far = endpoint.Filter(far, endpoint.FilterOptions{
			Folders: func(_ context.Context, f mail.Folder) (bool, error) { return patterns.Selects(f), nil },
		})
	}
	listed := make(chan []mail.Folder, 1)
	return &listing{far, listed}, &selected{near, listed, selects}, nil
}

func (s Selection) rename() (*naming.Rename, error) {
	var steps []naming.Step
	for _, step := range s.Rename {
		if step.Kind != naming.Pair {
			steps = append(steps, step)
		}
	}
	return naming.NewRename(steps, nil)
}

// farNames returns the far names that a near one may stand for, and the special
// uses that are renamed to it.
func (s Selection) farNames(near string) []string {
	rename, err := s.rename()
	if err != nil {
		return nil
	}
	var names []string
	for _, f := range rename.FarFolders(near) {
		names = append(append(names, f.Name), f.Attrs...)
	}
	return names
}

// listing lets the near side see what the far side listed. An engine lists both
// at the same time, once each.
type listing struct {
	driver.Store
	listed chan []mail.Folder
}

func (l *listing) Unwrap() driver.Store { return l.Store }

func (l *listing) Folders(ctx context.Context) ([]mail.Folder, error) {
	folders, err := l.Store.Folders(ctx)
	if err == nil {
		select {
		case l.listed <- folders:
		default: // nobody took the last one
		}
	}
	return folders, err
}

type selected struct {
	driver.Store
	listed  chan []mail.Folder
	selects func(name string) bool
}

func (s *selected) Unwrap() driver.Store { return s.Store }

func (s *selected) Folders(ctx context.Context) ([]mail.Folder, error) {
	folders, err := s.Store.Folders(ctx)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	select {
	case far := <-s.listed:
		for _, f := range far {
			there[f.Name] = true
		}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	for i := range folders {
		if f := &folders[i]; !there[f.Name] && !s.selects(f.Name) {
			f.Hidden = true
		}
	}
	return folders, nil
}
