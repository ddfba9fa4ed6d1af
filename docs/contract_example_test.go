package docs_test

// The lines between the two marks are in docs/metric-contract.md.
// begin
import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Instruments are metrics of the contract.
type Instruments struct {
	vitals   map[string]*prometheus.HistogramVec
	tasks    *prometheus.CounterVec
	response *prometheus.HistogramVec
}

// NewInstruments registers them.
func NewInstruments(r prometheus.Registerer) *Instruments {
	factory := promauto.With(r)
	histogram := func(name string, labels []string, buckets ...float64) *prometheus.HistogramVec {
		return factory.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: "See the metric contract.", Buckets: buckets}, labels)
	}
	app := []string{"app"}
	return &Instruments{
		vitals: map[string]*prometheus.HistogramVec{
			"LCP":  histogram("web_vitals_lcp_seconds", app, 0.5, 1, 1.5, 2, 2.5, 3, 4, 6, 10),
			"INP":  histogram("web_vitals_inp_seconds", app, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2),
			"CLS":  histogram("web_vitals_cls", app, 0.01, 0.05, 0.1, 0.15, 0.25, 0.5, 1),
			"FCP":  histogram("web_vitals_fcp_seconds", app, 0.5, 1, 1.5, 1.8, 2.5, 3, 5),
			"TTFB": histogram("web_vitals_ttfb_seconds", app, 0.1, 0.2, 0.4, 0.8, 1.2, 1.8, 3),
		},
		tasks:    factory.NewCounterVec(prometheus.CounterOpts{Name: "ux_task_total", Help: "See the metric contract."}, []string{"app", "task", "outcome"}),
		response: histogram("cx_first_response_seconds", []string{"channel"}, 300, 900, 1800, 3600, 14400, 86400),
	}
}

// Declare makes the series of a task before anybody fails at it.
func (i *Instruments) Declare(app, task string) {
	for _, outcome := range []string{"success", "failure"} {
		i.tasks.WithLabelValues(app, task, outcome)
	}
}

// Task counts an attempt at a task.
func (i *Instruments) Task(app, task string, succeeded bool) {
	outcome := "failure"
	if succeeded {
		outcome = "success"
	}
	i.tasks.WithLabelValues(app, task, outcome).Inc()
}

// Answered counts the first answer to a customer who wrote.
func (i *Instruments) Answered(channel string, after time.Duration) {
	i.response.WithLabelValues(channel).Observe(after.Seconds())
}

// Beacon takes what a page measured. Only apps that are known become labels: anybody
// can send anything.
func (i *Instruments) Beacon(apps ...string) http.HandlerFunc {
	known := map[string]bool{}
	for _, app := range apps {
		known[app] = true
	}
	return func(w http.ResponseWriter, r *http.Request) {
		var vital struct {
			App, Name string
			Value     float64
		}
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1024)).Decode(&vital)
		histogram := i.vitals[vital.Name]
		if err != nil || histogram == nil || !known[vital.App] || vital.Value < 0 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if vital.Name != "CLS" {
			vital.Value /= 1000 // the library tells milliseconds
		}
		histogram.WithLabelValues(vital.App).Observe(vital.Value)
		w.WriteHeader(http.StatusNoContent)
	}
}

// end
