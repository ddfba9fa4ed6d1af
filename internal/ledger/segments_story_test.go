package ledger_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
)

// device writes a counter of all events and one of good ones, four scrapes a minute.
func device(name, all, good string) string {
	return fmt.Sprintf("all_total{a,device=%q} %s\ngood_total{a,device=%q} %s\n", name, all, name, good)
}

// eventsOf gives the events of each segment in the last stretch of a book.
func eventsOf(book *ledger.Book, segments *ledger.Segments, stretch time.Duration) map[string]float64 {
	out := map[string]float64{}
	for _, part := range segments.Parts(book) {
		out[part.Value] = part.Since(book.Cursor().Add(-stretch)).Sums.Events
	}
	return out
}

// TestSegmentsCome reads a story up to some moments, as a controller does.
func TestSegmentsCome(t *testing.T) {
	steady := device("phone", "0+1x2000", "0+1x2000") + device("desktop", "0+2x2000", "0+2x2000")
	strange := "\"} or vector(1) # \\ \n\u00e9"
	cases := map[string]struct {
		reason  string
		load    string
		maximum int32
		known   []string
		minutes []int
		want    map[string]float64
	}{
		"TwoValues": {
			reason: "Each value is a segment, and nothing is left for the others.",
			load:   steady, maximum: 10, minutes: []int{120}, want: map[string]float64{"phone": 240, "desktop": 480, "": 0},
		},
		"Most": {
			reason: "Where there is room for one, it is the one with the most events.",
			load:   steady, maximum: 1, minutes: []int{120}, want: map[string]float64{"desktop": 480, "": 240},
		},
		"Known": {
			reason: "A segment stays one after a restart, although another has more events.",
			load:   steady, maximum: 1, known: []string{"phone"}, minutes: []int{120, 121}, want: map[string]float64{"phone": 240, "": 480},
		},
		"KnownNoMore": {
			reason: "One of which nothing is left makes room for another.",
			load:   steady, maximum: 1, known: []string{"fridge"}, minutes: []int{120}, want: map[string]float64{"desktop": 480, "": 240},
		},
		"New": {
			reason: "A device that is new becomes a segment within five minutes, with all of its events.",
			load:   steady + device("watch", strings.Repeat("_ ", 482)+"1+1x1500", "0x2000"), maximum: 10,
			minutes: []int{115, 120, 121, 125}, want: map[string]float64{"phone": 240, "desktop": 480, "watch": 19, "": 0},
		},
		"Gone": {
			reason: "One without an event in the window gives its place to another.",
			load:   steady + device("watch", "0+9x239 2160x1700", "0x2000"), maximum: 1,
			minutes: []int{60, 61, 180}, want: map[string]float64{"desktop": 480, "": 240},
		},
		"GoneFromAFullList": {
			reason:  "The place is given to the one with the most events in the window, not only since it was looked for last.",
			load:    device("watch", "0+250x20 5000x1900", "0x2000") + device("desktop", "0x120 10+10x79 800x1800", "0x2000") + device("phone", "0+1x2000", "0x2000"),
			maximum: 1, minutes: []int{60, 66}, want: map[string]float64{"desktop": 800, "": 240},
		},
		"WithoutTheLabel": {
			reason: "Series without the label are among the others.",
			load:   "all_total{a} 0+3x2000\ngood_total{a} 0+3x2000\n" + device("phone", "0+1x2000", "0+1x2000"), maximum: 10,
			minutes: []int{120, 130}, want: map[string]float64{"phone": 240, "": 720},
		},
		"Strange": {
			reason: "A value is a value, whatever is in it.",
			load:   steady + device(strange, "0+1x2000", "0+1x2000"), maximum: 10, minutes: []int{120},
			want: map[string]float64{"phone": 240, "desktop": 480, strange: 240, "": 0},
		},
		"TooLong": {
			reason: "What does not fit into the status is among the others.",
			load:   steady + device(strings.Repeat("x", ledger.LongestValue+1), "0+1x2000", "0+1x2000"), maximum: 10, minutes: []int{120},
			want: map[string]float64{"phone": 240, "desktop": 480, "": 240},
		},
		"Reset": {
			reason: "A counter that is reset between ticks is counted once, and so are the others of the same query.",
			load:   device("phone", "0+1x481 1+1x1500", "0x2000") + device("desktop", "0+2x2000", "0+2x2000"), maximum: 10,
			minutes: []int{119, 120, 121, 122}, want: map[string]float64{"phone": 240, "desktop": 480, "": 0},
		},
		"Nothing": {
			reason: "Without an event there is nothing to look for.",
			load:   "up{a} 1x2000", maximum: 10, minutes: []int{120, 121}, want: map[string]float64{"": 0},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			const window = time.Hour
			store := story(t, tc.load)
			plan := byDevice(t, store, window, tc.maximum, tc.known...)
			book, segments := ledger.NewBook(ledger.TermsOf(plan)), ledger.NewSegments(plan)
			for _, minute := range tc.minutes {
				tick(t, store, &grouped{plan, book, segments}, epoch.Add(time.Duration(minute)*time.Minute))
			}
			if diff := cmp.Diff(tc.want, eventsOf(book, segments, window)); diff != "" {
				t.Errorf("\n%s\nevents by segment: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestSegmentsCost counts queries: a tick of an objective with segments is one query
// more than one without, however many there are, and values are looked for only while
// there are events of none and room for more.
func TestSegmentsCost(t *testing.T) {
	var load strings.Builder
	for i := range 20 {
		load.WriteString(device(fmt.Sprintf("device-%02d", i), "0+1x3000", "0+1x3000"))
	}
	unlabelled := "all_total{a} 0+1x3000\ngood_total{a} 0+1x3000\n"
	cases := map[string]struct {
		reason  string
		load    string
		maximum int32
		want    []int64
	}{
		"Idle":       {"Nothing is looked for where every event has its segment.", load.String(), 20, []int64{2, 2, 2, 2, 2, 2}},
		"Full":       {"Nor where there is no room.", load.String() + unlabelled, 20, []int64{2, 2, 2, 2, 2, 2}},
		"Unlabelled": {"Events without the label are looked at every five minutes.", device("phone", "0+1x3000", "0+1x3000") + unlabelled, 20, []int64{2, 2, 2, 2, 3, 2}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			store := story(t, tc.load)
			plan := byDevice(t, store, 28*day, tc.maximum)
			g := &grouped{plan, ledger.NewBook(ledger.TermsOf(plan)), ledger.NewSegments(plan)}
			at := epoch.Add(8 * time.Hour)
			tick(t, store, g, at)
			first, read := store.Cost()
			t.Logf("first sight: %d queries, %d samples", first, read)
			var got []int64
			for range len(tc.want) {
				before, samples := store.Cost()
				at = at.Add(time.Minute)
				tick(t, store, g, at)
				queries, after := store.Cost()
				got = append(got, queries-before)
				t.Logf("tick: %d queries, %d samples", queries-before, after-samples)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nqueries by tick: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// grouped is an objective with segments.
type grouped struct {
	plan     *compile.Plan
	book     *ledger.Book
	segments *ledger.Segments
}

func tick(t *testing.T, store *ledgertest.Store, g *grouped, at time.Time) {
	t.Helper()
	from := g.plan.Window.Span(at).Start
	if from.Before(epoch) {
		from = epoch
	}
	if err := g.book.Refresh(context.Background(), store, from, at); err != nil {
		t.Fatalf("Refresh(%s): %v", at, err)
	}
	if err := g.segments.Refresh(context.Background(), store, g.plan, g.book, from); err != nil {
		t.Fatalf("Refresh(%s) of segments: %v", at, err)
	}
}

// TestLedgerKeepsSegments changes the plan of an objective that was read.
func TestLedgerKeepsSegments(t *testing.T) {
	store := story(t, device("phone", "0+1x2000", "0+1x2000")+device("desktop", "0+2x2000", "0+2x2000"))
	plan := byDevice(t, store, 2*time.Hour, 1)
	at := epoch.Add(2 * time.Hour)
	cases := map[string]struct {
		reason string
		change func(l *ledger.Ledger, p *compile.Plan)
		same   bool
		want   []string
	}{
		"Same":    {reason: "The same terms, the same books.", change: func(*ledger.Ledger, *compile.Plan) {}, same: true, want: []string{"desktop"}},
		"Rule":    {reason: "What is asked of segments changes no count.", change: func(_ *ledger.Ledger, p *compile.Plan) { p.Group.Every = true }, same: true, want: []string{"desktop"}},
		"Maximum": {reason: "Another number of segments begins with those there were.", change: func(_ *ledger.Ledger, p *compile.Plan) { p.Group.Maximum = 2 }, want: []string{"desktop"}},
		"Label":   {reason: "Another label begins with none.", change: func(_ *ledger.Ledger, p *compile.Plan) { p.Group.Label = "instance" }},
		"Dropped": {reason: "What was dropped is gone.", change: func(l *ledger.Ledger, p *compile.Plan) { l.DropSegments(p.Key) }},
		"Forgotten": {
			reason: "With the objective its segments go.", change: func(l *ledger.Ledger, p *compile.Plan) { l.Drop(p.Key) },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := ledger.New()
			g := &grouped{plan, l.Book(plan), l.Segments(plan)}
			tick(t, store, g, at)
			changed, group := *plan, *plan.Group
			changed.Group = &group
			tc.change(l, &changed)
			got := l.Segments(&changed)
			if (got == g.segments) != tc.same {
				t.Errorf("\n%s\nSegments(...): the same ones: %t, want %t", tc.reason, got == g.segments, tc.same)
			}
			if diff := cmp.Diff(tc.want, got.Values()); diff != "" {
				t.Errorf("\n%s\nValues(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestNativeSegments cuts a native histogram by pods, of which one follows the other.
func TestNativeSegments(t *testing.T) {
	store, all := writeNative(t, 7)
	o := objective(kind{target: "75%", indicator: v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{
		Histogram: "page_seconds", Format: v1alpha1.HistogramFormatNative, Threshold: "2",
	}}}, ledgertest.OnKnownTarget, rolling(28*day))
	o.Spec.GroupBy = &v1alpha1.GroupBy{Label: "instance", Maximum: 2}
	plan := planOf(t, store, o, monday.Add(5*time.Hour))
	g := &grouped{plan, ledger.NewBook(ledger.TermsOf(plan)), ledger.NewSegments(plan)}
	tick(t, store, g, monday.Add(3*time.Hour))
	first := g.book.Since(monday).Sums.Events
	for _, minute := range []int{181, 186, 300} {
		tick(t, store, g, monday.Add(time.Duration(minute)*time.Minute))
	}
	total := float64(all[0] + all[1] + all[2] + all[3])
	want := map[string]float64{"a": first, "b": total - first, "": 0}
	if diff := cmp.Diff(want, eventsOf(g.book, g.segments, 5*time.Hour)); diff != "" {
		t.Errorf("events by pod: -want, +got:\n%s", diff)
	}
}
