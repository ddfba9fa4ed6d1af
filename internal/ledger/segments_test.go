package ledger_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/slo"
)

// segmentedWorlds is how many worlds of each kind are cut into segments.
const segmentedWorlds = 2

// groups are the labels by which the kinds are cut: of a few values, and by pods,
// which are more than there is room for and come and go.
var groups = map[string]struct {
	kind    string
	label   string
	maximum int32
}{
	"EventsByPod":       {"EventsBad", "instance", 3},
	"DistributionByPod": {"Distribution", "instance", 6},
	"ApdexByCode":       {"Apdex", "code", 10},
	"NetPromoterByPod":  {"NetPromoter", "instance", 2},
	"MeanByChannel":     {"Mean", "channel", 1},
}

// segmented is a trial whose objective has segments.
type segmented struct {
	*trial
	label    string
	maximum  int32
	segments *ledger.Segments
	truths   map[string]truth
}

// TestSegmentsAreExact lives through the worlds of TestBooksAreExact with segments:
// each is counted as if its series were all there are, by ==, and all of them with
// the others come to the whole. A value that became a segment stays one while it has
// events.
func TestSegmentsAreExact(t *testing.T) {
	for name, g := range groups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			worlds := 0
			rapid.Check(t, func(rt *rapid.T) {
				if worlds++; worlds > segmentedWorlds && !rapidAsked {
					return
				}
				c := &segmented{trial: newTrial(rt, kinds[g.kind]), label: g.label, maximum: g.maximum, truths: map[string]truth{}}
				defer c.close()
				c.plan.Group = &compile.Group{Label: g.label, Maximum: int(g.maximum)}
				c.segments = ledger.NewSegments(c.plan)
				if rapid.Bool().Draw(rt, "recorded") { // the whole is, and may lag behind
					c.ruler = drawRuler(rt, c.plan, c.world.Start, c.world.Length)
				}
				c.live()
			})
		})
	}
}

// live reads in steps of some length, of which a few fail at first, a few follow a
// restart and a few a change of what is excluded.
func (c *segmented) live() {
	c.Helper()
	for at := c.world.Start.Add(time.Minute); at.Before(c.world.End()); {
		switch rapid.SampledFrom([]string{"tick", "tick", "tick", "failure", "restart", "exclude"}).Draw(c.T, "step") {
		case "failure":
			c.broken.Store(int64(rapid.IntRange(1, 6).Draw(c.T, "query")))
			if err := c.refreshAll(at); err != nil && !errors.Is(err, errInjected) {
				c.Fatalf("Refresh(%s): %v, want %v", at, err, errInjected)
			}
			c.broken.Store(0)
		case "restart":
			c.plan.Group.Known = c.segments.Values()
			c.open()
			c.segments = ledger.NewSegments(c.plan)
		case "exclude":
			c.excluded = c.drawExcluded()
			c.plan.Excluded = c.excluded
			c.book.Exclude(c.excluded)
		}
		if c.ruler != nil {
			c.ruler.record(c.trial, at)
		}
		before := c.segments.Values()
		if err := c.refreshAll(at); err != nil {
			c.Fatalf("Refresh(%s): %v", at, err)
		}
		c.compareAll(at, before)
		longest := rapid.SampledFrom([]int{2, 20, 300}).Draw(c.T, "pace")
		at = at.Add(time.Duration(rapid.IntRange(60, 60*longest).Draw(c.T, "distance")) * time.Second)
	}
}

func (c *segmented) refreshAll(to time.Time) error {
	from := to.Add(-c.window)
	if _, err := c.read(from, to); err != nil {
		return err
	}
	return c.segments.Refresh(context.Background(), c.store, c.plan, c.book, from)
}

// compareAll compares each segment with the truth, and their sum with the whole.
func (c *segmented) compareAll(to time.Time, before []string) {
	c.Helper()
	start := to.Truncate(time.Minute).Add(-c.window)
	var sum slo.Sums
	parts := c.segments.Parts(c.book)
	for _, part := range parts {
		got := part.Since(start)
		sum = sum.Add(got.Sums)
		if part.Value == "" {
			continue
		}
		want := c.truthOf(part.Value).without(c.excluded, got.Start, got.End).Sums
		if diff := cmp.Diff(want, got.Sums); diff != "" {
			c.Fatalf("%s=%q: Since(%s): -want, +got:\n%s", c.label, part.Value, start, diff)
		}
	}
	if diff := cmp.Diff(c.book.Since(start).Sums, sum); diff != "" {
		c.Fatalf("all segments together: -whole, +sum:\n%s", diff)
	}
	c.compareValues(start, parts, before)
}

// compareValues holds how many segments there are, and that none that there was is
// given up while it has events.
func (c *segmented) compareValues(start time.Time, parts []ledger.Part, before []string) {
	c.Helper()
	if n := len(parts) - 1; n > int(c.maximum) {
		c.Fatalf("%d segments, want no more than %d", n, c.maximum)
	}
	if rest := parts[len(parts)-1].Since(start); len(parts) == 1 && rest.Sums.Events > 0 {
		c.Fatalf("no segment among %v events", rest.Sums.Events)
	}
	for _, value := range before {
		if n := c.truthOf(value).between(start, c.book.Cursor()).Sums.Events; n > 0 && !slices.Contains(c.segments.Values(), value) {
			c.Fatalf("%s=%q has %v events and is no segment any more", c.label, value, n)
		}
	}
}

// truthOf counts the series of one value alone.
func (c *segmented) truthOf(value string) truth {
	if known, ok := c.truths[value]; ok {
		return known
	}
	count := countingIn(c.world, c.policy)
	only := c.kind.truth(func(metric string, pairs ...string) *ledgertest.Movement {
		return count(metric, append(slices.Clone(pairs), c.label, value)...)
	})
	only.open = c.truth.open
	c.truths[value] = only
	return only
}

// byDevice is an objective over a story by the label device.
func byDevice(t *testing.T, store *ledgertest.Store, window time.Duration, maximum int32, known ...string) *compile.Plan {
	t.Helper()
	o := objective(kind{target: "99%", indicator: v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Good: "good_total", Total: "all_total"}}},
		ledgertest.FromZero, rolling(window))
	o.Spec.GroupBy = &v1alpha1.GroupBy{Label: "device", Maximum: maximum}
	for _, value := range known {
		o.Status.Segments = append(o.Status.Segments, v1alpha1.Segment{Value: value})
	}
	return planOf(t, store, o, epoch)
}
