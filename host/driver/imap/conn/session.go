package conn

import (
	"bufio"
	"bytes"
	"errors"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/timing"
)

// session is a connection until it is signed in: one command at a time, no
// tokenizer, no imapclient.
type session struct {
	cfg   Config
	log   *slog.Logger
	trace *tracer
	meter *meter

	stream    net.Conn // the meter, or TLS on it
	br        *bufio.Reader
	encrypted bool

	caps     capabilities
	capsRead bool // the server told them since this was last cleared
	serverID map[string]string
	enabled  []string
	spaces   *Response // what NAMESPACE was answered
	private  bool      // what is sent is secret
	secrets  []string  // never to be seen in a trace or an error
	goodbye  string
	tag      int

	// roundTrip is the shortest that anything took to be answered, so it is no
	// less than the line's.
	roundTrip time.Duration
}

// maxSetupLine bounds what a server says before it is signed in to.
const maxSetupLine = 64 << 10

// newSession begins on a socket; reached is how long it took to reach the other
// end.
func newSession(cfg Config, raw net.Conn, reached time.Duration) *session {
	s := &session{
		roundTrip: reached,
		cfg:       cfg, log: cfg.Log, trace: newTracer(cfg.Trace),
		meter: newMeter(raw, cfg.Timeout, cfg.Line),
		caps:  capabilities{without: cfg.Without},
	}
	s.meter.timing = cfg.Timing
	s.use(s.meter)
	return s
}

// use reads and writes stream from now on.
func (s *session) use(stream net.Conn) {
	s.stream = stream
	s.br = bufio.NewReader(stream)
}

// line reads a line and the literals in it, without the line end.
func (s *session) line() (string, error) {
	var all []byte
	start := 0 // of the last part
	for {
		part, err := s.br.ReadSlice('\n')
		all = append(all, part...)
		if len(all) > maxSetupLine {
			return "", fault.New(fault.Protocol, "sign in", "the server sends a line of more than %d octets", maxSetupLine)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return "", s.broke(err)
		}
		size, ok := literalSize(all[start:])
		if !ok || isStatusLine(all) || len(all)+int(min(size, maxSetupLine)) >= maxSetupLine {
			break
		}
		for range size {
			c, err := s.br.ReadByte()
			if err != nil {
				return "", s.broke(err)
			}
			all = append(all, c)
		}
		start = len(all)
	}
	text := string(trimEOL(all))
	s.trace.line(false, []byte(s.hide(text)))
	return text, nil
}

// isStatusLine reports whether a line ends with text for people.
func isStatusLine(line []byte) bool {
	if line[0] == '+' {
		return true
	}
	_, rest, _ := strings.Cut(string(line), " ")
	word, _, _ := strings.Cut(rest, " ")
	return isStatus(strings.ToUpper(word))
}

// hide takes secrets out of what the server says.
func (s *session) hide(text string) string {
	for _, secret := range s.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// broke is the fault of a connection that ends while signing in.
func (s *session) broke(err error) error {
	f := dropped(err, s.goodbye)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		f = stalled(s.cfg.Timeout)
	}
	f.Op = "sign in"
	return f
}

// nextTag returns a tag for a command.
func (s *session) nextTag() string {
	s.tag++
	return "A" + strconv.Itoa(s.tag)
}

// command sends a command and reads its answer.
func (s *session) command(m *Command) (Reply, error) {
	if m.err != nil {
		return Reply{}, m.err
	}
	tag := s.nextTag()
	enc := encoding{literalPlus: s.caps.has("LITERAL+"), literalMinus: s.caps.has("LITERAL-")}
	return s.exchange(tag, m.encode(tag, enc), nil)
}

// ask sends commands one behind the other, which costs one round trip, and reads
// their answers. They are such that no server asks for more of.
func (s *session) ask(commands ...*Command) ([]Reply, error) {
	var out []byte
	tags := make([]string, len(commands))
	for i, m := range commands {
		if m.err != nil {
			return nil, m.err
		}
		tags[i] = s.nextTag()
		s.cfg.Timing.Count(timing.Commands, 1)
		for _, chunk := range m.encode(tags[i], encoding{}) {
			s.traceSent(tags[i], chunk.data)
			out = append(out, chunk.data...)
		}
	}
	if len(out) > 0 {
		if _, err := s.stream.Write(out); err != nil {
			return nil, s.broke(err)
		}
	}
	replies := make([]Reply, len(commands))
	for i, tag := range tags {
		reply, _, err := s.answer(tag)
		if err == nil && reply == nil {
			err = fault.New(fault.Protocol, "sign in", "the server asks for more than was to be sent")
		}
		if err != nil {
			return nil, err
		}
		replies[i] = *reply
	}
	return replies, nil
}

