package ledgertest

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
)

// wild is a world in which something happens every few minutes.
func wild(seed uint64, scrape time.Duration) Config {
	rng := rand.New(rand.NewPCG(seed, 1))
	c := Config{
		Seed: seed, Start: time.Unix(1_780_000_000, 0), Length: 6 * time.Hour, Scrape: scrape, Slots: 2,
		Signals: []Signal{Requests, Pages, Recommend, Ratings}, LongLE: seed%2 == 0,
	}
	for range 60 {
		longest := []int64{4_000, 60_000, 900_000}[rng.IntN(3)]
		c.Incidents = append(c.Incidents, Incident{
			Kind: IncidentKind(rng.IntN(5)), Slot: rng.IntN(2),
			At:  time.Duration(rng.Int64N(c.Length.Milliseconds())) * time.Millisecond,
			For: time.Duration(rng.Int64N(longest)) * time.Millisecond,
		})
	}
	return c
}

// seen is how often a world shows what the ledger must cope with.
type seen struct {
	resets, stale, failed, births, oldTargets, youngTargets, gaps, idle int
}

func (s *seen) look(w *World) {
	for _, series := range w.series {
		for i := range series.points {
			switch name := series.labels.Get(model.MetricNameLabel); {
			case series.points[i].stale:
				s.stale++
			case name == "up" && series.points[i].value == 0:
				s.failed++
			case name == "up" || name == "process_start_time_seconds":
			case i == 0:
				s.first(series)
			default:
				s.next(&series.points[i-1], &series.points[i])
			}
		}
	}
}

func (s *seen) first(series *series) {
	p, t := series.points[0], series.target
	switch {
	case p.at > t.firstGood:
		s.births++
	case p.at-int64(t.started.points[0].value*1000) > 5*minute:
		s.oldTargets++
	default:
		s.youngTargets++
	}
}

func (s *seen) next(last, p *point) {
	switch {
	case last.stale:
	case p.value < last.value:
		s.resets++
	case p.at-last.at > 2*minute:
		s.gaps++
	case p.value == last.value:
		s.idle++
	}
}

// TestWorldsAreWild checks that worlds hold what they say they do: a property
// over worlds in which nothing happens would prove nothing.
func TestWorldsAreWild(t *testing.T) {
	var sum seen
	for seed := range uint64(10) {
		sum.look(New(wild(seed, 30*time.Second)))
	}
	for what, n := range map[string]int{
		"resets": sum.resets, "stale markers": sum.stale, "failed scrapes": sum.failed, "births": sum.births,
		"old targets": sum.oldTargets, "young targets": sum.youngTargets, "gaps": sum.gaps, "idle counters": sum.idle,
	} {
		if n < 50 {
			t.Errorf("%s: %d in ten worlds, want 50 or more", what, n)
		}
	}
	t.Logf("%+v", sum)
}

// TestWorldsKeepTheirDomain checks what the comment of World promises.
func TestWorldsKeepTheirDomain(t *testing.T) {
	for seed := range uint64(10) {
		for _, scrape := range []time.Duration{5 * time.Second, 37 * time.Second, 2 * time.Minute} {
			w := New(wild(seed, scrape))
			for _, s := range w.series {
				checkOrder(t, s)
				if s.labels.Get(model.MetricNameLabel) == "process_start_time_seconds" {
					checkScrapes(t, s)
				}
			}
			for _, metric := range []string{"shop_requests_total", "page_seconds_bucket", "nps_responses_total", "csat_rating_sum"} {
				w.Movement(OnKnownTarget, metric) // panics outside of the domain
			}
		}
	}
}

func checkOrder(t *testing.T, s *series) {
	t.Helper()
	for i := 1; i < len(s.points); i++ {
		if s.points[i].at <= s.points[i-1].at {
			t.Fatalf("%s: sample %d is not after the one before", s.labels, i)
		}
	}
}

// checkScrapes looks at the good scrapes of a target.
func checkScrapes(t *testing.T, s *series) {
	t.Helper()
	last := int64(0)
	for _, p := range s.points {
		if p.stale {
			continue
		}
		started := int64(p.value * 1000)
		switch age := p.at - started; {
		case age < 0:
			t.Errorf("%s: scraped %d ms before it started", s.labels, -age)
		case last == 0 && age >= 4*minute && age < 6*minute:
			t.Errorf("%s: first scraped at the age of %d ms", s.labels, age)
		case last > 0 && p.at-last >= 5*minute:
			t.Errorf("%s: %d ms between good scrapes", s.labels, p.at-last)
		}
		last = p.at
	}
}

// TestWorldsAreRepeatable checks that equal configurations make equal worlds,
// and that other seeds make others.
func TestWorldsAreRepeatable(t *testing.T) {
	written := func(seed uint64) string {
		var b strings.Builder
		for _, s := range New(wild(seed, time.Minute)).series {
			b.WriteString(s.labels.String())
			for _, p := range s.points {
				b.WriteString(time.UnixMilli(p.at).String())
				b.WriteByte(byte(int(p.value) % 251))
			}
		}
		return b.String()
	}
	if diff := cmp.Diff(written(1), written(1)); diff != "" {
		t.Error("two worlds of one seed differ")
	}
	if written(1) == written(2) {
		t.Error("worlds of two seeds are the same")
	}
}

// TestHistogramsAreCumulative checks that the buckets of each scrape rise to the
// count.
func TestHistogramsAreCumulative(t *testing.T) {
	c := wild(3, 15*time.Second)
	f := c.histogram("200", 1, false)
	values := make([]float64, len(f.counters))
	rng := rand.New(rand.NewPCG(1, 1))
	for n := range 1000 {
		f.observe(rng, values)
		buckets := values[1:]
		for i := 1; i < len(buckets); i++ {
			if buckets[i] < buckets[i-1] {
				t.Fatalf("after %d events: buckets %v do not rise", n+1, buckets)
			}
		}
		if infinite := buckets[len(buckets)-1]; infinite != values[0] || infinite != float64(n+1) {
			t.Fatalf("after %d events: count %v, bucket of all %v", n+1, values[0], infinite)
		}
	}
}
