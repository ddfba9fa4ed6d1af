package controllers_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
	"github.com/experience-slo/operator/hack/simulate"
)

// What the apps of a release world earn in a minute, before the release or after.
const (
	goodEvents = 60 // and six bad ones: 90.9%
	badEvents  = 6
	allEvents  = goodEvents + badEvents
)

// releaseWorld is a Prometheus with some apps that are released at one moment,
// hours ago, so that what follows is there already. Tests put their clock there.
type releaseWorld struct {
	*httptest.Server
	release time.Time
	// reads counts the queries that counted events.
	reads atomic.Int64
}

// perMinute is the good and the bad events of each app in a minute, before the
// release and after.
var perMinute = map[string]struct{ before, after [2]float64 }{
	"steady":   {before: [2]float64{goodEvents, badEvents}, after: [2]float64{goodEvents, badEvents}},
	"broken":   {before: [2]float64{goodEvents, badEvents}, after: [2]float64{badEvents, goodEvents}},
	"relieved": {before: [2]float64{badEvents, goodEvents}, after: [2]float64{goodEvents, badEvents}},
	"idle":     {before: [2]float64{goodEvents, badEvents}},
	"gone":     {before: [2]float64{goodEvents, badEvents}, after: [2]float64{math.NaN(), math.NaN()}}, // no sample
}

// newReleaseWorld starts one.
func newReleaseWorld(t testing.TB) *releaseWorld {
	t.Helper()
	dir := t.TempDir()
	w := &releaseWorld{release: env.until.Add(-6 * time.Hour)}
	if err := w.write(filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	server, err := parts.StartPrometheus(context.Background(), parts.PrometheusOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(address)
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/query_range" {
			w.reads.Add(1)
		}
		forward.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.Close)
	return w
}

// write writes a day and more before the release and five hours after it.
func (w *releaseWorld) write(dir string) error {
	start := w.release.Add(-30 * time.Hour)
	var shapes []simulate.Shape
	var copies []simulate.Copy
	for app, rates := range perMinute {
		for i, result := range []string{"good", "bad"} {
			shapes = append(shapes, func(at time.Time) float64 {
				before, after := min(at.Sub(start), w.release.Sub(start)), max(at.Sub(w.release), 0)
				if after == 0 {
					return before.Minutes() * rates.before[i]
				}
				return before.Minutes()*rates.before[i] + after.Minutes()*rates.after[i]
			})
			copies = append(copies, simulate.Copy{Shape: len(shapes) - 1, Labels: labels.FromStrings(
				"__name__", "requests_total", "app", app, "result", result, "job", "shop", "instance", app,
			)})
		}
	}
	return simulate.WriteCopies(dir, start, w.release.Add(5*time.Hour), 15*time.Second, shapes, copies)
}

// stage is a namespace in which a test plays a release, and an operator whose
// clock shows the release at first.
type stage struct {
	*releaseWorld
	op *operator
	ns string
	// ticking says that the present operator ticks.
	ticking bool
}

func (w *releaseWorld) stage(t testing.TB, name string) *stage {
	t.Helper()
	s := &stage{releaseWorld: w, ns: namespace(t, name)}
	create(t, aSource(s.ns, w.URL))
	s.start(t, w.release)
	return s
}

// start runs an operator whose clock shows a minute once it ticks.
func (s *stage) start(t testing.TB, minute time.Time) {
	t.Helper()
	by := &shifted{}
	by.hold(minute.Add(-2 * time.Minute))
	s.op, s.ticking = startOperatorBy(t, by), false
}

// ticks puts the clock two minutes forward, and knows then that an operator which
// just started ticks: its first look at a source's clock says when the next tick
// is due, and comes within a second.
func (s *stage) ticks(t testing.TB, objective string) {
	t.Helper()
	at := func() time.Time {
		return time.Unix(int64(s.op.evaluated(t, s.ns, []string{objective})[objective]), 0)
	}
	eventually(t, "the first measurement", func() bool { return at().Unix() > 0 })
	first := at()
	s.op.clock.hold(first.Add(time.Minute))
	for until := time.Now().Add(3 * time.Second); !at().After(first) && time.Now().Before(until); {
		time.Sleep(20 * time.Millisecond)
	}
	s.op.clock.hold(first.Add(2 * time.Minute))
	eventually(t, "a tick", func() bool { return at().After(first.Add(time.Minute)) })
	s.ticking = true
}

// objective makes an objective on an app, and waits until it is measured.
func (s *stage) objective(t testing.TB, app string, change ...func(*v1alpha1.Objective)) *v1alpha1.Objective {
	t.Helper()
	o := anObjective(s.ns, app, rolling("2h"), func(spec *v1alpha1.ObjectiveSpec) {
		spec.Indicator = v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{
			Good:  v1alpha1.Selector(fmt.Sprintf(`requests_total{app=%q,result="good"}`, app)),
			Total: v1alpha1.Selector(fmt.Sprintf(`requests_total{app=%q}`, app)),
		}}
	})
	for _, c := range change {
		c(o)
	}
	create(t, o)
	if !s.ticking {
		s.ticks(t, o.Name)
	}
	return await(t, o, "measured", func(o *v1alpha1.Objective) bool { return o.Status.LastEvaluationTime != nil })
}

