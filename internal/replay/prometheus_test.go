package replay

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/prometheus/model/labels"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/rehearse"
	"github.com/experience-slo/operator/internal/rules"
	"github.com/experience-slo/operator/internal/slo"
)

// rendered is what is rendered for a plan that is made at a moment.
func rendered(t *testing.T, plan *compile.Plan, at time.Time) []byte {
	t.Helper()
	made := *plan
	made.Made = at
	plan = &made
	groups, err := rules.Groups(plan, rules.Settings{Prefix: "experience"})
	if err != nil {
		t.Fatal(err)
	}
	file, err := rules.File(groups)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// fired has Prometheus' rules engine evaluate what is rendered for a plan, minute by
// minute, and gives what fired and when.
func fired(t *testing.T, store *rehearse.Store, plan *compile.Plan, to time.Time) []Episode {
	t.Helper()
	step := turning(t, store, plan)
	under := map[Alert]time.Time{}
	var out []Episode
	for at := begin.Add(time.Minute); !at.After(to); at = at.Add(time.Minute) {
		now := step(at)
		for a := range now {
			if _, known := under[a]; !known {
				under[a] = at
			}
		}
		for a, start := range under {
			if !now[a] {
				out = append(out, Episode{Alert: a, Start: start, End: at})
				delete(under, a)
			}
		}
	}
	for a, start := range under {
		out = append(out, Episode{Alert: a, Start: start, End: to, Open: true})
	}
	return inOrder(out)
}

// turning loads what is rendered for a plan, and gives what evaluates it up to a moment
// and says what fires. Rules are written anew when the operator does.
func turning(t *testing.T, store *rehearse.Store, plan *compile.Plan) func(at time.Time) map[Alert]bool {
	t.Helper()
	ruler, err := rehearse.NewRuler(t.Context(), store, rendered(t, plan, begin), begin)
	if err != nil {
		t.Fatal(err)
	}
	turn := rules.Turn(plan, begin)
	return func(at time.Time) map[Alert]bool {
		if !turn.IsZero() && !turn.After(at) {
			if err := ruler.Reload(t.Context(), rendered(t, plan, at), at); err != nil {
				t.Fatal(err)
			}
			turn = rules.Turn(plan, at)
		}
		if err := ruler.Run(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		now := map[Alert]bool{}
		for _, l := range ruler.Firing() {
			now[Alert{l.Get(labels.AlertName), l.Get("severity"), l.Get("window")}] = true
		}
		return now
	}
}

func inOrder(all []Episode) []Episode {
	slices.SortFunc(all, func(a, b Episode) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return a.compare(b.Alert)
	})
	return all
}

// TestAlertsAreThoseOfPrometheus compares the alerts of replays with those that
// Prometheus' rules engine fires on the same samples: in worlds of random incidents,
// gaps and restarts, for windows whose alerts are of each group.
func TestAlertsAreThoseOfPrometheus(t *testing.T) {
	const hour = 60
	cases := map[string]struct {
		reason    string
		objective *v1alpha1.Objective
		// minutes is how long each world lasts, and worlds how many there are.
		minutes, worlds int
		// windows is how many windows of alerts must have been seen to fire.
		windows int
		// excluded is how many exclusions there are.
		excluded int
	}{
		"Day":      {"short windows, in one group", objective(failures, "99%", "1d"), 10 * hour, 2, 3, 0},
		"Hours":    {"tiers whose windows are alike are one alert", objective(failures, "90%", "4h"), 6 * hour, 2, 2, 0},
		"Week":     {"two groups", objective(failures, "95%", "7d"), 20 * hour, 1, 3, 0},
		"Month":    {"tiers that read what another group recorded", objective(failures, "99.9%", "28d"), 24 * hour, 1, 4, 0},
		"Quarter":  {"three groups", objective(failures, "99.9%", "90d"), 24 * hour, 1, 3, 0},
		"Year":     {"four groups", objective(failures, "99.5%", "400d"), 20 * hour, 1, 3, 0},
		"Apdex":    {"half points", objective(speed, "0.9", "1d"), 8 * hour, 1, 2, 0},
		"State":    {"no data is bad", objective(probe, "99%", "1d"), 8 * hour, 1, 2, 0},
		"Calendar": {"minutes that are closed count nowhere, and are no absence", objective(failures, "99%", "1d", keeping(0, 25), during), 10 * hour, 2, 3, 0},
		"Kept":     {"alerts are kept firing", objective(failures, "99%", "1d", keeping(17*time.Minute, 25)), 10 * hour, 2, 3, 0},

		"ExcludedDay":      {"minutes that are excluded count nowhere, and meanwhile nobody is told", objective(failures, "99%", "1d"), 10 * hour, 1, 3, 4},
		"ExcludedQuarter":  {"rules of slower groups that leave minutes out sum other minutes than those that do not", objective(failures, "99.9%", "90d"), 24 * hour, 1, 3, 3},
		"ExcludedCalendar": {"time in which it is open counts from the end of an exclusion on", objective(failures, "99%", "1d", keeping(0, 25), during), 10 * hour, 2, 3, 3},
		"ExcludedKept":     {"what fired goes on for so long, and absence is told so long after", objective(failures, "99%", "1d", keeping(17*time.Minute, 25)), 10 * hour, 1, 3, 3},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			windows, episodes := map[Alert]bool{}, 0
			for seed := range tc.worlds {
				rng := rand.New(rand.NewPCG(uint64(seed), uint64(len(name))))
				plan, store := planOf(t, tc.objective, begin), storeOf(t, scraped(rng, incidents(rng, tc.minutes)))
				to := begin.Add(time.Duration(tc.minutes) * time.Minute)
				plan.Excluded = excluded(rng, tc.minutes, tc.excluded)
				got := compareAlerts(t, store, plan, to)
				for _, e := range got {
					windows[e.Alert] = true
				}
				episodes += len(got)
			}
			if len(windows) < tc.windows {
				t.Errorf("%s: only %v fired: nothing is shown of others", tc.reason, windows)
			}
			t.Logf("%d worlds of %s: %d episodes of %d alerts", tc.worlds, time.Duration(tc.minutes)*time.Minute, episodes, len(windows))
		})
	}
}

