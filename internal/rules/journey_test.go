package rules_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/rules"
	"github.com/experience-slo/operator/internal/slo"
)

func called(name string) func(*v1alpha1.Objective) {
	return func(o *v1alpha1.Objective) { o.Name = name }
}

func asks(events int64) func(*v1alpha1.Objective) {
	return func(o *v1alpha1.Objective) { o.Spec.MinimumEvents = events }
}

// leads builds a journey of stages with their plans.
func leads(name string, spec v1alpha1.JourneySpec, stages map[v1alpha1.Label][]*compile.Plan) *rules.Journey {
	return &rules.Journey{Key: types.NamespacedName{Namespace: "shop", Name: name}, UID: "u-2", Spec: &spec, Stages: stages}
}

func critical(name v1alpha1.Label) v1alpha1.JourneyStage {
	return v1alpha1.JourneyStage{Name: name, Importance: v1alpha1.ImportanceCritical}
}

// order is a journey whose product is made up for by support.
func order(t *testing.T, options ...func(*v1alpha1.Objective)) *rules.Journey {
	plan := func(name string, more ...func(*v1alpha1.Objective)) *compile.Plan {
		return planOf(t, objective(failures(), "75%", append(append(options, called(name)), more...)...), confined())
	}
	return leads("order", v1alpha1.JourneySpec{
		Description: "From the shop to the parcel.",
		Stages:      []v1alpha1.JourneyStage{critical("web"), {Name: "mail"}, critical("phone")},
		Recovery:    []v1alpha1.Recovery{{Stage: "web", By: "phone", Cap: "50%"}},
	}, map[v1alpha1.Label][]*compile.Plan{
		"web": {plan("speed"), plan("taps")}, "mail": {plan("opened", supportDesk)}, "phone": {plan("hold.time", supportDesk)},
	})
}

func groupOf(t *testing.T, j *rules.Journey, s rules.Settings) monitoringv1.RuleGroup {
	t.Helper()
	if why := j.Untold(); why != "" {
		t.Fatalf("rules cannot tell: %s", why)
	}
	out, err := rules.JourneyGroup(j, s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestJourneyIsGolden(t *testing.T) {
	text, err := rules.File([]monitoringv1.RuleGroup{groupOf(t, order(t), rules.SettingsOf(confined()))})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "journey", "Windows of 28 days are sums of half hours; the stage that is not critical is not asked.", text, false)
}

// TestJourneyPaces has windows of all lengths summed from as many numbers as those of
// alerts are.
func TestJourneyPaces(t *testing.T) {
	cases := map[string]struct {
		reason string
		window v1alpha1.RollingWindow
		want   string
	}{
		"Short":  {"minutes as they are", "6h", "1m"},
		"Days":   {"five of them", "4d", "5m"},
		"Month":  {"half an hour", "28d", "30m"},
		"Longer": {"and never more", "365d", "30m"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			offset := 90 * time.Second
			group := groupOf(t, order(t, rolling(tc.window)), rules.Settings{Prefix: "xp", QueryOffset: &offset})
			if string(*group.Interval) != tc.want || group.Name != "xp/shop/order/journey" || string(*group.QueryOffset) != "1m30s" {
				t.Errorf("%s: group %s every %s, want every %s", tc.reason, group.Name, *group.Interval, tc.want)
			}
		})
	}
}

