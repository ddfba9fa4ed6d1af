package replay

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/slo"
)

// signals is a world of three pods whose processes restart, are replaced and fail: in
// 25 hours, each thing happens to each of them once.
func signals(length time.Duration) *ledgertest.World {
	c := ledgertest.Config{
		Seed: 11, Start: begin, Length: length, Scrape: 15 * time.Second, Slots: 3,
		Signals: []ledgertest.Signal{ledgertest.Requests, ledgertest.Pages, ledgertest.Recommend, ledgertest.Ratings},
	}
	kinds := []ledgertest.IncidentKind{ledgertest.Restart, ledgertest.Replace, ledgertest.Fail, ledgertest.Silence, ledgertest.Discover}
	for i := range int(length / (100 * time.Minute)) {
		c.Incidents = append(c.Incidents, ledgertest.Incident{
			Kind: kinds[i%len(kinds)], Slot: i % c.Slots, At: time.Duration(i)*100*time.Minute + 7*time.Minute, For: 90 * time.Second,
		})
	}
	return ledgertest.New(c)
}

// indicators are one of each kind, with a target each.
var indicators = map[string]struct {
	indicator v1alpha1.ObjectiveIndicator
	target    v1alpha1.Target
}{
	"Events":       {v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Bad: `shop_requests_total{code="500"}`, Total: "shop_requests_total"}}, "99%"},
	"Distribution": {v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{Histogram: "page_seconds", Threshold: "2.5", PoorAbove: "4"}}, "55%"},
	"Interpolated": {v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{Histogram: "page_seconds", Threshold: "3", Interpolate: new(true)}}, "55%"},
	"Apdex":        {v1alpha1.ObjectiveIndicator{Apdex: &v1alpha1.ApdexIndicator{Histogram: "page_seconds", Satisfied: "1", Failed: `{code="500"}`}}, "0.6"},
	"Mean":         {v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{Mean: &v1alpha1.MeanScore{Sum: "csat_rating_sum", Count: "csat_rating_count", Lowest: "1", Highest: "5"}}}, "3.1"},
	"NetPromoter": {v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{NetPromoter: &v1alpha1.NetPromoterScore{
		Promoters: `nps_responses_total{group="promoter"}`, Detractors: `nps_responses_total{group="detractor"}`, Responses: "nps_responses_total",
	}}}, "30"},
	"State": {v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{Query: "sum(up)", Operator: v1alpha1.OperatorGreaterThanOrEqual, Value: "3", NoData: v1alpha1.NoDataBad}}, "99%"},
	// Where nothing happens, this is 0/0: no number, which is left out.
	"Queries": {v1alpha1.ObjectiveIndicator{Queries: &v1alpha1.QueriesIndicator{
		Points: `sum(increase(shop_requests_total{code!="500"}[$interval])) / sum(increase(shop_requests_total[$interval]))`, Events: "vector(1)",
	}}, "99%"},
}

// bookAt is what the operator and the command evaluate keep at a moment.
func bookAt(t *testing.T, q ledger.Querier, s Segment, at time.Time) evaluate.Verdict {
	t.Helper()
	book := ledger.NewBook(ledger.TermsOf(s.Plan))
	book.Exclude(s.Plan.Excluded)
	if err := book.Refresh(t.Context(), q, s.Plan.Window.Span(at).Start, at); err != nil {
		t.Fatal(err)
	}
	return evaluate.Evaluate(s.Plan, book, at)
}

// roughly takes numbers for equal that differ by how floats are added up alone.
var roughly = []cmp.Option{cmpopts.EquateApprox(0, 1e-9), cmpopts.EquateNaNs(), cmpopts.EquateApproxTime(time.Millisecond), cmp.Comparer(func(a, b slo.Unit) bool { return a == b })}