// excluded draws exclusions of up to a fifth of so many minutes each, which may overlap
// and have begun before.
func excluded(rng *rand.Rand, length, n int) []slo.Span {
	var out []slo.Span
	for range n {
		from := begin.Add(time.Duration(rng.IntN(length)-length/10) * time.Minute)
		out = append(out, slo.Span{Start: from, End: from.Add(time.Duration(1+rng.IntN(length/5)) * time.Minute)})
	}
	return slo.Merge(out)
}

// compareAlerts gives the alerts of a replay, which must be those of Prometheus.
func compareAlerts(t *testing.T, store *rehearse.Store, plan *compile.Plan, to time.Time) []Episode {
	t.Helper()
	want := fired(t, store, plan, to)
	got := inOrder(Run(historyOf(t, store, plan, begin, to), []Segment{{plan, begin, to}}, time.Hour).Alerts)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Episode{}, "Begun")); diff != "" {
		t.Errorf("-Prometheus, +replay:\n%s", diff)
	}
	return got
}

// TestEdgesOfWindows has failures begin and end so that it matters for each group
// which minute is the last that a window holds.
func TestEdgesOfWindows(t *testing.T) {
	for name, first := range map[string]int{"AtFiveMinutes": 4, "Between": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			waves := make([]wave, 8*60)
			for i := 60 + first; i < 60+first+11; i++ {
				waves[i].bad = 0.5
			}
			rng := rand.New(rand.NewPCG(1, uint64(first)))
			plan := planOf(t, objective(failures, "99.9%", "28d"), begin)
			got := compareAlerts(t, storeOf(t, scraped(rng, waves)), plan, begin.Add(8*time.Hour))
			ended := 0
			for _, e := range got {
				if !e.Open {
					ended++
				}
			}
			if ended < 4 {
				t.Errorf("%d alerts ended: nothing is shown of others: %+v", ended, got)
			}
		})
	}
}

