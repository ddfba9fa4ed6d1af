package ledgertest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// IncidentKind is something that happens to a pod.
type IncidentKind int

// Kinds of incidents.
const (
	// Replace ends a pod; a new one with a new name and a young process follows.
	Replace IncidentKind = iota
	// Discover ends a pod; the one that follows has long been running, unscraped.
	Discover
	// Restart restarts the process in place; scrapes fail while it is down.
	Restart
	// Fail lets scrapes fail: up is 0 and the series are marked stale.
	Fail
	// Silence lets scrapes stay away: nothing at all is written.
	Silence
)

// Incident is something that happens to the pod of a slot.
type Incident struct {
	Kind IncidentKind
	Slot int
	// At is when it happens, counted from the start of the world.
	At time.Duration
	// For is how long it takes: until the new pod or process is up, or until
	// scrapes succeed again. The world shortens restarts, failures and silence
	// where they would lead out of its domain.
	For time.Duration
}

// Config shapes a world. Equal configurations make equal worlds.
type Config struct {
	Seed   uint64
	Start  time.Time
	Length time.Duration
	// Scrape is the scrape interval, from 5 s to 2 min.
	Scrape time.Duration
	// Slots is the number of pods at any one time.
	Slots     int
	Signals   []Signal
	Incidents []Incident
	// LongLE has bucket boundaries written "1.0", as OpenMetrics has them.
	LongLE bool
}

// World is what was scraped.
//
// It stays inside the domain in which counting is promised to be exact:
//   - two good scrapes of a target are less than five minutes apart, or the
//     target is gone for good;
//   - a process is younger than four or older than six minutes when its target
//     is first scraped;
//   - on a target whose process is old, no label set is born in the two minutes
//     after it was discovered (other than in its first scrape) or in the two
//     minutes after failed scrapes, since the target is then not yet known; nor
//     does its process restart in the two minutes after the discovery;
//   - a label set that a restart took away comes back within five minutes or
//     after more than six: in between it depends on the minute whether the old
//     value is still in sight.
type World struct {
	Config
	series []*series
	names  int
}

// series is one time series as it was scraped.
type series struct {
	labels labels.Labels
	points []point
	target *target
}

// point is a sample; one that is stale has no value.
type point struct {
	at    int64 // milliseconds
	value float64
	stale bool
}

// New simulates a world.
func New(c Config) *World {
	w := &World{Config: c}
	for n := range c.Slots {
		var own []Incident
		for _, incident := range c.Incidents {
			if incident.Slot == n {
				own = append(own, incident)
			}
		}
		slices.SortStableFunc(own, func(a, b Incident) int { return cmp.Compare(a.At, b.At) })
		s := &slot{w: w, rng: rand.New(rand.NewPCG(c.Seed, uint64(n))), incidents: own}
		s.run()
	}
	return w
}

// End is the last moment of the world.
func (w *World) End() time.Time { return w.Start.Add(w.Length) }

// Samples is the number of samples that were scraped, stale markers included.
func (w *World) Samples() int {
	n := 0
	for _, s := range w.series {
		n += len(s.points)
	}
	return n
}

// Series is the number of time series.
func (w *World) Series() int { return len(w.series) }

func (w *World) newSeries(t *target, name string, pairs ...string) *series {
	b := labels.NewBuilder(labels.EmptyLabels())
	b.Set(model.MetricNameLabel, name).Set("job", "shop").Set("namespace", "shop").Set("instance", t.instance)
	for i := 0; i+1 < len(pairs); i += 2 {
		b.Set(pairs[i], pairs[i+1])
	}
	s := &series{labels: b.Labels(), target: t}
	w.series = append(w.series, s)
	return s
}

func (s *series) put(at int64, value float64) {
	s.points = append(s.points, point{at: at, value: value})
}

func (s *series) end(at int64) {
	s.points = append(s.points, point{at: at, stale: true})
}
