package naming_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/naming"
)

func folders(names ...string) []mail.Folder {
	out := make([]mail.Folder, len(names))
	for i, name := range names {
		out[i] = mail.Folder{Name: name}
		if name == "[Gmail]" {
			out[i].Attrs = []string{`\Noselect`}
		}
	}
	return out
}

func build(t require.TestingT, call naming.Call, far []mail.Folder, steps ...naming.Step) *naming.Table {
	r, err := naming.NewRename(steps, call)
	require.NoError(t, err)
	return r.Build(far)
}

var (
	strip = func(p string) naming.Step { return naming.Step{Kind: naming.StripPrefix, Prefix: p} }
	add   = func(p string) naming.Step { return naming.Step{Kind: naming.AddPrefix, Prefix: p} }
	flat  = func(s string) naming.Step { return naming.Step{Kind: naming.Flatten, Separator: s} }
	lower = naming.Step{Kind: naming.Lower}
	pair  = naming.Step{Kind: naming.Pair, ToNear: "near", ToFar: "far"}
)

func names(pairs ...string) naming.Step {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return naming.Step{Kind: naming.Map, Names: m}
}

func TestRename(t *testing.T) {
	// What is not in want keeps its name.
	for name, c := range map[string]struct {
		steps []naming.Step
		far   []string
		want  map[string]string
		fresh map[string]string // near names that are new, and their far names
	}{
		"nothing": {nil, []string{"INBOX", "a/b"}, nil, map[string]string{"c": "c"}},
		"gmail": {[]naming.Step{strip("[Gmail]/"), names("Sent Mail", "Sent")},
			[]string{"INBOX", "Lists/go", "[Gmail]", "[Gmail]/Sent Mail", "[Gmail]/Drafts"},
			map[string]string{"[Gmail]/Sent Mail": "Sent", "[Gmail]/Drafts": "Drafts"},
			map[string]string{"Lists/rust": "Lists/rust", "New": "New"}},
		"gmail without labels": {[]naming.Step{strip("[Gmail]/")}, []string{"INBOX", "[Gmail]", "[Gmail]/Drafts"},
			map[string]string{"[Gmail]/Drafts": "Drafts"}, map[string]string{"New": "New"}},
		"all under the inbox": {[]naming.Step{strip("INBOX/")}, []string{"INBOX", "INBOX/Sent", "INBOX/a/b"},
			map[string]string{"INBOX/Sent": "Sent", "INBOX/a/b": "a/b"}, map[string]string{"New": "INBOX/New"}},
		"prefix": {[]naming.Step{add("work/")}, []string{"INBOX", "Sent"},
			map[string]string{"Sent": "work/Sent"}, map[string]string{"work/New": "New"}},
		"flatten": {[]naming.Step{flat(".")}, []string{"INBOX", "a/b/c", "a"},
			map[string]string{"a/b/c": "a.b.c"}, map[string]string{"x.y": "x/y"}},
		"lower": {[]naming.Step{lower}, []string{"INBOX", "Sent", "ÄÖ"},
			map[string]string{"Sent": "sent", "ÄÖ": "äö"}, map[string]string{"new": "new"}},
		"below the inbox": {[]naming.Step{lower}, []string{"INBOX", "INBOX/Sub"}, map[string]string{"INBOX/Sub": "INBOX/sub"}, map[string]string{"INBOX/new": "INBOX/new"}},
		"below the inbox, in any case": {[]naming.Step{names("Sent", "inbox/sent", "Inbox/Old", "old"), strip("inbox/x/"), add("Inbox/")}, []string{"INBOX", "Sent", "INBOX/Old", "INBOX/x/y"},
			map[string]string{"Sent": "INBOX/INBOX/sent", "INBOX/Old": "INBOX/old", "INBOX/x/y": "INBOX/y"}, nil},
		"the inbox by name": {[]naming.Step{names("INBOX", "Incoming", "Archive", "INBOX")}, []string{"INBOX", "Archive"},
			map[string]string{"INBOX": "Incoming", "Archive": "INBOX"}, nil},
		"prefixes leave the inbox": {[]naming.Step{strip("IN"), add("x/"), lower, flat("-")}, []string{"INBOX"}, nil, nil},
		"swapped":                  {[]naming.Step{names("a", "b", "b", "a")}, []string{"a", "b"}, map[string]string{"a": "b", "b": "a"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			table := build(t, nil, folders(c.far...), c.steps...)
			for _, far := range c.far {
				want := far
				if near, ok := c.want[far]; ok {
					want = near
				}
				near, err := table.Near(far)
				require.NoError(t, err)
				require.Equal(t, want, near)
				back, err := table.Far(near)
				require.NoError(t, err)
				require.Equal(t, far, back)
			}
			for near, far := range c.fresh {
				got, err := table.Far(near)
				require.NoError(t, err)
				require.Equal(t, far, got)
				back, err := table.Near(got)
				require.NoError(t, err)
				require.Equal(t, near, back)
			}
		})
	}
}

