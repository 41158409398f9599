package endpoint

import (
	"context"

	"github.com/imapfw/imapfw/host/driver"
)

// abilities are the optional abilities of a Store, each nil where it lacks one.
type abilities struct {
	maker   driver.FolderMaker
	remover driver.FolderRemover
	stamper driver.Stamper
}

// The names of abilities between two workers.
const (
	canMake   = "make_folders"
	canRemove = "remove_folders"
	canStamp  = "stamp"
)

// findAbilities walks a chain once for each ability.
func findAbilities(s driver.Store) abilities {
	var a abilities
	a.maker, _ = driver.As[driver.FolderMaker](s)
	a.remover, _ = driver.As[driver.FolderRemover](s)
	a.stamper, _ = driver.As[driver.Stamper](s)
	return a
}

func abilitiesOf(s driver.Store) []string {
	var out []string
	a := findAbilities(s)
	if a.maker != nil {
		out = append(out, canMake)
	}
	if a.remover != nil {
		out = append(out, canRemove)
	}
	if a.stamper != nil {
		out = append(out, canStamp)
	}
	return out
}

// over returns a chain for Unwrap in which driver.As finds exactly these
// abilities, before it goes on to next. A Store whose abilities are known only
// at run time cannot have them as methods: driver.As would find them always.
//
// A controller that changes what an ability is about (names, or whether
// anything is written) ends the chain with a nil next: what it does not know of
// must not be reached around it.
func (a abilities) over(s, next driver.Store) driver.Store {
	if a.stamper != nil {
		next = &stamperLink{link{s, next}, a.stamper}
	}
	if a.remover != nil {
		next = &removerLink{link{s, next}, a.remover}
	}
	if a.maker != nil {
		next = &makerLink{link{s, next}, a.maker}
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

type stamperLink struct {
	link
	stamper driver.Stamper
}

func (l *stamperLink) Stamp(ctx context.Context) (string, error) { return l.stamper.Stamp(ctx) }

func (l *stamperLink) SetStamp(ctx context.Context, stamp string) error {
	return l.stamper.SetStamp(ctx, stamp)
}
