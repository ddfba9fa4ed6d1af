package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/rehearse"
	"github.com/experience-slo/operator/internal/status"
)

// Labels of alerts that expectations name by fields of their own.
const (
	alertName     = model.AlertNameLabel
	alertSeverity = "severity"
	alertWindow   = "window"
)

// figures are the fields of the status that a test can expect, as text.
var figures = map[string]func(o *v1alpha1.Objective) string{
	"met":             func(o *v1alpha1.Objective) string { return string(metOf(o).Status) },
	"reason":          func(o *v1alpha1.Objective) string { return metOf(o).Reason },
	"attainment":      func(o *v1alpha1.Objective) string { return o.Status.Attainment },
	"budgetRemaining": func(o *v1alpha1.Objective) string { return o.Status.BudgetRemaining },
	"coverage":        func(o *v1alpha1.Objective) string { return o.Status.Coverage },
	"band":            func(o *v1alpha1.Objective) string { return string(o.Status.Band) },
	"events": func(o *v1alpha1.Objective) string {
		if o.Status.Events == nil {
			return ""
		}
		return strconv.FormatInt(*o.Status.Events, 10)
	},
}

func figureNames() []string { return sorted(figures) }

// metOf is the condition that says whether the promise holds.
func metOf(o *v1alpha1.Objective) metav1.Condition {
	if met := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionMet); met != nil {
		return *met
	}
	return metav1.Condition{}
}

// difference is what was expected and what was found instead.
type difference struct {
	place
	objective, moment, field string
	expected, got            []string
}

// rehearsal is a test under way.
type rehearsal struct {
	trial

	store      *rehearse.Store
	objectives map[string]planned
	rulers     map[string]*warden
	end        time.Time
}

// errInterrupted says that somebody stopped the program.
var errInterrupted = errors.New("interrupted")

// prepare loads the series and compiles the objectives of a test. The mistakes are
// those of the manifests and of the test.
func (t trial) prepare(ctx context.Context, manifests *inventory) (*rehearsal, error) {
	r := &rehearsal{trial: t, store: rehearse.NewStore(), objectives: map[string]planned{}, rulers: map[string]*warden{}}
	for _, s := range t.series {
		if err := r.store.Load(s.Series, t.start, t.interval); err != nil {
			manifests.refuse(manifest{place: place{t.file, s.line}}, "", fault{rule: ruleDocument, text: err.Error()})
		}
	}
	for _, m := range t.manifests {
		if err := manifests.takeTest(ctx, m); err != nil {
			return nil, err
		}
	}
	for _, e := range t.expect {
		r.end = latest(r.end, e.at)
	}
	for _, o := range manifests.objectives {
		if o.CreationTimestamp.IsZero() { // it was there before the data
			o.CreationTimestamp = metav1.NewTime(t.start)
		}
	}
	for _, o := range manifests.plan(manifests.objectives, r.end) {
		o.in.Until = r.end
		r.objectives[o.Namespace+"/"+o.Name] = o
	}
	if manifests.refused() {
		return r, nil
	}
	r.miss(manifests)
	return r, r.part(manifests)
}

// miss takes down which objectives are expected and not there.
func (r *rehearsal) miss(manifests *inventory) {
	for _, e := range r.expect {
		if _, known := r.objectives[e.objective]; !known {
			manifests.refuse(manifest{place: place{r.file, e.line}}, "", fault{ruleDocument, "objective", fmt.Sprintf(
				"%q: no manifest has it: write one of %s", e.objective, strings.Join(sorted(r.objectives), ", "))})
		}
	}
}

// part takes down which alerts are expected in calendar units of several lengths,
// whose rules differ: of an objective those of one length are rehearsed.
func (r *rehearsal) part(manifests *inventory) error {
	first := map[string]planned{}
	moments := map[string]string{}
	for _, e := range r.expect {
		o, known := r.objectives[e.objective]
		if !known || e.alertsAt == 0 || o.Suspended() {
			continue
		}
		then, err := o.as(e.at)
		if err != nil {
			return err
		}
		if before, known := first[e.objective]; !known {
			first[e.objective], moments[e.objective] = then, e.moment
		} else if !slices.Equal(before.plan.Tiers, then.plan.Tiers) {
			manifests.refuse(manifest{place: place{r.file, e.alertsAt}}, "", fault{ruleDocument, "alerts", fmt.Sprintf(
				"at %s and at %s the calendar window has units of different lengths, whose rules differ: expect each in a test of its own", moments[e.objective], e.moment)})
		}
	}
	return nil
}

// another is an empty inventory that knows the same kinds.
func (v *inventory) another(namespace string) *inventory {
	return &inventory{
		definitions: v.definitions, namespace: namespace,
		sources: map[compile.SourceKey]*origin{}, indicators: map[compile.IndicatorKey]*template{},
		calendars: map[types.NamespacedName]*opening{},
		seen:      map[string]place{}, order: map[string]int{},
	}
}

