package scenario_test

import (
	"bytes"
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
)

// message is a message that a scenario names.
type message struct {
	name    string
	special []string
	date    time.Time
	body    []byte // in LF form
}

// messages are those of one scenario, by name and by content.
type messages struct {
	byName map[string]*message
	byBody map[string]*message
	now    time.Time
}

func newMessages() *messages {
	return &messages{byName: map[string]*message{}, byBody: map[string]*message{}, now: time.Now().Truncate(time.Second)}
}

// firstDate is when the message arrived that a scenario names first; each one
// named after it arrived an hour later.
var firstDate = time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)

// get returns the message of a name, and makes it when it is named first. Only
// then it may be said what is special about it.
func (ms *messages) get(name string, special []string) (*message, error) {
	if m := ms.byName[name]; m != nil {
		if len(special) > 0 && !slices.Equal(special, m.special) {
			return nil, fmt.Errorf("what is special about %q is said where it is named first", name)
		}
		return m, nil
	}
	m, err := ms.make(name, special)
	if err != nil {
		return nil, err
	}
	if other := ms.byBody[string(m.body)]; other != nil {
		return nil, fmt.Errorf("%q and %q are the same message", name, other.name)
	}
	ms.byName[name], ms.byBody[string(m.body)] = m, m
	return m, nil
}

func (ms *messages) make(name string, special []string) (*message, error) {
	base, _, _ := strings.Cut(name, ".")
	m := &message{name: name, special: special, date: firstDate.Add(time.Duration(len(ms.byName)) * time.Hour)}
	from, subject, extra, id, size, end := "ann", "message "+base, "", "Message-ID: <"+base+"@scenario>\n", 0, ""
	if other := ms.byName[base]; other != nil {
		m.date = other.date
	}
	for _, word := range special {
		key, value, _ := strings.Cut(word, "=")
		var err error
		switch key {
		case "size":
			size, err = number(value)
		case "date":
			m.date, err = time.Parse(time.DateOnly, value)
		case "age":
			days := 0
			days, err = strconv.Atoi(strings.TrimSuffix(value, "d"))
			m.date = ms.now.AddDate(0, 0, -days)
		case "from":
			from = value
		case "subject":
			subject = strings.ReplaceAll(value, "_", " ")
		case "header":
			field, text, _ := strings.Cut(value, ":")
			extra += field + ": " + text + "\n"
		case "id":
			id = "Message-ID: <" + value + "@scenario>\n"
		case "noid":
			id = ""
		case "odd":
			// 8-bit text that is not UTF-8, a bare CR, a line that begins with
			// "From ", and no line end at the end.
			end = "gr\xfc\xdfe\rFrom me\nFrom here on\n.\n" + strings.Repeat("long ", 400) + "\n\nno end"
		default:
			err = fmt.Errorf("%q is nothing that a message can have", word)
		}
		if err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s@example.org\nTo: me@example.org\nDate: %s\nSubject: %s\n%s%s\nbody of %s\n",
		from, m.date.UTC().Format(time.RFC1123Z), subject, id, extra, name)
	for b.Len() < size {
		b.WriteString(strings.Repeat("x", min(70, max(size-b.Len()-1, 0))) + "\n")
	}
	b.WriteString(end)
	m.body = b.Bytes()
	return m, nil
}

// number reads a size as options have it.
func number(text string) (int, error) {
	factor := 1
	for unit, f := range map[string]int{"k": 1 << 10, "M": 1 << 20} {
		if rest, ok := strings.CutSuffix(text, unit); ok {
			text, factor = rest, f
		}
	}
	n, err := strconv.Atoi(text)
	return n * factor, err
}

// recognise returns how a message on a side is called, and what is odd about it:
// a message that is not the one it was is shown with a question mark.
func (ms *messages) recognise(f found) (name string, marks []string) {
	body := bytes.ReplaceAll(f.body, []byte("\r\n"), []byte("\n"))
	if m := ms.byBody[string(body)]; m != nil {
		if diff := f.date.Sub(m.date); diff != 0 && !f.date.IsZero() {
			marks = append(marks, "date="+ms.describe(f.date))
		}
		return m.name, marks
	}
	parsed, err := mail.ReadMessage(bytes.NewReader(body))
	if err != nil {
		return fmt.Sprintf("?%q", body[:min(len(body), 60)]), nil
	}
	name = strings.TrimSuffix(strings.TrimPrefix(parsed.Header.Get("Message-ID"), "<"), "@scenario>")
	if parsed.Header.Get("X-Imapfw-Placeholder") != "" {
		if !strings.HasPrefix(parsed.Header.Get("Subject"), "[placeholder] ") {
			marks = append(marks, "?subject")
		}
		if m := ms.byName[name]; m != nil && !f.date.Equal(m.date) {
			marks = append(marks, "date="+ms.describe(f.date))
		}
		return name, append(marks, "placeholder")
	}
	return "?" + name, nil
}

// describe is a date as listings show it.
func (ms *messages) describe(date time.Time) string {
	if age := time.Since(date); -time.Minute < age && age < time.Hour {
		return "now"
	}
	return date.UTC().Format("2006-01-02T15:04:05")
}
