package v1alpha1

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// TestAdmittedObjectives lists objectives that must be taken, and the spec that
// they have once defaults are filled in.
func TestAdmittedObjectives(t *testing.T) {
	plain := ObjectiveSpec{
		Service: "checkout", Perspective: PerspectiveUX, Target: "99.5%", Window: Window{Rolling: "28d"},
		Indicator:     ObjectiveIndicator{Events: &EventsIndicator{Bad: `orders_total{outcome="failed"}`, Total: "orders_total"}},
		MinimumEvents: 1, NewSeries: NewSeriesOnKnownTarget,
	}
	but := func(change func(*ObjectiveSpec)) ObjectiveSpec {
		spec := *plain.DeepCopy()
		change(&spec)
		return spec
	}
	score := func(s ScoreIndicator, target Target) ObjectiveSpec {
		return but(func(spec *ObjectiveSpec) { spec.Indicator, spec.Target = ObjectiveIndicator{Score: &s}, target })
	}
	rolling := func(w RollingWindow) ObjectiveSpec {
		return but(func(spec *ObjectiveSpec) { spec.Window.Rolling = w })
	}
	meanScore := &MeanScore{Sum: "rating_sum", Count: "rating_count", Lowest: "1", Highest: "5"}
	nps := &NetPromoterScore{Promoters: "p_total", Detractors: "d_total", Responses: "r_total"}
	cases := map[string]struct {
		reason string
		edits  edits
		want   ObjectiveSpec
	}{
		"Plain":        {reason: "what is left out is filled in", want: plain},
		"Hour":         {reason: "the shortest window", edits: edits{"spec.window.rolling": "1h"}, want: rolling("1h")},
		"LongestDays":  {reason: "the longest window in days", edits: edits{"spec.window.rolling": "400d"}, want: rolling("400d")},
		"LongestHours": {reason: "the longest window in hours", edits: edits{"spec.window.rolling": "9600h"}, want: rolling("9600h")},
		"LongestWeeks": {reason: "the longest window in weeks", edits: edits{"spec.window.rolling": "57w"}, want: rolling("57w")},
		"Calendar": {
			reason: "a calendar window is in UTC unless it says otherwise",
			edits:  edits{"spec.window": map[string]any{"calendar": map[string]any{"unit": "Month"}}},
			want:   but(func(s *ObjectiveSpec) { s.Window = Window{Calendar: &CalendarWindow{Unit: "Month", TimeZone: "UTC"}} }),
		},
		"FiveNines": {
			reason: "the tightest target of five decimals",
			edits:  edits{"spec.target": "99.99999%"},
			want:   but(func(s *ObjectiveSpec) { s.Target = "99.99999%" }),
		},
		"Distribution": {
			reason: "a histogram is classic unless it says otherwise",
			edits:  instead("distribution", distribution(), "75%", nil),
			want: but(func(s *ObjectiveSpec) {
				s.Target = "75%"
				s.Indicator = ObjectiveIndicator{Distribution: &DistributionIndicator{Histogram: "lcp_seconds", Format: HistogramFormatClassic, Threshold: "2.5"}}
			}),
		},
		"Apdex": {
			reason: "tolerated may be left to the standard",
			edits:  instead("apdex", apdex(), "0.85", nil),
			want: but(func(s *ObjectiveSpec) {
				s.Target = "0.85"
				s.Indicator = ObjectiveIndicator{Apdex: &ApdexIndicator{Histogram: "lcp_seconds", Format: HistogramFormatClassic, Satisfied: "0.5"}}
			}),
		},
		"State": {
			reason: "a minute without data is left out unless it says otherwise",
			edits:  instead("state", map[string]any{"query": "probe_success", "operator": "Equal", "value": "1"}, "99%", nil),
			want: but(func(s *ObjectiveSpec) {
				s.Target = "99%"
				s.Indicator = ObjectiveIndicator{State: &StateIndicator{Query: "probe_success", Operator: OperatorEqual, Value: "1", NoData: NoDataIgnore}}
			}),
		},
		"MeanTicket": {
			reason: "a score may have tickets",
			edits:  instead("score", map[string]any{"mean": mean()}, "4.2", edits{"spec.alerting": map[string]any{"ticket": map[string]any{}}}),
			want: func() ObjectiveSpec {
				s := score(ScoreIndicator{Mean: meanScore}, "4.2")
				s.Alerting = &Alerting{Ticket: &AlertTier{Mode: AlertEnabled}, MinimumBadEvents: 3}
				return s
			}(),
		},
		"NegativeNPS": {
			reason: "a Net Promoter Score may be promised below zero",
			edits:  instead("score", map[string]any{"netPromoter": netPromoter()}, "-12.5", nil),
			want:   score(ScoreIndicator{NetPromoter: nps}, "-12.5"),
		},
		"LongestQuery": {
			reason: "4,096 characters are allowed",
			edits:  edits{"spec.indicator.events.total": long[:4096]},
			want:   but(func(s *ObjectiveSpec) { s.Indicator.Events.Total = Selector(long[:4096]) }),
		},
	}
	d := load(t, "objectives")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := tc.edits.apply(t, decode(t, plainObjective))
			if complaints := d.admit(t, object); complaints != nil {
				t.Fatalf("%s: refused: %q", tc.reason, complaints)
			}
			got := Objective{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object, &got, true); err != nil {
				t.Fatalf("decode: %v", err)
			}
			if diff := cmp.Diff(tc.want, got.Spec); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if got.Status.ObservedGeneration != -1 {
				t.Errorf("an object that nobody has looked at must not read as observed: observedGeneration is %d", got.Status.ObservedGeneration)
			}
		})
	}
}

