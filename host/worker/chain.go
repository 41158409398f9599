package worker

import (
	"context"
	"slices"
)

type chainKey struct{}

// link is one worker in the chain of calls that led here.
type link struct {
	name   string
	caller *link
}

// Chain returns the names of the workers whose calls led to ctx, the outermost
// first. The last one is the worker that was given ctx.
func Chain(ctx context.Context) []string {
	var names []string
	l, _ := ctx.Value(chainKey{}).(*link)
	for ; l != nil; l = l.caller {
		names = append(names, l.name)
	}
	slices.Reverse(names)
	return names
}

// withLink returns ctx with one more worker at the end of its chain, unless it
// is there already.
func withLink(ctx context.Context, name string) context.Context {
	l, _ := ctx.Value(chainKey{}).(*link)
	if name == "" || l != nil && l.name == name {
		return ctx
	}
	return context.WithValue(ctx, chainKey{}, &link{name, l})
}

func withChain(ctx context.Context, names []string) context.Context {
	for _, name := range names {
		ctx = withLink(ctx, name)
	}
	return ctx
}

func inChain(ctx context.Context, name string) bool {
	l, _ := ctx.Value(chainKey{}).(*link)
	for ; l != nil; l = l.caller {
		if l.name == name {
			return true
		}
	}
	return false
}
