package imaptest

import (
	"fmt"
	"strings"
	"time"

	"github.com/imapfw/imapfw/host/mail"
)

// sampleStart is when the first sample message arrived.
var sampleStart = time.Date(2026, time.January, 5, 8, 30, 0, 0, time.UTC)

// SampleMessage makes the n-th message of a series: always the same content,
// about size octets long (never shorter than its header), lines ending in CRLF.
func SampleMessage(n, size int) Message {
	date := sampleStart.Add(time.Duration(n) * 37 * time.Minute)
	var b strings.Builder
	fmt.Fprintf(&b, "From: Alice <alice@example.org>\r\nTo: Bob <bob@example.net>\r\n")
	fmt.Fprintf(&b, "Subject: Message %d\r\nDate: %s\r\n", n, date.Format(time.RFC1123Z))
	fmt.Fprintf(&b, "Message-ID: <%d@sample.example.org>\r\n", n)
	fmt.Fprintf(&b, "Content-Type: text/plain; charset=utf-8\r\n\r\n")
	for i := 1; b.Len() < size; i++ {
		fmt.Fprintf(&b, "Line %d of message %d.\r\n", i, n)
	}
	return Message{Date: date, Content: []byte(b.String())}
}

// SampleMessages makes the messages first to first+n-1 of the series.
func SampleMessages(first, n, size int) []Message {
	list := make([]Message, n)
	for i := range list {
		list[i] = SampleMessage(first+i, size)
	}
	return list
}

// Fill puts a small mailbox into the account: a few folders, one with a name
// that is not ASCII, and a few dozen messages with various flags.
func (a *Account) Fill() error {
	next := 0
	for _, f := range []struct {
		name  string
		count int
		flags mail.Flags
	}{
		{mail.Inbox, 12, mail.Flags{}},
		{"Archive", 0, mail.Flags{}},
		{"Archive/2025", 9, mail.NewFlags(`\Seen`)},
		{"Drafts", 2, mail.NewFlags(`\Draft`)},
		{"Lists/golang", 14, mail.NewFlags(`\Seen`, "$NotJunk")},
		{"Sent", 7, mail.NewFlags(`\Seen`, `\Answered`)},
		{"Trash", 1, mail.NewFlags(`\Seen`)},
		{"Réunions", 3, mail.NewFlags(`\Flagged`)},
	} {
		if f.name != mail.Inbox {
			if err := a.CreateFolder(f.name); err != nil {
				return err
			}
		}
		messages := SampleMessages(next, f.count, 600+200*(f.count%4))
		for i := range messages {
			messages[i].Flags = f.flags
			if i%5 == 4 {
				messages[i].Flags = f.flags.Union(mail.NewFlags(`\Seen`, `\Flagged`))
			}
		}
		if _, err := a.Append(f.name, messages...); err != nil {
			return err
		}
		next += f.count
	}
	return nil
}