// gate makes a gate on objectives and waits until its check began.
func (s *stage) gate(t testing.TB, name string, objectives []v1alpha1.Name, change ...func(*v1alpha1.GateSpec)) *v1alpha1.Gate {
	t.Helper()
	g := &v1alpha1.Gate{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.ns, Name: name},
		Spec: v1alpha1.GateSpec{
			Revision: "v1", Objectives: v1alpha1.GateObjectives{Names: objectives},
			Bake:    v1alpha1.Bake{Duration: &metav1.Duration{Duration: 3 * time.Minute}, MinimumEvents: 30},
			Timeout: &metav1.Duration{Duration: 10 * time.Minute},
		},
	}
	for _, c := range change {
		c(&g.Spec)
	}
	create(t, g)
	return began(t, g)
}

// began waits until the check of the present revision began.
func began(t testing.TB, g *v1alpha1.Gate) *v1alpha1.Gate {
	t.Helper()
	return await(t, g, "a check", func(g *v1alpha1.Gate) bool {
		return g.Status.StartedAt != nil && g.Status.Revision == g.Spec.Revision && g.Status.ObservedGeneration == g.Generation
	})
}

// since is when the events of a check begin to count.
func since(g *v1alpha1.Gate) time.Time {
	return g.Status.StartedAt.Add(time.Minute - time.Nanosecond).Truncate(time.Minute).UTC()
}

// measured puts the clock forward to where so many minutes of a gate's release
// can be measured and no more, and waits until they are.
func (s *stage) measured(t testing.TB, g *v1alpha1.Gate, minutes int) {
	t.Helper()
	s.op.clock.hold(since(g).Add(time.Duration(minutes) * time.Minute))
	await(t, g, fmt.Sprintf("%d minutes of the release", minutes), func(g *v1alpha1.Gate) bool {
		for _, o := range g.Status.Objectives {
			if ptr.Deref(o.Events, -1) != int64(minutes*allEvents) {
				return false
			}
		}
		return len(g.Status.Objectives) > 0
	})
}

func finished(g *v1alpha1.Gate) bool { return g.Status.Finished() }

// ends waits until a check ended.
func ends(t testing.TB, g *v1alpha1.Gate, reason string) *v1alpha1.Gate {
	t.Helper()
	await(t, g, "the end of the check", finished)
	t.Logf("%s at %s: %s", g.Name, g.Status.FinishedAt.Format(time.TimeOnly), gateText(g))
	if got := conditionOf(g, v1alpha1.ConditionReady).Reason; got != reason {
		t.Errorf("%s ended with reason %s, want %s", g.Name, got, reason)
	}
	return g
}

func conditionOf(g *v1alpha1.Gate, kind string) metav1.Condition {
	for _, c := range g.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return metav1.Condition{}
}

// gateText words a gate's status in a line.
func gateText(g *v1alpha1.Gate) string {
	text := string(g.Status.Verdict)
	for _, o := range g.Status.Objectives {
		text += fmt.Sprintf("; %s %s %s", o.Name, o.Verdict, o.Reason)
		if o.Events != nil {
			text += fmt.Sprintf(" attainment=%s events=%d budget=%s", o.Attainment, *o.Events, o.BudgetRemaining)
		}
	}
	for _, j := range g.Status.Journeys {
		text += fmt.Sprintf("; journey %s %s %s", j.Name, j.Verdict, j.Reason)
	}
	return text
}

func bake(d time.Duration) func(*v1alpha1.GateSpec) {
	return func(s *v1alpha1.GateSpec) { s.Bake.Duration.Duration = d }
}

func inconclusive(v v1alpha1.OnInconclusive) func(*v1alpha1.GateSpec) {
	return func(s *v1alpha1.GateSpec) { s.OnInconclusive = v }
}

func requires(r v1alpha1.GateRequirements) func(*v1alpha1.GateSpec) {
	return func(s *v1alpha1.GateSpec) { s.Require = r }
}

func labelled(g *v1alpha1.GateSpec) {
	g.Objectives = v1alpha1.GateObjectives{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"release": "shop"}}}
}

func label(o *v1alpha1.Objective) { o.Labels = map[string]string{"release": "shop"} }

// gateWrites counts what the operator wrote to gates of a namespace.
func gateWrites(t testing.TB, ns string) int {
	t.Helper()
	n := 0
	for _, e := range operatorRequests(t) {
		if e.Object.Resource == "gates" && e.Object.Namespace == ns && e.Writes() {
			n++
		}
	}
	return n
}

// touch has an object read again.
func touch(t testing.TB, o client.Object, value string) {
	t.Helper()
	patch(t, o, fmt.Sprintf(`{"metadata":{"labels":{"touched":%q}}}`, value))
}