// TestFiguresAreThoseOfEvaluate compares replays of each kind of indicator, and of
// windows that books sum by the minute, by the hour and by the calendar, with the
// verdict on a book that was read for the same moment.
func TestFiguresAreThoseOfEvaluate(t *testing.T) {
	w := signals(26 * time.Hour)
	store, err := ledgertest.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Write(w); err != nil {
		t.Fatal(err)
	}
	windows := map[string]v1alpha1.Window{
		"Hours": {Rolling: "6h"}, "Days": {Rolling: "2d"},
		"Calendar": {Calendar: &v1alpha1.CalendarWindow{Unit: "Week", TimeZone: "Asia/Kolkata"}},
	}
	moments := []time.Duration{20*time.Hour + 13*time.Minute, 23*time.Hour + 59*time.Minute, 26 * time.Hour}
	seen, invalid, turn := map[evaluate.Outcome]bool{}, 0, 0
	for kind, in := range indicators {
		for length, window := range windows {
			o := objective(in.indicator, in.target, "", func(s *v1alpha1.ObjectiveSpec) { s.Window, s.Confidence = window, "" })
			turn++
			to := begin.Add(moments[turn%len(moments)])
			s := Segment{planOf(t, o, to), to.Add(-40 * time.Minute), to}
			t.Run(kind+length, func(t *testing.T) {
				verdict := compareFigures(t, store, s)
				seen[verdict.Outcome] = true
				if verdict.Invalid {
					invalid++
				}
				compareExcluded(t, store, s, verdict.Attainment)
			})
		}
	}
	if !seen[evaluate.Met] || !seen[evaluate.Missed] || invalid == 0 {
		t.Errorf("nothing is shown of other outcomes than %v, or of numbers that are none (%d)", seen, invalid)
	}
}

// around are exclusions before a moment and at it, which end and begin within hours, and
// within those that are read by the minute. The last of them is still to come in part.
func around(to time.Time) []slo.Span {
	span := func(from, until time.Duration) slo.Span { return slo.Span{Start: to.Add(-from), End: to.Add(-until)} }
	return []slo.Span{
		span(21*time.Hour, 15*time.Hour+17*time.Minute), span(9*time.Hour+41*time.Minute, 9*time.Hour+39*time.Minute),
		span(5*time.Hour+3*time.Minute, 2*time.Hour+50*time.Minute), span(45*time.Minute, 25*time.Minute), span(2*time.Minute, -time.Hour),
	}
}

// compareExcluded compares them with minutes left out. With those they must be what
// they were.
func compareExcluded(t *testing.T, store *ledgertest.Store, s Segment, raw float64) {
	t.Helper()
	s.Plan.Excluded = around(s.End)
	if left := compareFigures(t, store, s); left.Raw == nil || !same(left.Raw.Attainment, raw) {
		t.Errorf("with what is excluded %+v, want the attainment %v", left.Raw, raw)
	}
}

// compareFigures compares a replay with books, and gives the last verdict.
func compareFigures(t *testing.T, store *ledgertest.Store, s Segment) evaluate.Verdict {
	t.Helper()
	got := Run(historyOf(t, store, s.Plan, s.Start, s.End), []Segment{s}, time.Hour)
	last := bookAt(t, store, s, s.End)
	if diff := cmp.Diff(last, got.Last, roughly...); diff != "" {
		t.Errorf("at the end: -evaluate, +replay:\n%s", diff)
	}
	for _, p := range got.Points {
		want := last
		if !p.At.Equal(s.End) {
			want = bookAt(t, store, s, p.At)
		}
		if !same(want.Attainment, p.Attainment) || !same(want.BudgetRemaining, p.Budget) || want.Outcome != p.Outcome {
			t.Errorf("at %s: %+v, want %v and %v", p.At, p, want.Attainment, want.BudgetRemaining)
		}
	}
	return last
}

func same(a, b float64) bool {
	return math.Abs(a-b) < 1e-9 || math.IsNaN(a) && math.IsNaN(b)
}
