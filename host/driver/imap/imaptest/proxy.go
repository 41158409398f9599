package imaptest

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Proxy stands between a client and a plain-text server. It records the lines
// that cross, without the literals, and lets a test change, answer or cut them.
// It does not understand TLS or COMPRESS.
//
// The fields are set before Start. Functions are called on the connections'
// goroutines, several at once where the client has several connections.
type Proxy struct {
	Target string // host:port of the server
	// Delay holds back every piece of data for this long, in each direction.
	// The bandwidth stays what it is.
	Delay time.Duration
	// Client sees each line of the client without its CRLF. It returns what is
	// sent to the client in place of passing the line on ("A1 NO busy"), or ""
	// to pass it on. The rest of a command whose line was answered
	// is swallowed, with the literals in it.
	Client func(line string) string
	// Server sees each line of the server without its CRLF, and returns what the
	// client gets: the line, other lines, or none.
	Server func(line string) []string
	// Literal sees the size of each literal of the server and returns how much
	// of it passes; less than its size cuts the connection there.
	Literal func(size int64) int64

	mu      sync.Mutex
	trace   []string
	in      net.Listener
	pairs   map[*pair]struct{}
	count   int
	turns   int
	serving sync.WaitGroup
}

// pair is a client's connection and ours to the server.
type pair struct {
	client, server net.Conn
	asked          bool // the last line of the two was the client's
}

func (p *pair) cut() {
	_ = p.client.Close()
	_ = p.server.Close()
}

// Start listens on a free port of 127.0.0.1.
func (p *Proxy) Start(ctx context.Context) error {
	in, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.in, p.pairs = in, map[*pair]struct{}{}
	p.serving.Go(func() {
		for {
			client, err := in.Accept()
			if err != nil {
				return
			}
			p.serving.Go(func() { p.serve(client) })
		}
	})
	return nil
}

// Addr returns host:port where the client connects.
func (p *Proxy) Addr() string { return p.in.Addr().String() }

// Close cuts everything and waits for the proxy's goroutines.
func (p *Proxy) Close() error {
	err := p.in.Close()
	p.Cut()
	p.serving.Wait()
	return err
}

// Cut cuts all the connections there are now.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pair := range p.pairs {
		pair.cut()
	}
}

// Trace returns the lines since the last call, "C: " before those of the client,
// "S: " before those of the server.
func (p *Proxy) Trace() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	trace := p.trace
	p.trace = nil
	return trace
}

// Commands returns the client's lines since the last call, without their tags.
func (p *Proxy) Commands() []string {
	var out []string
	for _, line := range p.Trace() {
		if command, ok := strings.CutPrefix(line, "C: "); ok {
			if _, rest, ok := strings.Cut(command, " "); ok {
				command = rest
			}
			out = append(out, command)
		}
	}
	return out
}

// Connections returns how many connections the client has made so far.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Turns returns how often a client has said something after the server had, since
// the last call: the round trips of what was not sent ahead. With a Delay longer
// than what the client needs to send its next line it is exact; without one, an
// answer may cross a line that was sent ahead, which then counts.
func (p *Proxy) Turns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	turns := p.turns
	p.turns = 0
	return turns
}

func (p *Proxy) note(both *pair, client bool, line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if client && !both.asked {
		p.turns++
	}
	both.asked = client
	who := "S: "
	if client {
		who = "C: "
	}
	p.trace = append(p.trace, who+line)
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.Target)
	if err != nil {
		_ = client.Close()
		return
	}
	both := &pair{client: client, server: server}
	defer both.cut()
	p.mu.Lock()
	p.pairs[both] = struct{}{}
	p.count++
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.pairs, both)
	}()

	toClient, toServer := newDelayed(client, p.Delay), newDelayed(server, p.Delay)
	var pumps sync.WaitGroup
	pumps.Go(func() {
		p.fromServer(both, bufio.NewReader(server), toClient)
		toClient.end()
		both.cut()
	})
	p.fromClient(both, bufio.NewReader(client), toServer, toClient)
	toServer.end()
	both.cut()
	pumps.Wait()
}

func (p *Proxy) fromClient(both *pair, in *bufio.Reader, server, client io.Writer) {
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		text := strings.TrimRight(line, "\r\n")
		p.note(both, true, text)
		answer := ""
		if p.Client != nil {
			answer = p.Client(text)
		}
		size, wait := LiteralSize(text)
		if answer != "" {
			for size >= 0 && !wait {
				_, _ = io.CopyN(io.Discard, in, size)
				more, err := in.ReadString('\n')
				if err != nil {
					return
				}
				size, wait = LiteralSize(strings.TrimRight(more, "\r\n"))
			}
			_, _ = io.WriteString(client, answer+"\r\n")
			continue
		}
		if _, err := io.WriteString(server, line); err != nil {
			return
		}
		if size > 0 {
			if _, err := io.CopyN(server, in, size); err != nil {
				return
			}
		}
	}
}

func (p *Proxy) fromServer(both *pair, in *bufio.Reader, client io.Writer) {
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		text := strings.TrimRight(line, "\r\n")
		p.note(both, false, text)
		out := []string{text}
		if p.Server != nil {
			out = p.Server(text)
		}
		for _, l := range out {
			if _, err := io.WriteString(client, l+"\r\n"); err != nil {
				return
			}
		}
		size, _ := LiteralSize(text)
		if size <= 0 {
			continue
		}
		pass := size
		if p.Literal != nil {
			pass = p.Literal(size)
		}
		if _, err := io.CopyN(client, in, pass); err != nil || pass < size {
			return
		}
	}
}

// LiteralSize returns the size of the literal that a line announces, -1 without
// one, and whether the sender waits for a continuation before it sends it.
func LiteralSize(line string) (size int64, wait bool) {
	open := strings.LastIndexByte(line, '{')
	if open < 0 || !strings.HasSuffix(line, "}") {
		return -1, false
	}
	digits := line[open+1 : len(line)-1]
	wait = !strings.HasSuffix(digits, "+")
	digits = strings.TrimSuffix(digits, "+")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return -1, false
	}
	for _, d := range digits {
		size = size*10 + int64(d-'0')
	}
	return size, wait
}
