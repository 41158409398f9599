package endpoint

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
)

// Abilities are the optional abilities of a Store, each nil where it lacks one.
type Abilities struct {
	Maker   driver.FolderMaker
	Remover driver.FolderRemover
	Renamer driver.FolderRenamer
	Stamper driver.Stamper
}

// The names of abilities between two workers.
const (
	canMake   = "make_folders"
	canRemove = "remove_folders"
	canRename = "rename_folders"
	canStamp  = "stamp"
)

// FindAbilities walks a chain once for each ability.
func FindAbilities(s driver.Store) Abilities {
	var a Abilities
	a.Maker, _ = driver.As[driver.FolderMaker](s)
	a.Remover, _ = driver.As[driver.FolderRemover](s)
	a.Renamer, _ = driver.As[driver.FolderRenamer](s)
	a.Stamper, _ = driver.As[driver.Stamper](s)
	return a
}

func abilitiesOf(s driver.Store) []string {
	var out []string
	a := FindAbilities(s)
	if a.Maker != nil {
		out = append(out, canMake)
	}
	if a.Remover != nil {
		out = append(out, canRemove)
	}
	if a.Renamer != nil {
		out = append(out, canRename)
	}
	if a.Stamper != nil {
		out = append(out, canStamp)
	}
	return out
}

// Over returns a chain for Unwrap in which driver.As finds exactly these
// abilities, before it goes on to next. A Store whose abilities are known only
// at run time cannot have them as methods: driver.As would find them always.
//
// A controller that changes what an ability is about (names, or whether
// anything is written) ends the chain with a nil next: what it does not know of
// must not be reached around it.
func (a Abilities) Over(s, next driver.Store) driver.Store {
	if a.Stamper != nil {
		next = &stamperLink{link{s, next}, a.Stamper}
	}
	if a.Renamer != nil {
		next = &renamerLink{link{s, next}, a.Renamer}
	}
	if a.Remover != nil {
		next = &removerLink{link{s, next}, a.Remover}
	}
	if a.Maker != nil {
		next = &makerLink{link{s, next}, a.Maker}
	}
	return next
}

// link is one step of the walk. As a Store it is the controller it belongs to.
type link struct {
	driver.Store
	next driver.Store
}

func (l link) Unwrap() driver.Store { return l.next }

type makerLink struct {
	link
	maker driver.FolderMaker
}

func (l *makerLink) CreateFolder(ctx context.Context, name string) error {
	return l.maker.CreateFolder(ctx, name)
}

func (l *makerLink) Subscribe(ctx context.Context, name string) error {
	return l.maker.Subscribe(ctx, name)
}

type removerLink struct {
	link
	remover driver.FolderRemover
}

func (l *removerLink) RemoveFolder(ctx context.Context, name string) error {
	return l.remover.RemoveFolder(ctx, name)
}

type renamerLink struct {
	link
	renamer driver.FolderRenamer
}

func (l *renamerLink) RenameFolder(ctx context.Context, from, to string) error {
	return l.renamer.RenameFolder(ctx, from, to)
}

type stamperLink struct {
	link
	stamper driver.Stamper
}

func (l *stamperLink) Stamp(ctx context.Context) (string, error) { return l.stamper.Stamp(ctx) }

func (l *stamperLink) SetStamp(ctx context.Context, stamp string) error {
	return l.stamper.SetStamp(ctx, stamp)
}
