package luaapi

import (
	"context"
	"os"
	"sync"

	"github.com/imapfw/imapfw/host/fault"
)

// secrets finds out what secrets are, each of them once per run and process,
// however many connections ask. A failure is not kept: the next one asks again.
type secrets struct {
	getenv func(string) (string, bool)
	prompt func(ctx context.Context, text string) (string, error)

	asking chan struct{} // in it while somebody is asked: one question at a time

	mu    sync.Mutex
	known map[secret]*resolving
}

// resolving is one secret that is being found out, or was.
type resolving struct {
	done  chan struct{}
	value string
	err   error
}

func newSecrets() *secrets {
	return &secrets{getenv: os.LookupEnv, prompt: promptTerminal, asking: make(chan struct{}, 1), known: map[secret]*resolving{}}
}

// resolve returns the secret. who is the user it is for, where the way needs to
// know. Errors name the way, never a value.
func (s *secrets) resolve(ctx context.Context, which secret, who string) (string, error) {
	if which.kind == secretLiteral {
		return which.value, nil
	}
	key := secret{which.kind, which.value, which.user + "\x00" + who}
	for {
		s.mu.Lock()
		r, busy := s.known[key]
		if !busy {
			r = &resolving{done: make(chan struct{})}
			s.known[key] = r
		}
		s.mu.Unlock()
		if !busy {
			r.value, r.err = s.ask(ctx, which, who)
			if r.err != nil {
				s.mu.Lock()
				delete(s.known, key)
				s.mu.Unlock()
			}
			close(r.done)
			return r.value, r.err
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return "", fault.Wrap(fault.Stopped, "find the password", context.Cause(ctx))
		}
		// What failed because its own caller gave up says nothing about ours.
		if r.err == nil || fault.CodeOf(r.err) != fault.Stopped {
			return r.value, r.err
		}
	}
}

// asks reports whether somebody may be asked for the secret: a password manager asks
// on the terminal, too, or in a window.
func (s secret) asks() bool {
	return s.kind == secretPrompt || s.kind == secretCommand || s.kind == secretKeyring
}

func (s *secrets) ask(ctx context.Context, which secret, who string) (string, error) {
	if which.asks() {
		select {
		case s.asking <- struct{}{}:
			defer func() { <-s.asking }()
		case <-ctx.Done():
			return "", fault.Wrap(fault.Stopped, "find the password", context.Cause(ctx))
		}
	}
	switch which.kind {
	case secretCommand:
		return firstLineOfCommand(ctx, which.value)
	case secretFile:
		return firstLineOfFile(which.value)
	case secretEnv:
		if value, ok := s.getenv(which.value); ok && value != "" {
			return value, nil
		}
		return "", fault.New(fault.Auth, "find the password", "the environment variable %s is not set", which.value)
	case secretNetrc:
		return netrcPassword(which.value, who)
	case secretPrompt:
		return s.prompt(ctx, which.value)
	case secretKeyring:
		return keyringPassword(ctx, which.value, which.user)
	}
	return "", fault.New(fault.Internal, "find the password", "there is no way called %q", which.kind)
}
