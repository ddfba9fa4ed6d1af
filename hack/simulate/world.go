package simulate

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// World is all services with their pods, past and present. WriteHistory comes
// first, then the live part; the live part may be used by many at once.
type World struct {
	seed     uint64
	now      func() time.Time
	services []service
	mutex    sync.Mutex // guards alive and everything below it
	alive    []*process
	totals   map[string]float64
}

// New returns the world of all five stories.
func New(seed uint64) *World {
	return &World{seed: seed, now: time.Now, services: stories(), totals: map[string]float64{}}
}

// Target is one pod that can be scraped.
type Target struct {
	Path   string            // of its page on the World's handler
	Labels map[string]string // app, instance, job, namespace, pod
}

// Targets returns the pods alive at the end of history.
func (w *World) Targets() []Target {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	targets := make([]Target, len(w.alive))
	for i, p := range w.alive {
		targets[i] = Target{Path: fmt.Sprintf("/targets/%d/metrics", i), Labels: map[string]string{}}
		for _, l := range p.labels {
			targets[i].Labels[l.name] = l.value
		}
	}
	return targets
}

// ScrapeConfig returns the scrape_configs section of a Prometheus configuration
// that scrapes every target from address, where the World is served. Labels are
// those of history, so the series go on.
func (w *World) ScrapeConfig(address string, interval time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "scrape_configs:\n- job_name: simulate\n  scrape_interval: %dms\n  static_configs:\n", interval.Milliseconds())
	for _, t := range w.Targets() {
		fmt.Fprintf(&b, "  - targets: [%q]\n    labels:\n      __metrics_path__: %q\n", address, t.Path)
		for _, name := range []string{"app", "instance", "job", "namespace", "pod"} {
			fmt.Fprintf(&b, "      %s: %q\n", name, t.Labels[name])
		}
	}
	return b.String()
}

// Total returns how many events history holds for a metric: the sum, over all
// pods and restarts, of what each counter had reached when it was last scraped.
// Labels are name, value, name, value; a series that lacks one of them or has
// another value is left out. Gauges have no total.
func (w *World) Total(metric string, labels ...string) float64 {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	sum := 0.0
	for key, v := range w.totals {
		parts := strings.Split(key, "\x00")
		if parts[0] == metric && hasAll(parts[1:], labels) {
			sum += v
		}
	}
	return sum
}

// hasAll reports whether name=value is among parts for each pair of labels.
func hasAll(parts, labels []string) bool {
	for i := 0; i+1 < len(labels); i += 2 {
		if !slices.Contains(parts, labels[i]+"="+labels[i+1]) {
			return false
		}
	}
	return true
}

// bank adds what a process shows at this moment to the totals. It is called when
// nothing more of these counters can be seen: the pod is gone, is about to
// restart, or history ends.
func (w *World) bank(p *process) {
	next := 0
	for _, st := range p.service.streams {
		for _, s := range st.series {
			v := p.values[next]
			next++
			if st.kind == "gauge" {
				continue
			}
			key := []string{s.name, "namespace=" + p.service.namespace, "app=" + p.service.app}
			for _, l := range s.labels {
				key = append(key, l.name+"="+l.value)
			}
			w.totals[strings.Join(key, "\x00")] += v
		}
	}
}
