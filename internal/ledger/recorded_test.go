package ledger_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/promql"
)

// recordedWorlds is how many worlds of each kind a ruler records.
const recordedWorlds = 5

// ruler records an objective as a group of rules does, once a minute at some
// phase of it. For some stretches the rules are not loaded, and some
// evaluations are missed.
type ruler struct {
	plan  *compile.Plan
	phase time.Duration
	// absent are the stretches without rules.
	absent []span
	// missed is the share of evaluations that do not happen.
	missed float64
	random *rand.Rand
	last   time.Time
}

type span struct{ start, end time.Time }

func drawRuler(t *rapid.T, plan *compile.Plan, start time.Time, length time.Duration) *ruler {
	r := &ruler{
		plan:   plan,
		phase:  time.Duration(rapid.IntRange(0, 59_999).Draw(t, "phase")) * time.Millisecond,
		missed: rapid.SampledFrom([]float64{0, 0, 0.01, 0.2}).Draw(t, "missed"),
		random: rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "ruler"))),
		last:   start.Truncate(time.Minute),
	}
	for range rapid.IntRange(0, 2).Draw(t, "absences") {
		begin := start.Add(time.Duration(rapid.Int64Range(0, int64(length/time.Second)).Draw(t, "absent")) * time.Second)
		r.absent = append(r.absent, span{begin, begin.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "minutes absent")) * time.Minute)})
	}
	return r
}

// record evaluates what is due up to a moment. The points read the events that
// the same evaluation recorded, so the events are written first.
func (r *ruler) record(c *trial, now time.Time) {
	first := r.last.Add(r.phase)
	end := now.Add(-r.phase).Truncate(time.Minute).Add(r.phase)
	if end.Before(first) {
		return
	}
	r.last = end.Truncate(time.Minute).Add(time.Minute)
	skipped := map[model.Time]bool{}
	for at := first; !at.After(end); at = at.Add(time.Minute) {
		skipped[model.TimeFromUnixNano(at.UnixNano())] = r.skips(at)
	}
	recording, err := r.plan.Recipe.Recording()
	if err != nil {
		c.Fatal(err)
	}
	for _, rule := range []struct{ name, expr string }{
		{promql.RecordedEvents, recording.Events},
		{promql.RecordedPoints, recording.Points},
		{promql.RecordedExtra, recording.Extra},
		{promql.RecordedResets, recording.Resets},
	} {
		if rule.expr == "" {
			continue
		}
		matrix, err := c.store.Range(context.Background(), rule.expr, first, end, time.Minute)
		if err != nil {
			c.Fatalf("Range(%s): %v", rule.expr, err)
		}
		for _, stream := range matrix {
			for _, v := range stream.Values {
				if !skipped[v.Timestamp] {
					c.put(v, rule.name)
				}
			}
		}
	}
}

func (c *trial) put(v model.SamplePair, name string) {
	err := c.store.Put(v.Timestamp.Time(), float64(v.Value), model.MetricNameLabel, name, "namespace", "shop", "objective", "objective",
		promql.RecipeLabel, c.plan.Recipe.ID())
	if err != nil {
		c.Fatalf("Put(%s): %v", name, err)
	}
}

func (r *ruler) skips(at time.Time) bool {
	for _, s := range r.absent {
		if at.After(s.start) && at.Before(s.end) {
			return true
		}
	}
	return r.random.Float64() < r.missed
}

// read reads the records and brings the book up to date. It may lag behind a
// ruler that is late, by its grace.
func (r *ruler) read(c *trial, from, to time.Time) (time.Time, error) {
	key := types.NamespacedName{Namespace: "shop", Name: "objective"}
	recordings := ledger.Recordings{Querier: c.store, MaxSeries: 1000, Concurrency: 2}
	records, err := recordings.Read(context.Background(), []ledger.Ask{{Key: key, Identity: r.plan.Recipe.Identity, Book: c.book, From: from}}, to)
	if err != nil {
		return time.Time{}, err
	}
	before := c.book.Cursor()
	if err := c.book.RefreshRecorded(context.Background(), c.store, records[key], from, to); err != nil {
		return time.Time{}, err
	}
	end := c.book.Cursor()
	if late := to.Truncate(time.Minute).Sub(end); late > ledger.Grace || end.Before(before) {
		c.Fatalf("Cursor(): %s after %s, read up to %s", end, before, to)
	}
	return end, nil
}

// TestRecordedBooksAreExact is TestBooksAreExact for objectives that a ruler
// records: with gaps in what it recorded, at any phase of the minute.
func TestRecordedBooksAreExact(t *testing.T) {
	var all tally
	t.Run("Kinds", func(t *testing.T) {
		for name, k := range kinds {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				worlds := 0
				rapid.Check(t, func(rt *rapid.T) {
					if worlds++; worlds > recordedWorlds && !rapidAsked {
						return
					}
					c := newTrial(rt, k)
					defer c.close()
					c.ruler = drawRuler(rt, c.plan, c.world.Start, c.world.Length)
					c.live()
					c.minutes()
					c.open() // a backfill at the end
					c.refresh(c.world.End())
					c.minutes()
					all.count(name, c)
				})
			})
		}
	})
	t.Logf("%d worlds, %d events scraped, %d queries, %d samples read", all.worlds, all.events, all.queries, all.samples)
}