// takeTest takes a file, a folder, or an object that stands in the test itself.
func (v *inventory) takeTest(ctx context.Context, m testManifest) error {
	if m.object != nil {
		v.takeObject(ctx, *m.object)
		return nil
	}
	files, err := readAll([]string{m.path}, nil)
	if err != nil {
		return err
	}
	v.take(ctx, files)
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// run judges each expectation in the order of time, and gives what is different.
func (r *rehearsal) run(ctx context.Context) ([]difference, error) {
	all := slices.Clone(r.expect)
	slices.SortStableFunc(all, func(a, b expectation) int { return a.at.Compare(b.at) })
	var out []difference
	for _, e := range all {
		found, err := r.judge(ctx, e)
		if ctx.Err() != nil { // what a stopped query gives is no result of the test
			return nil, errInterrupted
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", place{r.file, e.line}, err)
		}
		for i := range found {
			found[i].objective, found[i].moment, found[i].file = e.objective, e.moment, r.file
		}
		out = append(out, found...)
	}
	slices.SortStableFunc(out, func(a, b difference) int { return a.line - b.line })
	return out, nil
}

// as gives an objective with the plan that it has at a moment.
func (o planned) as(at time.Time) (planned, error) {
	plan, err := o.planAt(at)
	o.plan = plan
	return o, err
}

func (r *rehearsal) judge(ctx context.Context, e expectation) ([]difference, error) {
	var out []difference
	o, err := r.objectives[e.objective].as(e.at)
	if err != nil {
		return nil, err
	}
	if len(e.figures) > 0 {
		found := r.measure(ctx, o, e.at)
		for _, f := range e.figures {
			if got := figures[f.field](found); !alike(f.text, got) {
				out = append(out, difference{place: place{line: f.line}, field: f.field, expected: texts(f.text), got: texts(got)})
			}
		}
	}
	if e.alertsAt == 0 {
		return out, nil
	}
	firing, err := r.firing(ctx, o, e.at)
	if err != nil {
		return nil, err
	}
	if missing, more := matchAlerts(e.alerts, firing); len(missing)+len(more) > 0 {
		out = append(out, difference{place: place{line: e.alertsAt}, field: "alerts", expected: missing, got: more})
	}
	return out, nil
}

// measure writes the status as the operator does.
func (r *rehearsal) measure(ctx context.Context, o planned, at time.Time) *v1alpha1.Objective {
	if o.Suspended() {
		out := o.DeepCopy()
		status.Objective(out, nil, status.Suspended())
		return out
	}
	return o.measure(ctx, r.store, at).Objective
}

// texts are a figure that is there, and nothing of one that is not.
func texts(figure string) []string {
	if figure == "" {
		return nil
	}
	return []string{figure}
}

// alike says whether two figures are the same number, or the same text.
func alike(a, b string) bool {
	if a == b {
		return true
	}
	x, percent := strings.CutSuffix(a, "%")
	y, other := strings.CutSuffix(b, "%")
	m, errX := strconv.ParseFloat(x, 64)
	n, errY := strconv.ParseFloat(y, 64)
	return percent == other && errX == nil && errY == nil && m == n
}

// probing is how often bucket boundaries are looked for. A probe looks an hour back.
const probing = time.Hour

// bound gives a plan the boundaries that its histogram has at any time of the test.
func (r *rehearsal) bound(ctx context.Context, plan *compile.Plan) error {
	if plan.Histogram == nil {
		return nil
	}
	found, err := r.store.Range(ctx, plan.Histogram.Probe, r.start, r.end.Add(probing), probing)
	if err != nil {
		return err
	}
	var le []string
	for _, stream := range found {
		le = append(le, string(stream.Metric["le"]))
	}
	return plan.Bind(promql.NewBoundaries(le))
}

// matchAlerts gives the alerts that were expected and do not fire, and those that
// fire and were not expected. Who names more labels chooses first.
func matchAlerts(expected []wantedAlert, firing []labels.Labels) (missing, more []string) {
	expected = slices.Clone(expected)
	slices.SortStableFunc(expected, func(a, b wantedAlert) int { return len(b) - len(a) })
	for _, want := range expected {
		at := slices.IndexFunc(firing, want.matches)
		if at < 0 {
			missing = append(missing, want.String())
			continue
		}
		firing = slices.Delete(slices.Clone(firing), at, at+1)
	}
	for _, got := range firing {
		more = append(more, wantedAlert{
			alertName: got.Get(alertName), alertSeverity: got.Get(alertSeverity), alertWindow: got.Get(alertWindow),
		}.String())
	}
	slices.Sort(missing)
	return missing, more
}

func (w wantedAlert) matches(l labels.Labels) bool {
	for name, value := range w {
		if l.Get(name) != value {
			return false
		}
	}
	return true
}

// String gives "ExperienceBudgetBurn critical 1h" and, behind it, other labels.
func (w wantedAlert) String() string {
	var out []string
	for _, name := range []string{alertName, alertSeverity, alertWindow} {
		if w[name] != "" {
			out = append(out, w[name])
		}
	}
	for _, name := range sorted(w) {
		if name != alertName && name != alertSeverity && name != alertWindow {
			out = append(out, fmt.Sprintf("%s=%q", name, w[name]))
		}
	}
	if len(out) == 0 {
		return "any alert"
	}
	return strings.Join(out, " ")
}
