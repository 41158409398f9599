package luaapi

import (
	"context"
	"slices"

	"github.com/imapfw/imapfw/host/driver"
)

// abilities are the optional abilities of a Store; nil where it lacks one.
type abilities struct {
	maker   driver.FolderMaker
	remover driver.FolderRemover
	stamper driver.Stamper
}

// The names of abilities for scripts.
const (
	canMake   = "create_folder"
	canRemove = "delete_folder"
	canStamp  = "stamp"
)

func abilitiesOf(s driver.Store) abilities {
	var a abilities
	a.maker, _ = driver.As[driver.FolderMaker](s)
	a.remover, _ = driver.As[driver.FolderRemover](s)
	a.stamper, _ = driver.As[driver.Stamper](s)
	return a
}

func (a abilities) names() []string {
	var out []string
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

// only leaves out the abilities that are not named.
func (a abilities) only(names []string) abilities {
	if !slices.Contains(names, canMake) {
		a.maker = nil
	}
	if !slices.Contains(names, canRemove) {
		a.remover = nil
	}
	if !slices.Contains(names, canStamp) {
		a.stamper = nil
	}
	return a
}

// chain returns the rest of a walk of driver.As, in which exactly these
// abilities are found. A Store whose abilities are known only at run time cannot
// have them as methods: driver.As would find them always.
func (a abilities) chain(s driver.Store) driver.Store {
	var next driver.Store
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

// link is one step of the walk. As a Store it is the one it belongs to.
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