// TestAdmittedSources does the same for sources of both kinds.
func TestAdmittedSources(t *testing.T) {
	minutes := func(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }
	plain := MetricSourceSpec{
		URL: "http://prometheus.monitoring.svc:9090", Interval: minutes(time.Minute), Delay: minutes(30 * time.Second),
		Timeout: minutes(30 * time.Second), StaleAfter: minutes(10 * time.Minute),
		Limits: Limits{Concurrency: 4, ResponseBytes: 16 << 20, Series: 1000}, Rules: Rules{Output: RulesOutputNone, GroupPrefix: "experience"},
	}
	but := func(change func(*MetricSourceSpec)) MetricSourceSpec {
		spec := *plain.DeepCopy()
		change(&spec)
		return spec
	}
	cases := map[string]struct {
		reason string
		edits  edits
		want   MetricSourceSpec
	}{
		"Plain": {reason: "a URL is enough", want: plain},
		"Prefix": {
			reason: "a path prefix is part of the address, also one that has /api in it",
			edits:  edits{"spec.url": "https://mimir.example.com:8443/api/prom"},
			want:   but(func(s *MetricSourceSpec) { s.URL = "https://mimir.example.com:8443/api/prom" }),
		},
		"IPv6": {
			reason: "an address in brackets names a host",
			edits:  edits{"spec.url": "http://[::1]:9090"},
			want:   but(func(s *MetricSourceSpec) { s.URL = "http://[::1]:9090" }),
		},
		"SomeLimits": {
			reason: "one limit may be set and the others left",
			edits:  edits{"spec.limits.concurrency": int64(64)},
			want:   but(func(s *MetricSourceSpec) { s.Limits.Concurrency = 64 }),
		},
		"Tenant": {
			reason: "the header is Mimir's unless it says otherwise",
			edits:  edits{"spec.tenant.value": "shop"},
			want:   but(func(s *MetricSourceSpec) { s.Tenant = &Tenant{Header: "X-Scope-OrgID", Value: "shop"} }),
		},
		"Durations": {
			reason: "durations at their bounds, and of more than one unit",
			edits:  edits{"spec.interval": "15s", "spec.delay": "0s", "spec.timeout": "1m30s", "spec.staleAfter": "24h"},
			want: but(func(s *MetricSourceSpec) {
				s.Interval, s.Delay = minutes(15*time.Second), minutes(0)
				s.Timeout, s.StaleAfter = minutes(90*time.Second), minutes(24*time.Hour)
			}),
		},
	}
	local, shared := load(t, "metricsources"), load(t, "clustermetricsources")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := tc.edits.apply(t, decode(t, plainSource))
			if complaints := local.admit(t, object); complaints != nil {
				t.Fatalf("%s: refused: %q", tc.reason, complaints)
			}
			got := MetricSource{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object, &got, true); err != nil {
				t.Fatalf("decode: %v", err)
			}
			if diff := cmp.Diff(MetricSource{Spec: tc.want, Status: MetricSourceStatus{ObservedGeneration: -1}}, got, onlySpecAndStatus()); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
		t.Run("Cluster"+name, func(t *testing.T) {
			object := tc.edits.apply(t, decode(t, plainClusterSource))
			if complaints := shared.admit(t, object); complaints != nil {
				t.Fatalf("%s: refused: %q", tc.reason, complaints)
			}
			got := ClusterMetricSource{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object, &got, true); err != nil {
				t.Fatalf("decode: %v", err)
			}
			if diff := cmp.Diff(ClusterMetricSourceSpec{MetricSourceSpec: tc.want}, got.Spec); diff != "" || got.Status.ObservedGeneration != -1 {
				t.Errorf("%s: observedGeneration %d, -want, +got:\n%s", tc.reason, got.Status.ObservedGeneration, diff)
			}
		})
	}
}

func onlySpecAndStatus() cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool {
		name := p.Index(1).String()
		return name == ".TypeMeta" || name == ".ObjectMeta"
	}, cmp.Ignore())
}

func TestObjectiveSource(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   *SourceReference
		want   SourceReference
	}{
		"Default": {reason: "an objective that names none uses the cluster's", want: SourceReference{Kind: SourceKindClusterMetricSource, Name: "default"}},
		"Named": {
			reason: "an objective uses the source it names",
			args:   &SourceReference{Kind: SourceKindMetricSource, Name: "surveys"},
			want:   SourceReference{Kind: SourceKindMetricSource, Name: "surveys"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := &Objective{Spec: ObjectiveSpec{SourceRef: tc.args}}
			if diff := cmp.Diff(tc.want, o.Source()); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestObjectiveSuspended(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   *bool
		want   bool
	}{
		"Absent": {reason: "an objective is measured", want: false},
		"True":   {reason: "unless it is suspended", args: new(true), want: true},
		"False":  {reason: "and not when it says that it isn't", args: new(false), want: false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := &Objective{Spec: ObjectiveSpec{Suspend: tc.args}}
			if got := o.Suspended(); got != tc.want {
				t.Errorf("%s: got %t", tc.reason, got)
			}
		})
	}
}
