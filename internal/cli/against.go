package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"text/tabwriter"
)

// What became of an objective between two versions.
const (
	versionAdded   = "added"
	versionRemoved = "removed"
	versionChanged = "changed"
	versionSame    = "same"
)

// comparedList is what programs read of a comparison.
type comparedList struct {
	listedStretch

	Objectives []compared `json:"objectives"`
}

// compared is an objective in two versions.
type compared struct {
	Namespace string        `json:"namespace"`
	Name      string        `json:"name"`
	Change    string        `json:"change"`
	Old       *listedReplay `json:"old,omitempty"`
	New       *listedReplay `json:"new,omitempty"`
	Alerts    alertChanges  `json:"alerts"`
}

// alertChanges are alerts that fire in one version alone, and those that fire at
// other times. Two that overlap and have one name and severity are the same.
type alertChanges struct {
	Added   []listedAlert `json:"added"`
	Removed []listedAlert `json:"removed"`
	Moved   []movedAlert  `json:"moved"`
}

type movedAlert struct {
	Old listedAlert `json:"old"`
	New listedAlert `json:"new"`
}

func compareAll(both [][2]*replayed) []compared {
	out := []compared{}
	for _, pair := range both {
		c := compared{Namespace: either(pair).Namespace, Name: either(pair).Name}
		var before, after []listedAlert
		if pair[1] != nil {
			old := listedOf(pair[1])
			c.Old, before = &old, old.Alerts
		}
		if pair[0] != nil {
			now := listedOf(pair[0])
			c.New, after = &now, now.Alerts
		}
		c.Alerts = changesOf(before, after)
		c.Change = c.change()
		out = append(out, c)
	}
	return out
}

func (c compared) change() string {
	switch {
	case c.Old == nil:
		return versionAdded
	case c.New == nil:
		return versionRemoved
	case c.Old.figures() == c.New.figures() && c.Alerts.empty():
		return versionSame
	default:
		return versionChanged
	}
}

// figures are what two versions are compared by, beside their alerts.
func (l listedReplay) figures() [8]string {
	return [8]string{l.Target, l.Attainment, l.BudgetRemaining, l.Met, l.lowestBudget(), l.OutOfBudget, l.leftOut(), l.Excluded}
}

func (a alertChanges) empty() bool { return len(a.Added)+len(a.Removed)+len(a.Moved) == 0 }

// changesOf takes for each alert the first one of the other version that it could be.
func changesOf(before, after []listedAlert) alertChanges {
	out := alertChanges{Added: []listedAlert{}, Removed: []listedAlert{}, Moved: []movedAlert{}}
	rest := slices.Clone(after)
	for _, old := range before {
		at := slices.Index(rest, old)
		if at < 0 {
			at = slices.IndexFunc(rest, func(a listedAlert) bool { return a.could(old) && !slices.Contains(before, a) })
		}
		if at < 0 {
			out.Removed = append(out.Removed, old)
			continue
		}
		if rest[at] != old {
			out.Moved = append(out.Moved, movedAlert{old, rest[at]})
		}
		rest = slices.Delete(rest, at, at+1)
	}
	out.Added = append(out.Added, rest...)
	return out
}

// could says whether two alerts overlap and are of one kind.
func (a listedAlert) could(b listedAlert) bool {
	return a.Name == b.Name && a.Severity == b.Severity && !a.Start.After(b.End) && !b.Start.After(a.End)
}

func comparedTable(all []compared) []byte {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 8, 3, ' ', 0)
	row(w, []string{"NAMESPACE", "NAME", "CHANGE", "TARGET", "CURRENT", "BUDGET", "MET", "LOWEST", "SPENT", "ALERTS"})
	for _, c := range all {
		cells := []string{c.Namespace, c.Name, c.Change}
		old, now := c.cells()
		for i := range now {
			cells = append(cells, fromTo(old[i], now[i]))
		}
		row(w, cells)
	}
	_ = w.Flush() // a buffer takes everything
	writeExcluded(&out, w, all)
	for _, c := range all {
		if c.Alerts.empty() {
			continue
		}
		fmt.Fprintf(&out, "\nAlerts of %s/%s:\n", c.Namespace, c.Name)
		for _, a := range c.Alerts.Removed {
			row(w, []string{"  -", a.String(), a.fired(), "for " + a.lasted()})
		}
		for _, m := range c.Alerts.Moved {
			row(w, []string{
				"  ~", fromTo(m.Old.String(), m.New.String()), fromTo(m.Old.fired(), m.New.fired()), "for " + fromTo(m.Old.lasted(), m.New.lasted()),
			})
		}
		for _, a := range c.Alerts.Added {
			row(w, []string{"  +", a.String(), a.fired(), "for " + a.lasted()})
		}
		_ = w.Flush()
	}
	return out.Bytes()
}

// cells are the figures of both versions; where there is one, it stands for both.
func (c compared) cells() (old, now [7]string) {
	switch {
	case c.Old == nil:
		return c.New.cells(), c.New.cells()
	case c.New == nil:
		return c.Old.cells(), c.Old.cells()
	default:
		return c.Old.cells(), c.New.cells()
	}
}

func (l *listedReplay) cells() [7]string {
	return [7]string{l.Target, l.Attainment, l.BudgetRemaining, l.Met, l.lowestBudget(), l.OutOfBudget, l.fired()}
}

// fromTo is what a figure became.
func fromTo(old, now string) string {
	if old == now {
		return now
	}
	return cmp.Or(old, "none") + " -> " + cmp.Or(now, "none")
}

// byName orders objectives.
func byName(a, b replayed) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// pairs gives each objective in both versions; nil where one has it not.
func pairs(versions [][]replayed) [][2]*replayed {
	var out [][2]*replayed
	for i, all := range versions {
		for j := range all {
			at := slices.IndexFunc(out, func(p [2]*replayed) bool { return p[0] != nil && byName(*p[0], all[j]) == 0 })
			if at < 0 {
				out, at = append(out, [2]*replayed{}), len(out)
			}
			out[at][i] = &all[j]
		}
	}
	slices.SortStableFunc(out, func(a, b [2]*replayed) int { return byName(*either(a), *either(b)) })
	return out
}

func either(p [2]*replayed) *replayed {
	if p[0] != nil {
		return p[0]
	}
	return p[1]
}