func TestRenameFaults(t *testing.T) {
	for name, c := range map[string]struct {
		steps []naming.Step
		far   []string
		bad   map[string]string // far name, and what the error says
	}{
		"two meet": {[]naming.Step{strip("[Gmail]/")}, []string{"INBOX", "Sent", "[Gmail]/Sent", "ok"},
			map[string]string{"Sent": `"Sent" and "[Gmail]/Sent" would all be called "Sent"`, "[Gmail]/Sent": `would all be called "Sent"`}},
		"case": {[]naming.Step{lower}, []string{"Work", "work", "WORK", "ok"},
			map[string]string{"Work": `"WORK", "Work" and "work"`, "work": `all be called`, "WORK": `all be called`}},
		"flat already": {[]naming.Step{flat(".")}, []string{"a.b", "c/d"}, map[string]string{"a.b": "does not turn back"}},
		"taken by a map": {[]naming.Step{names("a", "b")}, []string{"b", "c"},
			map[string]string{"b": "does not turn back"}},
		"nothing is left": {[]naming.Step{strip("Mail/")}, []string{"Mail/", "ok"}, map[string]string{"Mail/": "no name"}},
		"becomes the inbox": {[]naming.Step{strip("Mail/")}, []string{"INBOX", "Mail/Inbox"},
			map[string]string{"Mail/Inbox": "would become the inbox"}},
	} {
		t.Run(name, func(t *testing.T) {
			table := build(t, nil, folders(c.far...), c.steps...)
			for _, far := range c.far {
				near, err := table.Near(far)
				if c.bad[far] == "" {
					require.NoError(t, err, far)
					continue
				}
				require.ErrorIs(t, err, fault.BadName)
				require.ErrorContains(t, err, c.bad[far])
				if near != "" {
					_, err = table.Far(near)
					require.Error(t, err, "neither is chosen for %q", near)
				}
			}
		})
	}
}

func TestNearNamesThatNoFarNameGives(t *testing.T) {
	table := build(t, nil, folders("INBOX"), add("work/"))
	_, err := table.Far("private")
	require.ErrorIs(t, err, fault.BadName)
	table = build(t, nil, folders("INBOX"), lower)
	_, err = table.Far("New")
	require.ErrorIs(t, err, fault.BadName)
	for _, name := range []string{"", "/a", "a/", "a//b", "a\nb"} {
		_, err = table.Far(name)
		require.ErrorIs(t, err, fault.BadName, "%q", name)
	}
}

func TestRenameFunctions(t *testing.T) {
	boom := errors.New("boom")
	call := func(id, name string) (string, error) {
		switch {
		case name == "raise":
			return "", boom
		case name == "lossy", id == "far" && name == "LOSSY":
			return "LOSSY", nil
		case id == "near":
			return strings.ToUpper(name), nil
		}
		return strings.ToLower(name), nil
	}
	table := build(t, call, folders("INBOX", "a/b", "raise", "lossy"), pair)
	near, err := table.Near("a/b")
	require.NoError(t, err)
	require.Equal(t, "A/B", near)
	far, err := table.Far("NEW")
	require.NoError(t, err)
	require.Equal(t, "new", far)
	near, err = table.Near("INBOX")
	require.NoError(t, err)
	require.Equal(t, "INBOX", near)

	_, err = table.Near("raise")
	require.ErrorIs(t, err, boom)
	near, err = table.Near("lossy")
	require.ErrorIs(t, err, fault.BadName)
	require.Equal(t, "LOSSY", near, "its counterpart can be left alone")
}

