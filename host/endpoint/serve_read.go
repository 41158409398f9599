package endpoint

import (
	"context"
	"slices"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/wire"
	"github.com/imapfw/imapfw/host/worker"
)

// headerBytes is how much of headers one item holds, but for a single one that
// is longer.
const headerBytes = 256 << 10

// longestHeader is how much of one header crosses a border: real ones have a
// few kilobytes, and a Value has a limit.
const longestHeader = 8 << 20

func (s *Server) changes(ctx context.Context, call *worker.Call) (wire.Value, error) {
	args := read(call.Args)
	ref, since := args.ref(), mail.Cursor(args.text("since"))
	if args.err != nil {
		return nil, args.err
	}
	res, err := s.store.Changes(ctx, ref, since, func(metas []mail.Meta) error {
		return call.Stream.Send(ctx, wire.Map{"metas": slices.Clone(metas)})
	})
	if err = sendFailed(ctx, call.Stream, err); err != nil {
		return nil, err
	}
	if err := sendKeys(ctx, call.Stream, "present", res.Present); err != nil {
		return nil, err
	}
	if err := sendKeys(ctx, call.Stream, "gone", res.Gone); err != nil {
		return nil, err
	}
	return encodeResult(res), nil
}

func (s *Server) describe(ctx context.Context, call *worker.Call) (wire.Value, error) {
	args := read(call.Args)
	ref, want := args.ref(), mail.Items(args.int("want"))
	keys, err := recvKeys(ctx, call.Stream, args)
	if err != nil {
		return nil, err
	}
	err = s.store.Describe(ctx, ref, keys, want, func(ds []mail.Description) error {
		for len(ds) > 0 {
			n, size := 0, 0
			for n < len(ds) && (n == 0 || size+len(ds[n].Header) <= headerBytes) {
				size += len(ds[n].Header)
				n++
			}
			if err := call.Stream.Send(ctx, encodeDescriptions(ds[:n])); err != nil {
				return err
			}
			ds = ds[n:]
		}
		return nil
	})
	return nil, sendFailed(ctx, call.Stream, err)
}

func encodeDescriptions(ds []mail.Description) wire.Map {
	metas, headers, sizes := make([]mail.Meta, len(ds)), make(wire.List, len(ds)), make(wire.List, len(ds))
	for i, d := range ds {
		metas[i], sizes[i] = d.Meta, d.CRLFSize
		if d.Header != nil {
			headers[i] = slices.Clone(d.Header[:min(len(d.Header), longestHeader)])
		}
	}
	return wire.Map{"metas": metas, "headers": headers, "sizes": sizes}
}

func decodeDescriptions(f *fields) ([]mail.Description, error) {
	metas, headers, sizes := f.metas("metas"), f.list("headers"), f.list("sizes")
	if f.err == nil && (len(headers) != len(metas) || len(sizes) != len(metas)) {
		f.err = malformed("descriptions of %d, %d and %d messages", len(metas), len(headers), len(sizes))
	}
	if f.err != nil {
		return nil, f.err
	}
	out := make([]mail.Description, len(metas))
	for i, m := range metas {
		header, _ := headers[i].([]byte)
		size, _ := sizes[i].(int64)
		out[i] = mail.Description{Meta: m, Header: header, CRLFSize: size}
	}
	return out, nil
}

func (s *Server) bodies(ctx context.Context, call *worker.Call) (wire.Value, error) {
	args := read(call.Args)
	ref := args.ref()
	keys, err := recvKeys(ctx, call.Stream, args)
	if err != nil {
		return nil, err
	}
	err = s.store.Bodies(ctx, ref, keys, func(m mail.Meta, body mail.Body) error {
		head := wire.Map{"metas": []mail.Meta{m}, "size": body.Size, "ends": int64(body.LineEnds), "altered": body.Altered}
		if err := call.Stream.Send(ctx, head); err != nil {
			return err
		}
		// The other end decides what a body that could not be read means.
		_, err := sendBody(ctx, call.Stream, body)
		return err
	})
	return nil, sendFailed(ctx, call.Stream, err)
}

// recvKeys takes the key set of a call: the first part is among the arguments,
// the others follow on the stream.
func recvKeys(ctx context.Context, s worker.Stream, args *fields) (mail.KeySet, error) {
	var all mail.KeySet
	all.AddSet(args.keys("keys"))
	for range args.int("more") {
		v, err := s.Recv(ctx)
		if err != nil {
			return all, err
		}
		part := read(v)
		all.AddSet(part.keys("keys"))
		if part.err != nil {
			return all, part.err
		}
	}
	return all, args.err
}

// failedPerItem is how many messages that failed one item tells.
const failedPerItem = 500

// sendFailed sends the messages that failed, and returns what is left of err. A
// *driver.Partial does not cross a border by itself.
func sendFailed(ctx context.Context, s worker.Stream, err error) error {
	p, ok := driver.AsPartial(err)
	if !ok {
		return err
	}
	for part := range slices.Chunk(encodeFailed(p), failedPerItem) {
		if err := s.Send(ctx, wire.Map{"failed": part}); err != nil {
			return err
		}
	}
	return nil
}
