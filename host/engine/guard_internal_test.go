package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// folderWith is the plan of a folder that holds messages on both sides.
func folderWith(name string, holds int, steps ...*Step) *FolderPlan {
	fp := &FolderPlan{Name: name, Steps: steps}
	for _, side := range []state.Side{state.Far, state.Near} {
		fp.census.known[side], fp.census.now[side] = holds, holds
	}
	for _, s := range steps {
		s.Folder = name
		if s.Op == OpRemove {
			fp.census.now[s.Side.Other()] -= s.items.len()
		}
	}
	return fp
}

func step(op Op, side state.Side, n int) *Step {
	s := &Step{Op: op, Side: side}
	for range n {
		s.items.add(item{row: &state.Row{}})
	}
	return s
}

func expiry(n int) *Step {
	s := step(OpRemove, state.Near, n)
	s.Expiry = true
	return s
}

func marking(n int) *Step {
	s := step(OpFlag, state.Far, n)
	s.Add = mail.Flags{System: mail.Deleted | mail.Seen}
	return s
}

func with(fp *FolderPlan, change func(c *census)) *FolderPlan {
	change(&fp.census)
	return fp
}

func TestGuard(t *testing.T) {
	plan := func(folders ...*FolderPlan) *Plan { return &Plan{Folders: folders} }
	both := func(n int) []*Step { // each message goes from both sides
		far, near := step(OpRemove, state.Far, n), step(OpRemove, state.Near, n)
		near.items = far.items
		return []*Step{far, near}
	}
	for name, c := range map[string]struct {
		plan  *Plan
		facts guardFacts
		guard func(g *Guard)
		want  []DangerKind
	}{
		"nothing":                        {plan: plan()},
		"few messages, all of them":      {plan: plan(folderWith("A", 100, step(OpRemove, state.Far, 99)))},
		"max is allowed":                 {plan: plan(folderWith("A", 150, step(OpRemove, state.Far, 100)))},
		"more than max, a small share":   {plan: plan(folderWith("A", 202, step(OpRemove, state.Far, 101)))},
		"more than max and share":        {plan: plan(folderWith("A", 201, step(OpRemove, state.Far, 101))), want: []DangerKind{DangerRemovals}},
		"on the near side too":           {plan: plan(folderWith("A", 150, step(OpRemove, state.Near, 120))), want: []DangerKind{DangerRemovals}},
		"hard is allowed":                {plan: plan(folderWith("A", 9000, step(OpRemove, state.Far, 1000)))},
		"more than hard, a small share":  {plan: plan(folderWith("A", 9000, step(OpRemove, state.Far, 1001))), want: []DangerKind{DangerRemovals}},
		"two steps of one folder add up": {plan: plan(folderWith("A", 120, step(OpRemove, state.Far, 60), marking(60))), want: []DangerKind{DangerRemovals}},
		"marks that others will expunge": {plan: plan(folderWith("A", 150, marking(101))), want: []DangerKind{DangerRemovals}},
		"many folders, each harmless": {plan: plan(folderWith("A", 9000, step(OpRemove, state.Far, 900)), folderWith("B", 9000, step(OpRemove, state.Near, 900)),
			folderWith("C", 9000, step(OpRemove, state.Far, 201))), want: []DangerKind{DangerAccount}},
		"a message on both sides is one":   {plan: plan(folderWith("A", 9000, both(900)...), folderWith("B", 9000, both(900)...))},
		"a folder of 100 that is empty":    {plan: plan(folderWith("A", 100, step(OpRemove, state.Far, 100))), want: []DangerKind{DangerEmptied}},
		"it is empty, but moved elsewhere": {plan: plan(folderWith("A", 300, step(OpMove, state.Far, 290), step(OpRemove, state.Far, 10)))},
		"emptied, with a high maximum": {plan: plan(folderWith("A", 300, step(OpRemove, state.Far, 300))), guard: func(g *Guard) { g.Max = 500 },
			want: []DangerKind{DangerEmptied}},
		"moves":        {plan: plan(folderWith("A", 3000, step(OpMove, state.Far, 3000)))},
		"expiry":       {plan: plan(folderWith("A", 3000, expiry(3000)))},
		"new messages": {plan: plan(folderWith("A", 3000, step(OpPull, state.Near, 3000), step(OpPush, state.Far, 3000)))},
		"trash and junk": {plan: plan(
			with(folderWith("Bin", 3000, step(OpRemove, state.Far, 3000)), func(c *census) { c.attrs = []string{`\HasNoChildren`, `\Trash`} }),
			with(folderWith("Spam", 3000, step(OpRemove, state.Far, 3000)), func(c *census) { c.attrs = []string{`\junk`} }),
			folderWith("Waste", 3000, step(OpRemove, state.Near, 3000)))},
		"a side that lost all": {plan: plan(folderWith("A", 5, step(OpRemove, state.Far, 5)), folderWith("B", 5, step(OpRemove, state.Far, 5))),
			facts: guardFacts{lost: [3]int{state.Near: 10}}, want: []DangerKind{DangerSide}},
		"a side that lost the few it had":                   {plan: plan(folderWith("A", 9, step(OpRemove, state.Far, 9))), facts: guardFacts{lost: [3]int{state.Near: 9}}},
		"a side that lost all, and nothing follows from it": {plan: plan(folderWith("A", 90)), facts: guardFacts{lost: [3]int{state.Near: 90}}},
		"a side that was replaced by an empty one": {plan: plan(folderWith("A", 90, step(OpPull, state.Near, 90))),
			facts: guardFacts{lost: [3]int{state.Near: 90}, doubt: [3]bool{state.Near: true}, paired: true}, want: []DangerKind{DangerSide}},
		"uploads without state":                 {plan: plan(folderWith("A", 500, step(OpPush, state.Far, 101))), facts: guardFacts{paired: true}, want: []DangerKind{DangerUploads}},
		"few uploads without state":             {plan: plan(folderWith("A", 500, step(OpPush, state.Far, 100))), facts: guardFacts{paired: true}},
		"uploads to an empty side":              {plan: plan(with(folderWith("A", 500, step(OpPush, state.Far, 500)), func(c *census) { c.now[state.Far] = 0 })), facts: guardFacts{paired: true}},
		"uploads with state":                    {plan: plan(folderWith("A", 500, step(OpPush, state.Far, 500)))},
		"off":                                   {plan: plan(folderWith("A", 9000, step(OpRemove, state.Far, 9000))), guard: func(g *Guard) { g.On = false }},
		"allowed":                               {plan: plan(folderWith("A", 200, step(OpRemove, state.Far, 200))), facts: guardFacts{allow: 200, lost: [3]int{state.Near: 200}}},
		"more than allowed":                     {plan: plan(folderWith("A", 200, step(OpRemove, state.Far, 200))), facts: guardFacts{allow: 199}, want: []DangerKind{DangerAllowed}},
		"less than the limits, and not allowed": {plan: plan(folderWith("A", 200, step(OpRemove, state.Far, 20))), facts: guardFacts{allow: 19}, want: []DangerKind{DangerAllowed}},
		"off, and not allowed": {plan: plan(folderWith("A", 200, step(OpRemove, state.Far, 20))), facts: guardFacts{allow: 19},
			guard: func(g *Guard) { g.On = false }, want: []DangerKind{DangerAllowed}},
		"uploads are not removals": {plan: plan(folderWith("A", 500, step(OpPush, state.Far, 101))), facts: guardFacts{paired: true, allow: 1000}, want: []DangerKind{DangerUploads}},
	} {
		t.Run(name, func(t *testing.T) {
			p := DefaultPolicy()
			c.facts.trash[state.Near] = "Waste"
			if c.guard != nil {
				c.guard(&p.Guard)
			}
			a := p.guard(c.plan, c.facts)
			if c.want == nil {
				require.Nil(t, a)
				return
			}
			require.NotNil(t, a)
			var got []DangerKind
			for _, d := range a.Dangers {
				got = append(got, d.Kind)
				require.NotEqual(t, string(d.Kind), d.String())
			}
			require.Equal(t, c.want, got)
			require.NotEmpty(t, a.err().Error())
		})
	}
}

func TestPlainTextOfAHeader(t *testing.T) {
	require.Equal(t, "a b c d", plain("a\r\n b\x1b\tc\u202ed", 80))
	require.Equal(t, "abc…", plain("abcdef", 4))
	require.Equal(t, "\uFFFD", plain("\xff", 4))
	require.Equal(t, "Grüße", readable("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", 80))
}