func TestBadSteps(t *testing.T) {
	for _, s := range []naming.Step{
		{Kind: "rot13"}, {}, strip(""), add(""), flat(""), flat("/"), names(), names("a", "b", "c", "b"), names("", "x"), names("x", "y/"), pair,
	} {
		_, err := naming.NewRename([]naming.Step{s}, nil)
		require.ErrorIs(t, err, fault.Config, "%v", s)
	}
}

func anyStep() *rapid.Generator[naming.Step] {
	return rapid.Custom(func(t *rapid.T) naming.Step {
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			return strip(rapid.SampledFrom([]string{"a/", "INBOX/", "A", "a/b/"}).Draw(t, "prefix"))
		case 1:
			return add(rapid.SampledFrom([]string{"a/", "x", "INBOX/"}).Draw(t, "prefix"))
		case 2:
			return flat(rapid.SampledFrom([]string{".", "-", "ab"}).Draw(t, "separator"))
		case 3:
			return lower
		}
		return names(rapid.SampledFrom([]string{"a", "INBOX", "a/b"}).Draw(t, "from"), rapid.SampledFrom([]string{"b", "INBOX", "x/y"}).Draw(t, "to"))
	})
}

// Whatever the rules and the names: a folder that is not refused has a near
// name that leads back to it, and to nothing else.
func TestRenameIsReversible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOfN(anyStep(), 0, 4).Draw(t, "steps")
		far := rapid.SliceOfNDistinct(rapid.StringMatching(`INBOX|(INBOX/|a/|A/|x)?[abAB.x-]{1,3}(/[ab])?`), 0, 12, rapid.ID[string]).Draw(t, "far")
		table := build(t, nil, folders(far...), steps...)
		seen := map[string]string{}
		for _, name := range far {
			near, err := table.Near(name)
			if err != nil {
				continue
			}
			require.NotContains(t, seen, near)
			seen[near] = name
			back, err := table.Far(near)
			require.NoError(t, err)
			require.Equal(t, name, back)
		}
		// A new near name, too, leads to a far name that leads back.
		near := rapid.StringMatching(`(INBOX/|a/|A/|x)?[abAB.x-]{1,3}(/[ab])?`).Draw(t, "near")
		if got, err := table.Far(near); err == nil {
			back, err := table.Near(got)
			require.NoError(t, err)
			require.Equal(t, near, back)
		}
	})
}

func TestEncodeSteps(t *testing.T) {
	steps := []naming.Step{strip("[Gmail]/"), add("x"), names("a", "b", "c", "d"), flat("."), lower, pair}
	got, err := naming.Decode(naming.Encode(steps))
	require.NoError(t, err)
	require.Equal(t, steps, got)
	got, err = naming.Decode(nil)
	require.NoError(t, err)
	require.Empty(t, got)
	for _, v := range []any{"x", []any{1}, []any{map[string]any{"kind": 1}}, []any{map[string]any{"names": "x"}},
		[]any{map[string]any{"names": map[string]any{"a": int64(1)}}}} {
		_, err := naming.Decode(v)
		require.Error(t, err)
	}
}

func FuzzTable(f *testing.F) {
	f.Add("strip_prefix", "a/", "a/b\na\nb", "c")
	f.Add("flatten", ".", "a/b\na.b", "x.y")
	f.Add("map", "INBOX", "INBOX\nb", "INBOX")
	f.Fuzz(func(t *testing.T, kind, arg, far, near string) {
		step := naming.Step{Kind: naming.Kind(kind), Prefix: arg, Separator: arg, Names: map[string]string{arg: near}}
		r, err := naming.NewRename([]naming.Step{step, lower}, nil)
		if err != nil {
			return
		}
		list := folders(strings.Split(far, "\n")...)
		table := r.Build(list)
		for _, f := range list {
			if n, err := table.Near(f.Name); err == nil {
				back, err := table.Far(n)
				if err != nil || back != f.Name {
					t.Fatalf("%q -> %q -> %q, %v", f.Name, n, back, err)
				}
			}
		}
		if got, err := table.Far(near); err == nil {
			if back, err := table.Near(got); err != nil || !strings.EqualFold(back, near) {
				t.Fatalf("%q -> %q -> %q, %v", near, got, back, err)
			}
		}
	})
}
