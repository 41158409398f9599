package endpoint

import (
	"context"
	"log/slog"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
)

// Trace returns a Store that logs each call when it is over, at a level: what,
// where, how many, how long, and the code of its error. No content, no header,
// no key and no name of a flag is in it.
func Trace(inner driver.Store, log *slog.Logger, level slog.Level) driver.Store {
	return &around{
		Store: inner,
		run: func(ctx context.Context, c *call, do func() error) error {
			if !log.Enabled(ctx, level) {
				return do()
			}
			began := time.Now()
			err := do()
			attrs := []slog.Attr{slog.String("op", string(c.op)), slog.Duration("took", time.Since(began))}
			if c.folder != "" {
				attrs = append(attrs, slog.String("folder", c.folder))
			}
			for _, a := range [...]slog.Attr{slog.Int("asked", c.keys), slog.Int("got", c.items), slog.Int64("octets", c.octets)} {
				if a.Value.Int64() != 0 {
					attrs = append(attrs, a)
				}
			}
			if err != nil {
				attrs = append(attrs, slog.String("failed", string(fault.CodeOf(err))))
			}
			log.LogAttrs(ctx, level, "store", attrs...)
			return err
		},
		body: func(_ context.Context, c *call, _ mail.Meta, body mail.Body) mail.Body {
			body.Reader = onRead(body.Reader, func(n int) error {
				c.octets += int64(n)
				return nil
			})
			return body
		},
	}
}
