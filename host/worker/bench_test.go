package worker_test

import (
	"context"
	"testing"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/worker"
)

// BenchmarkCall is a call that carries the keys of a folder of 500 messages.
func BenchmarkCall(b *testing.B) {
	var keys mail.KeySet
	for uid := uint32(1); uid < 1000; uid += 2 {
		keys.AddUIDs(uid, uid)
	}
	for _, m := range modes {
		b.Run(m.name, func(b *testing.B) {
			h := worker.NewHost(worker.Options{Registry: registry(nil), Strict: m.strict, Command: command("test-child")})
			defer func() { _ = h.Close(context.Background()) }()
			if err := h.Start(context.Background(), worker.Spec{Name: "probe", Kind: "probe", Backend: m.backend}); err != nil {
				b.Fatal(err)
			}
			c := h.Channel("probe")
			for b.Loop() {
				if _, err := c.Call(context.Background(), &worker.Call{Op: "echo", Args: keys}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStream is content on its way from a worker.
func BenchmarkStream(b *testing.B) {
	for _, m := range modes {
		b.Run(m.name, func(b *testing.B) {
			h := worker.NewHost(worker.Options{Registry: registry(nil), Strict: m.strict, Command: command("test-child")})
			defer func() { _ = h.Close(context.Background()) }()
			if err := h.Start(context.Background(), worker.Spec{Name: "probe", Kind: "probe", Backend: m.backend}); err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			s, err := h.Channel("probe").Open(ctx, "produce", int64(1<<40))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(worker.MaxChunk)
			for b.Loop() {
				if _, err := s.Recv(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