// took notes how long an answer took.
func (s *session) took(since time.Time) {
	if d := time.Since(since); s.roundTrip == 0 || d < s.roundTrip {
		s.roundTrip = d
	}
}

// exchange sends a command, chunk by chunk as the server asks for them, and
// reads its answer. What the server asks for beyond the chunks is answered by
// next, as base64 (RFC 9051 section 6.2.2).
func (s *session) exchange(tag string, chunks []chunk, next func(challenge string) []byte) (Reply, error) {
	s.cfg.Timing.Count(timing.Commands, 1)
	for {
		sent := time.Now()
		if len(chunks) > 0 {
			s.traceSent(tag, chunks[0].data)
			if _, err := s.stream.Write(chunks[0].data); err != nil {
				return Reply{}, s.broke(err)
			}
			chunks = chunks[1:]
		}
		reply, challenge, err := s.answer(tag)
		if err == nil {
			s.took(sent)
		}
		if err != nil || reply != nil {
			return deref(reply), err
		}
		if len(chunks) == 0 {
			if next == nil {
				return Reply{}, fault.New(fault.Protocol, "sign in", "the server asks for more than was to be sent")
			}
			chunks = []chunk{{data: next(challenge)}}
		}
	}
}

// traceSent traces what is sent; of a secret no more than the command's name.
func (s *session) traceSent(tag string, data []byte) {
	if s.private {
		words := append(bytes.SplitN(data, []byte(" "), 3), nil)[:2]
		data = []byte("***")
		if string(words[0]) == tag {
			data = append(bytes.Join(words, []byte(" ")), " ***"...)
		}
	}
	s.trace.line(true, data)
}

func deref(r *Reply) Reply {
	if r == nil {
		return Reply{}
	}
	return *r
}

// answer reads responses until the tagged one, or until the server asks for
// something.
func (s *session) answer(tag string) (reply *Reply, challenge string, err error) {
	for {
		line, err := s.line()
		if err != nil {
			return nil, "", err
		}
		if rest, ok := strings.CutPrefix(line, "+"); ok {
			return nil, strings.TrimSpace(rest), nil
		}
		if rest, ok := strings.CutPrefix(line, tag+" "); ok {
			typ, rest, _ := strings.Cut(rest, " ")
			r := parseReply(strings.ToUpper(typ), rest)
			r.Text = s.hide(r.Text)
			if r.Code == "CAPABILITY" && r.Type == "OK" {
				s.readCaps(r.Args)
			}
			return &r, "", nil
		}
		if strings.HasPrefix(line, "* ") {
			s.untagged(line)
		}
	}
}

func (s *session) readCaps(list []Value) {
	s.caps.read(list)
	s.capsRead = true
}

// untagged notes what the server says beside its answers.
func (s *session) untagged(line string) {
	name, num, rest := splitUntagged([]byte(line))
	if isStatus(name) {
		r := parseReply(name, string(rest))
		r.Text = s.hide(r.Text)
		switch {
		case name == "BYE":
			s.goodbye = r.Text
		case r.Code == "CAPABILITY":
			s.readCaps(r.Args)
		case r.Code != "" && s.cfg.Untagged != nil:
			s.cfg.Untagged(&Response{Name: name, Status: &r})
		}
		return
	}
	resp, ok := parseResponse(name, num, string(rest))
	if !ok {
		return
	}
	switch name {
	case "CAPABILITY":
		s.readCaps(resp.Fields)
	case "ENABLED":
		for _, v := range resp.Fields {
			s.enabled = append(s.enabled, strings.ToUpper(v.Text))
		}
	case "ID":
		s.noteID(resp.Fields)
	case "NAMESPACE":
		s.spaces = resp
	}
}

// noteID keeps what the server tells about itself (RFC 2971).
func (s *session) noteID(fields []Value) {
	if len(fields) == 0 {
		return
	}
	list := fields[0].List
	for i := 0; i+1 < len(list); i += 2 {
		if s.serverID == nil {
			s.serverID = map[string]string{}
		}
		if list[i+1].Kind != Nil {
			s.serverID[strings.ToLower(list[i].Text)] = printable(list[i+1].Text)
		}
	}
}