func TestJourneyUntold(t *testing.T) {
	spec := func(stages ...v1alpha1.JourneyStage) v1alpha1.JourneySpec {
		return v1alpha1.JourneySpec{Stages: stages}
	}
	plan := func(options ...func(*v1alpha1.Objective)) []*compile.Plan {
		return []*compile.Plan{planOf(t, objective(failures(), "75%", options...), confined())}
	}
	month := func(o *v1alpha1.Objective) {
		o.Spec.Window = v1alpha1.Window{Calendar: &v1alpha1.CalendarWindow{Unit: "Month"}}
	}
	sure := func(o *v1alpha1.Objective) { o.Spec.Confidence = "95%" }
	elsewhere := func(o *v1alpha1.Objective) { o.Namespace = "bank" }
	grouped := func(o *v1alpha1.Objective) {
		o.Spec.GroupBy = &v1alpha1.GroupBy{Label: "device", Maximum: 3, Met: v1alpha1.SegmentRuleEvery}
	}
	excluded := plan()[0]
	excluded.Excluded = []slo.Span{{Start: begin, End: begin.Add(time.Hour)}}
	unruled := planOf(t, objective(failures(), "75%"), &v1alpha1.MetricSourceSpec{})
	const unrecorded, several = "no ruler records one of its objectives", "its objectives are of several sources or namespaces"
	cases := map[string]struct {
		reason string
		spec   v1alpha1.JourneySpec
		plans  []*compile.Plan
		want   string
	}{
		"Told":       {"all that is needed is there", spec(critical("a")), plan(), ""},
		"Harmless":   {"nothing breaks it", spec(v1alpha1.JourneyStage{Name: "a"}), plan(), "nothing could break it: no stage is critical"},
		"Empty":      {"a selector that chooses nothing", spec(critical("a"), critical("b")), plan(), "a critical stage has no objective"},
		"Nobody":     {"the only one", spec(critical("b")), plan(), "a critical stage has no objective"},
		"Missing":    {"an objective without rules", spec(critical("a")), []*compile.Plan{nil}, unrecorded},
		"Completion": {"or completion without", v1alpha1.JourneySpec{Stages: []v1alpha1.JourneyStage{{Name: "a"}}, Completion: "orders"}, plan(), unrecorded},
		"Unruled":    {"a source without a ruler", spec(critical("a")), []*compile.Plan{unruled}, unrecorded},
		"Calendar":   {"windows of the calendar begin when the zone says", spec(critical("a")), plan(month), "the window of one of its objectives is of the calendar"},
		"Confidence": {"an interval is more than a quotient", spec(critical("a")), plan(sure), "one of its objectives asks for confidence"},
		"Segments":   {"nor are segments one", spec(critical("a")), plan(grouped), "one of its objectives promises each segment the same"},
		"Excluded":   {"recorded minutes are all that there were", spec(critical("a")), []*compile.Plan{excluded}, "minutes of one of its objectives do not count"},
		"Elsewhere":  {"a ruler of one namespace may not see another", spec(critical("a")), append(plan(), plan(elsewhere)...), several},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			j := leads("order", tc.spec, map[v1alpha1.Label][]*compile.Plan{"a": tc.plans})
			if got := j.Untold(); got != tc.want {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestJourneyRule(t *testing.T) {
	j := order(t)
	s := rules.SettingsOf(confined())
	got := rules.JourneyRule(j, s, groupOf(t, j, s))
	owner := got.OwnerReferences[0]
	if got.Name != "order.journey" || got.Namespace != "shop" || owner.Kind != "Journey" || owner.Name != "order" || owner.UID != "u-2" || got.Labels[rules.ManagedBy] != rules.Manager {
		t.Errorf("PrometheusRule %s/%s with labels %v of %+v", got.Namespace, got.Name, got.Labels, owner)
	}
	if name := rules.JourneyFileName(j.Key); name != "Journey.shop.order.yaml" {
		t.Errorf("file %s", name)
	}
}

// pool is objectives that were recorded up to now, and what is known of each.
type pool struct {
	*ruler
	now     time.Time
	plans   []*compile.Plan
	members []evaluate.JourneyMember
}

// newPool records six hours of objectives that are met, missed and unknown: with too
// few events, with hours that were not recorded, and without data.
func newPool(t *testing.T) *pool {
	t.Helper()
	store, err := ledgertest.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &pool{ruler: &ruler{t: t, store: store, firing: map[alertKey]bool{}}, now: begin.Add(6 * time.Hour)}
	for i, side := range []func(*v1alpha1.Objective){func(*v1alpha1.Objective) {}, supportDesk} {
		for k, of := range []struct {
			share    float64
			recorded time.Duration
			events   float64
		}{{0.9, 6 * time.Hour, 10}, {0.75, 6 * time.Hour, 10}, {0.74, 6 * time.Hour, 10}, {0.2, 6 * time.Hour, 10}, {0.2, 6 * time.Hour, 1}, {0.2, 2 * time.Hour, 100}, {0.2, 6 * time.Hour, 0}} {
			p.add(planOf(t, objective(failures(), "75%", rolling("6h"), side, asks(1000), called(fmt.Sprintf("o%d.%d", i, k))), confined()), of.share, of.recorded, of.events)
		}
	}
	return p
}

// add records an objective for some time, and judges it as the operator would.
func (p *pool) add(plan *compile.Plan, share float64, recorded time.Duration, events float64) {
	p.plan = plan
	var sums slo.Sums
	for at := p.now.Add(-recorded).Add(time.Minute); !at.After(p.now); at = at.Add(time.Minute) {
		p.record(at, 0, "objective:experience_resets:delta1m")
		if events > 0 {
			p.record(at, events, "objective:experience_events:delta1m")
			p.record(at, share*events, "objective:experience_points:delta1m")
			sums.Events, sums.Points = sums.Events+events, sums.Points+share*events
		}
	}
	m := evaluate.JourneyMember{Name: v1alpha1.Name(plan.Key.Name), Perspective: v1alpha1.Perspective(plan.Perspective), Kept: math.NaN(), Budget: math.NaN()}
	if attainment, ok := sums.Attainment(); ok && sums.Events >= plan.MinimumEvents && recorded == 6*time.Hour {
		if m.Outcome = evaluate.Missed; slo.Meets(attainment, plan.Target) {
			m.Outcome = evaluate.Met
		}
	}
	p.plans, p.members = append(p.plans, plan), append(p.members, m)
}

// draw makes a journey of some of the objectives, and judges it as the operator does.
func (p *pool) draw(r *rand.Rand, name string) (*rules.Journey, v1alpha1.JourneyVerdict) {
	j := leads(name, v1alpha1.JourneySpec{}, map[v1alpha1.Label][]*compile.Plan{})
	members := map[v1alpha1.Label][]evaluate.JourneyMember{}
	for i := range 1 + r.IntN(4) {
		stage := v1alpha1.JourneyStage{Name: v1alpha1.Label(fmt.Sprint("s", i))}
		if stage.Importance = v1alpha1.ImportanceNormal; r.IntN(2) == 0 {
			stage.Importance = v1alpha1.ImportanceCritical
		}
		j.Spec.Stages = append(j.Spec.Stages, stage)
		for _, at := range r.Perm(len(p.plans))[:1+r.IntN(3)] {
			j.Stages[stage.Name] = append(j.Stages[stage.Name], p.plans[at])
			members[stage.Name] = append(members[stage.Name], p.members[at])
		}
	}
	for range r.IntN(4) {
		from, by := r.IntN(len(j.Spec.Stages)), r.IntN(len(j.Spec.Stages))
		if from != by {
			j.Spec.Recovery = append(j.Spec.Recovery, v1alpha1.Recovery{Stage: j.Spec.Stages[from].Name, By: j.Spec.Stages[by].Name, Cap: "50%"})
		}
	}
	var completion *evaluate.JourneyMember
	if r.IntN(4) == 0 {
		at := r.IntN(len(p.plans))
		j.Spec.Aggregation, j.Spec.Completion, j.Completion, completion = v1alpha1.AggregationCompletion, p.members[at].Name, p.plans[at], &p.members[at]
	}
	return j, evaluate.Journey(j.Spec, members, completion).Verdict
}

// TestJourneysAreJudgedAlike has Prometheus' engine judge random journeys by its own
// rules: it finds broken what the operator does, nothing else, and fires.
func TestJourneysAreJudgedAlike(t *testing.T) {
	p, r := newPool(t), rand.New(rand.NewPCG(5, 8))
	seen := map[string]int{}
	for i := range 150 {
		j, verdict := p.draw(r, fmt.Sprint("j", i))
		if j.Untold() != "" {
			continue // nothing could break it
		}
		group := p.evaluated(groupOf(t, j, rules.SettingsOf(confined())))
		got := p.value(fmt.Sprintf(`%s{journey="%s"}`, rules.JourneyBroken, j.Key.Name), p.now)
		seen[fmt.Sprintf("%s by the operator, %s by rules", verdict, shown(got))]++
		if (verdict == v1alpha1.JourneyBroken) != (got == 1) || verdict == v1alpha1.JourneyHolding && math.IsNaN(got) {
			t.Errorf("%s is %s, and %s by rules: %+v\n%v", j.Key, verdict, shown(got), *j.Spec, j.Stages)
		}
		if firing := len(group.AlertingRules()[0].ActiveAlerts()); (firing == 1) != (got == 1) {
			t.Errorf("%s: %d alerts where the rules say %s", j.Key, firing, shown(got))
		}
	}
	for what, n := range seen {
		t.Logf("%3d × %s", n, what)
	}
	if len(seen) < 5 {
		t.Errorf("only %v came up", seen)
	}
}

// evaluated loads a group and evaluates it now.
func (p *pool) evaluated(group monitoringv1.RuleGroup) *turn {
	p.t.Helper()
	text, err := rules.File([]monitoringv1.RuleGroup{group})
	if err != nil {
		p.t.Fatal(err)
	}
	parsed, errs := rulefmt.Parse(text, false, model.LegacyValidation, parser.NewParser(parser.Options{}), nil)
	if len(errs) > 0 {
		p.t.Fatal(errs)
	}
	out := &turn{Group: p.load(parsed.Groups[0])}
	p.evaluate(out, p.now)
	return out
}

// TestJourneyRollUps lets two days pass: nothing is said before enough of the window
// was recorded, and then what the minutes say.
func TestJourneyRollUps(t *testing.T) {
	p := newPool(t)
	plan := planOf(t, objective(failures(), "75%", rolling("1d"), called("daily")), confined())
	j := leads("daily", v1alpha1.JourneySpec{Stages: []v1alpha1.JourneyStage{critical("web")}}, map[v1alpha1.Label][]*compile.Plan{"web": {plan}})
	p.plan = plan
	group := p.evaluated(groupOf(t, j, rules.SettingsOf(confined())))
	// Four of five are good on the first day, and three on the second.
	good := func(at time.Time) float64 {
		if at.After(p.now.Add(24 * time.Hour)) {
			return 3
		}
		return 4
	}
	var known, broke time.Duration
	for after := time.Minute; after <= 48*time.Hour; after += time.Minute {
		at := p.now.Add(after)
		p.record(at, 5, "objective:experience_events:delta1m")
		p.record(at, good(at), "objective:experience_points:delta1m")
		p.record(at, 0, "objective:experience_resets:delta1m")
		if after%(5*time.Minute) != 0 {
			continue
		}
		p.evaluate(group, at)
		switch got := p.value(rules.JourneyBroken+`{journey="daily"}`, at); {
		case got == 0 && known == 0:
			known = after
		case got == 1 && broke == 0:
			broke = after
		}
	}
	t.Logf("known after %s, broken after %s", known, broke)
	// 9/10 of a day, and once a quarter of the window is of the second day; both as of
	// a minute before.
	want := []time.Duration{21*time.Hour + 40*time.Minute, 30*time.Hour + 5*time.Minute}
	if diff := cmp.Diff(want, []time.Duration{known, broke}); diff != "" {
		t.Errorf("known and broken after: -want, +got:\n%s", diff)
	}
	end := p.now.Add(48 * time.Hour)
	if got := p.value(rules.JourneyAttainment+`{objective="daily"}`, end); math.Abs(got-(1439*3.0+4)/(1440*5)) > 1e-9 {
		t.Errorf("attainment %v of a day that ended a minute ago", got)
	}
}