// during has a calendar count.
func during(s *v1alpha1.ObjectiveSpec) {
	s.CalendarRef = &v1alpha1.CalendarReference{Name: "desk"}
}

// keeping keeps alerts firing, and asks for more bad events.
func keeping(d time.Duration, bad int64) func(*v1alpha1.ObjectiveSpec) {
	return func(s *v1alpha1.ObjectiveSpec) {
		s.Alerting = &v1alpha1.Alerting{
			KeepFiringFor: &metav1.Duration{Duration: d}, MinimumBadEvents: bad,
			Page:       &v1alpha1.AlertTier{Labels: map[string]v1alpha1.AlertText{"severity": "page"}},
			DataAbsent: &v1alpha1.DataAbsentAlert{After: &metav1.Duration{Duration: 20 * time.Minute}},
		}
	}
}

// TestAbsenceAroundExclusions has data go away before, in and after exclusions, of
// objectives that are always open and of those with a calendar.
func TestAbsenceAroundExclusions(t *testing.T) {
	span := func(from, to int) slo.Span {
		return slo.Span{Start: begin.Add(time.Duration(from) * time.Minute), End: begin.Add(time.Duration(to) * time.Minute)}
	}
	cases := map[string]struct {
		reason     string
		gone, back int
		excluded   []slo.Span
		// want is the minutes at which absence is first told, without a calendar and with.
		want [2][]int
	}{
		"Before":  {"it is told of, silent meanwhile, and told of again", 60, 300, []slo.Span{span(100, 160)}, [2][]int{{90, 185}, {90, 185}}},
		"In":      {"time counts from the end on", 110, 300, []slo.Span{span(100, 160)}, [2][]int{{185}, {185}}},
		"Returns": {"what is back soon after is not missed", 110, 165, []slo.Span{span(100, 160)}, [2][]int{nil, nil}},
		"Twice":   {"each exclusion has it begin anew", 110, 300, []slo.Span{span(100, 160), span(170, 183)}, [2][]int{{205}, {250}}},
		"After":   {"an exclusion that is over changes nothing", 250, 300, []slo.Span{span(100, 160)}, [2][]int{{280}, {280}}},
		"Closed":  {"from 190 to 230 it is closed, and time does not count", 150, 300, []slo.Span{span(140, 174)}, [2][]int{{195}, {240}}},
	}
	for name, tc := range cases {
		for i, option := range []func(*v1alpha1.ObjectiveSpec){func(*v1alpha1.ObjectiveSpec) {}, during} {
			t.Run(fmt.Sprint(name, i), func(t *testing.T) {
				t.Parallel()
				waves := make([]wave, tc.back+10)
				for at := tc.gone; at < tc.back; at++ {
					waves[at].gone = true
				}
				plan := planOf(t, objective(failures, "99%", "1d", keeping(0, 25), option), begin)
				plan.Excluded = tc.excluded
				store := storeOf(t, scraped(rand.New(rand.NewPCG(1, 2)), waves))
				end := begin.Add(time.Duration(len(waves)) * time.Minute)
				got := absences(compareAlerts(t, store, plan, end))
				if diff := cmp.Diff(tc.want[i], got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
				}
				// One that begins in an exclusion, or after it, knows what was before.
				from := tc.excluded[0].End.Add(10 * time.Minute)
				later := Run(historyOf(t, store, plan, from, end), []Segment{{plan, from, end}}, time.Hour)
				want := slices.DeleteFunc(got, func(at int) bool { return at <= int(from.Sub(begin)/time.Minute) })
				if diff := cmp.Diff(want, absences(later.Alerts), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s: from %s on: -whole, +later:\n%s", tc.reason, from, diff)
				}
			})
		}
	}
}

// absences are the minutes at which absence was first told of.
func absences(all []Episode) []int {
	var out []int
	for _, e := range all {
		if e.Name == rules.DataAbsent {
			out = append(out, int(e.Start.Sub(begin)/time.Minute))
		}
	}
	return out
}
