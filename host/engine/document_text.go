package engine

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/imapfw/imapfw/host/mail"
)

// Text is bytes that are UTF-8 as a rule: the name of a folder, the key of a
// message. In a document it is a string; what is not UTF-8 is {"base64": "..."},
// so that no byte is lost.
type Text string

type encodedText struct {
	Base64 *[]byte `json:"base64"`
}

// MarshalJSON writes the text.
func (t Text) MarshalJSON() ([]byte, error) {
	if !utf8.ValidString(string(t)) {
		b := []byte(t)
		return json.Marshal(encodedText{&b})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(string(t))
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Text) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		var e encodedText
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&e); err != nil {
			return err
		}
		if e.Base64 == nil {
			return badPlan("a text without its base64")
		}
		*t = Text(*e.Base64)
		return nil
	}
	var s *string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if s == nil {
		return badPlan("null, where a text belongs")
	}
	*t = Text(*s)
	return nil
}

// DocKeys is a set of keys: UIDs as in IMAP ("1:4,7"), and names of files.
type DocKeys struct {
	UIDs  string `json:"uids,omitempty"`
	Names []Text `json:"names,omitempty"`
}

func docKeys(set mail.KeySet) DocKeys {
	var d DocKeys
	var b strings.Builder
	for _, r := range set.UIDs() {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(uint64(r.First), 10))
		if r.Last != r.First {
			b.WriteString(":" + strconv.FormatUint(uint64(r.Last), 10))
		}
	}
	d.UIDs = b.String()
	for _, name := range set.Names() {
		d.Names = append(d.Names, Text(name))
	}
	return d
}

// set returns the keys. Ranges ascend and do not touch, as they were written.
func (d DocKeys) set() (mail.KeySet, error) {
	var set mail.KeySet
	last := int64(-1)
	if d.UIDs != "" {
		for part := range strings.SplitSeq(d.UIDs, ",") {
			first, end, isRange := strings.Cut(part, ":")
			if !isRange {
				end = first
			}
			a, errA := uid(first)
			b, errB := uid(end)
			if errA != nil || errB != nil || int64(a) <= last || b < a || isRange && a == b {
				return set, badPlan("%q is no ascending list of UIDs", shorten(d.UIDs))
			}
			last = int64(b)
			set.AddUIDs(a, b)
		}
	}
	for i, name := range d.Names {
		key := mail.Key(name)
		if _, isUID := key.UID(); name == "" || isUID || i > 0 && d.Names[i-1] >= name {
			return set, badPlan("%q is out of place among the names of messages", name)
		}
		set.Add(key)
	}
	return set, nil
}

func uid(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err == nil && (n > math.MaxUint32 || strconv.FormatUint(n, 10) != text) {
		err = strconv.ErrSyntax
	}
	return uint32(n), err
}

func shorten(text string) string {
	if len(text) > 60 {
		return text[:60] + "..."
	}
	return text
}
