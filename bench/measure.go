//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// settle is how long a Maildir is left alone before a run: tools distrust one that
// was changed within the current second, and look at it twice.
const settle = 2100 * time.Millisecond

// longest is when a run is given up.
const longest = 20 * time.Minute

// noisy is from how much CPU of others on a run is measured again.
const noisy = .25

// run is one sync of one tool, as -json writes it.
type run struct {
	Row      string  `json:"row"`
	Tool     string  `json:"tool"`
	Scenario string  `json:"scenario"`
	Corpus   string  `json:"corpus"`
	Storage  string  `json:"storage"`
	TLS      bool    `json:"tls"`
	RTT      float64 `json:"rtt_ms"`
	Pair     int     `json:"pair"`
	// Counted runs go through a proxy that only counts, and their times do not.
	Counted bool `json:"counted,omitempty"`
	usage
	ServerCPU   float64  `json:"server_cpu_s"`
	Noise       float64  `json:"noise"` // CPUs that others used meanwhile, in programs
	Up          int64    `json:"bytes_up,omitempty"`
	Down        int64    `json:"bytes_down,omitempty"`
	Connections int64    `json:"connections,omitempty"`
	Turns       int64    `json:"turns,omitempty"`
	Changed     int      `json:"changed"`
	Messages    int      `json:"messages"`
	Problems    []string `json:"problems,omitempty"`
}

// way is how the server is reached.
type way struct {
	TLS     bool
	Proxied bool // through a proxy, which counts
	RTT     time.Duration
}

// countingRTT is the round-trip time while round trips are counted: without one, an
// answer may come while the client is still speaking, and makes two turns of one.
const countingRTT = 4 * time.Millisecond

// way returns how a row is measured.
func (r row) way(counted bool) way {
	w := way{r.TLS, counted || r.RTT > 0, r.RTT}
	if counted {
		w.RTT = countingRTT
	}
	return w
}

// sync runs the tool once and measures it.
func (a *account) sync(ctx context.Context, r row, w way, hurry bool) (out run, err error) {
	out = run{
		Row: r.Name, Tool: a.tool.Name, Scenario: r.Scenario, Corpus: r.Corpus.String(), Storage: r.Storage,
		TLS: w.TLS, RTT: float64(w.RTT) / 1e6,
	}
	addr := a.server.Addr()
	if w.TLS {
		addr = a.server.TLSAddr()
	}
	var p *proxy
	if w.Proxied {
		if p, err = startProxy(ctx, addr, w.RTT); err != nil {
			return out, err
		}
		defer p.close()
		addr = p.addr()
	}
	c := client{Dir: a.dir, Mail: a.mail(), User: a.user, TLS: w.TLS, Cert: a.server.CertFile()}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return out, err
	}
	if c.Port, err = strconv.Atoi(port); err != nil {
		return out, err
	}
	if err := a.tool.configure(c, hurry); err != nil {
		return out, err
	}
	log := filepath.Join(c.Dir, "log")
	command := append([]string{a.tool.Binary}, a.tool.sync(c)...)
	noise, err := startNoise(ctx, a.server.PID())
	if err != nil {
		return out, err
	}
	if out.usage, err = timed(ctx, command, c.environ(), c.Dir, log, longest); err != nil {
		return out, err
	}
	server, level, err := noise.stop(ctx, out.User)
	if err != nil {
		return out, err
	}
	out.ServerCPU, out.Noise = server.User+server.System, level
	if p != nil {
		t := p.traffic()
		out.Up, out.Down, out.Connections, out.Turns = t.Up, t.Down, t.Connections, t.Turns
	}
	switch {
	case out.TimedOut:
		out.Problems = append(out.Problems, fmt.Sprintf("given up after %v", longest))
	case out.Exit != 0:
		out.Problems = append(out.Problems, fmt.Sprintf("exit code %d: %s", out.Exit, tail(log)))
	}
	return out, nil
}

// tail is the end of what a tool printed.
func tail(log string) string {
	text, err := os.ReadFile(log)
	if err != nil {
		return err.Error()
	}
	text = bytes.TrimSpace(text)
	return string(text[max(0, len(text)-400):])
}

// verify compares both sides with what they must hold.
func (a *account) verify(ctx context.Context, r *run) error {
	if a.tool.Blind {
		a.synced, r.Messages = true, a.want.messages()
		return nil
	}
	var far mailbox
	var farErr error
	done := make(chan struct{})
	go func() {
		defer close(done)
		farErr = a.session(ctx, func(r *remote) (err error) {
			far, err = r.mailbox(true)
			return err
		})
	}()
	near, err := readNear(a.mail(), a.tool.Added)
	<-done
	if err == nil {
		err = farErr
	}
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	a.near, a.synced = near, true
	r.Messages = a.want.messages()
	r.Problems = append(r.Problems, compare("the server", a.want, far)...)
	r.Problems = append(r.Problems, compare("the Maildir", a.want, near)...)
	if len(r.Problems) > 5 {
		r.Problems = append(r.Problems[:5], fmt.Sprintf("and %d more", len(r.Problems)-5))
	}
	return nil
}

// noise is a look at the machine before a run.
type noise struct {
	master      int
	server, our cpu
	machine     float64
	started     time.Time
}

func startNoise(ctx context.Context, master int) (noise, error) {
	n := noise{master: master}
	var err error
	if n.server, err = serverCPU(ctx, master); err != nil {
		return n, err
	}
	if n.machine, err = machineUser(); err != nil {
		return n, err
	}
	n.our, n.started = own(), time.Now()
	return n, nil
}

// stop returns what the server used, and how many CPUs neither it, nor we, nor the
// tool did, whose user time is given.
func (n noise) stop(ctx context.Context, tool float64) (server cpu, level float64, err error) {
	server, err = serverCPU(ctx, n.master)
	if err != nil {
		return cpu{}, 0, err
	}
	span := time.Since(n.started).Seconds()
	machine, err := machineUser()
	if err != nil {
		return cpu{}, 0, err
	}
	server = server.minus(n.server)
	others := machine - n.machine - server.User - own().minus(n.our).User - tool
	// Times of the system come in hundredths of a second: over less than half a
	// second, a few of them would be noise.
	return server, max(0, others) / max(span, .5), nil
}

// quiet waits for what was written to be on the disk, and for the machine to be idle.
func quiet(ctx context.Context) error {
	syscall.Sync()
	return waitQuiet(ctx)
}
