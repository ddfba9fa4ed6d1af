package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/experience-slo/operator/internal/rehearse"
)

// journeyOf is a journey of the namespace shop; spec is its YAML.
func journeyOf(name, spec string) string {
	return "\napiVersion: experience.slo/v1alpha1\nkind: Journey\nmetadata: {name: " + name + ", namespace: shop}\nspec: {" + spec + "}\n---"
}

// critical are stages without which a journey is worth nothing, each of an objective.
func critical(objectives ...string) string {
	var out []string
	for _, o := range objectives {
		out = append(out, "{name: s-"+o+", importance: Critical, objectives: {names: ["+o+"]}}")
	}
	return "stages: [" + strings.Join(out, ", ") + "]"
}

// hourly is an objective of the events of a name, over an hour.
func hourly(name, more string) string {
	indicator := strings.NewReplacer("good_total", name+"_good_total", "all_total", name+"_total").Replace(counted)
	return strings.Replace(manifestOf(name, indicator, "90%", more), "28d", "1h", 1)
}

const aSource = "name: default"

func TestRenderJourneys(t *testing.T) {
	const untold = "note: Journey shop/order has no rules: "
	const unknown = untold + "no ruler records one of its objectives"
	a, b, from := hourly("a", ""), hourly("b", ""), sourceOf("ClusterMetricSource", aSource, "")
	labelled := strings.Replace(a, "namespace: shop}", "namespace: shop, labels: {team: web}}", 1)
	elsewhere := strings.Replace(strings.Replace(a, "namespace: shop", "namespace: bank", 1), "\n---", "  sharedWith: {names: [shop]}\n---", 1)
	month := strings.Replace(a, "{rolling: 1h}", "{calendar: {unit: Month}}", 1)
	selected := journeyOf("order", "stages: [{name: web, importance: Critical, objectives: {selector: {matchLabels: {team: web}}}}]")
	const chosen = "note: Journey shop/order: the selector of stage web chooses among the manifests alone"
	type want struct {
		// Groups are those of journeys.
		Groups          []string
		Notes, Mistakes []string
	}
	cases := map[string]struct {
		reason, args string
		want         want
	}{
		"All":        {"its objectives are there, in any order", journeyOf("order", critical("a", "b")) + b + a, want{Groups: []string{"experience/shop/order/journey"}}},
		"Two":        {"by name", a + journeyOf("order", critical("a")) + journeyOf("browse", critical("a")), want{Groups: []string{"experience/shop/browse/journey", "experience/shop/order/journey"}}},
		"Selected":   {"labels choose among what is there, and one is told", labelled + b + selected, want{Groups: []string{"experience/shop/order/journey"}, Notes: []string{chosen}}},
		"NoneIsSo":   {"or none of it", b + selected, want{Notes: []string{chosen, untold + "a critical stage has no objective"}}},
		"Absent":     {"one that decides is missing", a + journeyOf("order", critical("a", "b")), want{Notes: []string{"note: Journey shop/order: Objective shop/b is not among the manifests: it is taken not to exist", unknown}}},
		"Undecided":  {"one that does not is", a + journeyOf("order", "stages: [{name: web, importance: Critical, objectives: {names: [a]}}, {name: mail, objectives: {names: [b]}}]"), want{Groups: []string{"experience/shop/order/journey"}, Notes: []string{"note: Journey shop/order: Objective shop/b is not among the manifests: it is taken not to exist"}}},
		"Completion": {"nor is the objective of the whole", a + journeyOf("order", "aggregation: Completion, completion: done, stages: [{name: web, objectives: {names: [a]}}]"), want{Notes: []string{"note: Journey shop/order: Objective shop/done is not among the manifests: it is taken not to exist", unknown}}},
		"Unshared":   {"another namespace's, which may be there and not shared", a + journeyOf("order", "stages: [{name: web, importance: Critical, objectives: {namespace: bank, names: [a]}}]"), want{Notes: []string{`note: Journey shop/order: Objective bank/a is not among the manifests, or not shared with namespace "shop": it is taken not to exist`, unknown}}},
		"Elsewhere":  {"a ruler of one namespace may not see another", elsewhere + journeyOf("order", "stages: [{name: web, importance: Critical, objectives: {namespace: bank, names: [a]}}]"), want{Notes: []string{untold + "its objectives are of several sources or namespaces"}}},
		"Suspended":  {"one that is not measured", hourly("a", "  suspend: true\n") + b + journeyOf("order", critical("a", "b")), want{Notes: []string{"note: Objective shop/a is skipped: spec.suspend is true", unknown}}},
		"Harmless":   {"nothing breaks it", a + journeyOf("order", "stages: [{name: web, objectives: {names: [a]}}]"), want{Notes: []string{untold + "nothing could break it: no stage is critical"}}},
		"Calendar":   {"what rules cannot tell", month + journeyOf("order", critical("a")), want{Notes: []string{untold + "the window of one of its objectives is of the calendar"}}},
		"Excluded":   {"minutes that do not count, of the exclusion beside", a + "\n" + left("checkout", time.Minute, -time.Hour, "") + journeyOf("order", critical("a")), want{Notes: []string{untold + "minutes of one of its objectives do not count"}}},
		"Unreadable": {"a mistake of its own", a + journeyOf("order", "stages: [{name: web, objectives: {selector: {matchExpressions: [{key: a, operator: Like}]}}}]"), want{Mistakes: []string{`f:22: Journey shop/order: spec.stages[0].objectives.selector: "Like" is not a valid label selector operator`}}},
		"Broken":     {"with a mistake of an objective, nothing is said of what it costs the journey", strings.Replace(a, "good: a_good_total", "good: 'rate(x[5m])'", 1) + journeyOf("order", critical("a")), want{Mistakes: []string{`f:14: Objective shop/a: spec.indicator.events.good: "rate(x[5m])" is a call of rate: write the plain counter selector inside it, such as x`}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			v := inventoryOf(t, from+"\n"+tc.args)
			got := want{}
			for _, r := range v.render(now) {
				if r.journey != nil {
					got.Groups = append(got.Groups, r.groups[0].Name)
				}
			}
			got.Notes = v.notes
			for _, m := range v.report() {
				got.Mistakes = append(got.Mistakes, m.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestRenderJourneyOutputs has one journey printed in each way: the same group is in
// each, under the name that the operator would choose.
func TestRenderJourneyOutputs(t *testing.T) {
	manifests := hourly("a", "") + journeyOf("order", critical("a"))
	all := map[string]string{}
	for _, output := range outputs {
		got := do(t, manifests, "render", "-f", "-", "-o", output)
		if got.Code != Done || got.Err != assumed {
			t.Fatalf("%s: %d: %s", output, got.Code, got.Err)
		}
		all[output] = got.Out
	}
	checkRules(t, all[outputRules])
	in := map[string]monitoringv1.RuleGroup{}
	groupsOf(t, all[outputRules], in)
	group, found := in["experience/shop/order/journey"]
	if last := len(group.Rules) - 1; !found || group.Rules[last].Alert != "ExperienceJourneyBroken" {
		t.Fatalf("the rule file holds no rules of the journey:\n%s", all[outputRules])
	}

	objects := map[string][]monitoringv1.RuleGroup{}
	for _, o := range partsOf[monitoringv1.PrometheusRule](t, all[outputPrometheusRule]) {
		objects[o.Namespace+"/"+o.Name] = o.Spec.Groups
	}
	if diff := cmp.Diff([]monitoringv1.RuleGroup{group}, objects["shop/order.journey"]); diff != "" {
		t.Errorf("-rules, +prometheusrule:\n%s", diff)
	}
	groupsOfPrometheusRules(t, all[outputPrometheusRule]) // checks that none reads as the operator's

	files := map[string]monitoringv1.RuleGroup{}
	shard := partsOf[corev1.ConfigMap](t, all[outputConfigMap])[0]
	groupsOf(t, shard.Data["Journey.shop.order.yaml"], files)
	if diff := cmp.Diff(map[string]monitoringv1.RuleGroup{group.Name: group}, files); diff != "" || shard.Name != "experience-cluster-rules.default.shop-0" {
		t.Errorf("ConfigMap %s: -rules, +configmap:\n%s", shard.Name, diff)
	}
}

// firing runs a rule file by Prometheus' rules engine over series of a sample a minute,
// and gives the alerts of journeys that fire in the end.
func firing(t *testing.T, file string, minutes int, series ...string) string {
	t.Helper()
	store := rehearse.NewStore()
	for _, text := range series {
		parsed, err := rehearse.ParseSeries(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Load(parsed, now, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	ruler, err := rehearse.NewRuler(t.Context(), store, []byte(file), now)
	if err != nil {
		t.Fatal(err)
	}
	if err := ruler.Run(t.Context(), now.Add(time.Duration(minutes)*time.Minute)); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, alert := range ruler.Firing() {
		if alert.Get("journey") != "" {
			out = append(out, alert.String())
		}
	}
	return strings.Join(out, "\n")
}

// TestRenderedJourneyFires runs what is printed over an hour and a half in which one of
// two promises is broken or both are kept.
func TestRenderedJourneyFires(t *testing.T) {
	printed := do(t, hourly("a", "")+hourly("b", "")+journeyOf("order", critical("a", "b")), "render", "-f", "-")
	if printed.Code != Done {
		t.Fatal(printed.Err)
	}
	const kept, broken = "0+60x90", "0+30x90"
	const fires = `{alertname="ExperienceJourneyBroken", journey="order", namespace="shop", severity="critical"}`
	cases := map[string]struct{ reason, a, b, want string }{
		"Kept":   {"both promises are kept", kept, kept, ""},
		"First":  {"half of what the first one promises fails", broken, kept, fires},
		"Second": {"or of the second one", kept, broken, fires},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := firing(t, printed.Out, 85, "a_good_total "+tc.a, "a_total "+kept, "b_good_total "+tc.b, "b_total "+kept)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
