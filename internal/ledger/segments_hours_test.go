package ledger_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"

	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/promql"
)

// TestSegmentsDuringHours asks for the minutes of two segments at once and of each
// alone, in two hours of which half an hour is open: what counts is the same.
func TestSegmentsDuringHours(t *testing.T) {
	store := story(t, device("phone", "0+1x2000", "0+1x2000")+device("desktop", "0+2x2000", "0+2x2000"))
	whole := *byDevice(t, store, 2*time.Hour, 2).Recipe
	from := epoch.Add(time.Hour)
	whole.Hours = &promql.Hours{Opened: []promql.Stretch{{From: from.Unix(), To: from.Add(30 * time.Minute).Unix()}}}
	var recipes []*promql.Recipe
	want := map[string]string{}
	for i, value := range []string{"desktop", "phone"} {
		recipe, err := whole.Segment("device", value)
		if err != nil {
			t.Fatal(err)
		}
		reads, err := recipe.Reads()
		if err != nil {
			t.Fatal(err)
		}
		recipes = append(recipes, recipe)
		answered(t, store, reads.Minute, fmt.Sprint(i), want)
	}
	joined, err := promql.SegmentMinutes(recipes)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	answered(t, store, joined, "", got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("minutes that count: -alone, +at once:\n%s", diff)
	}
	if minutes := len(got); minutes != 2*2*30 {
		t.Errorf("%d minutes of two lanes of two segments, want those of half an hour", minutes)
	}
}

// answered adds the numbers of each lane of an answer by segment and minute. Resets are
// no numbers that count.
func answered(t *testing.T, store *ledgertest.Store, expr, segment string, into map[string]string) {
	t.Helper()
	matrix, err := store.Range(context.Background(), expr, epoch.Add(30*time.Minute), epoch.Add(2*time.Hour), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range matrix {
		lane, part := string(stream.Metric[promql.LaneLabel]), segment
		if part == "" {
			part = string(stream.Metric[model.LabelName(promql.SegmentLabel)])
		}
		if lane == promql.LaneResets {
			continue
		}
		for _, sample := range stream.Values {
			into[fmt.Sprint(part, lane, sample.Timestamp)] = sample.Value.String()
		}
	}
}

// TestBytesOfSegments holds that what segments take is in the sum.
func TestBytesOfSegments(t *testing.T) {
	store := story(t, device("phone", "0+1x2000", "0+1x2000")+device("desktop", "0+2x2000", "0+2x2000"))
	plan := byDevice(t, store, 2*time.Hour, 2)
	l := ledger.New()
	g := &grouped{plan, l.Book(plan), l.Segments(plan)}
	for minute := range 3 {
		tick(t, store, g, epoch.Add(2*time.Hour+time.Duration(minute)*time.Minute))
	}
	all := l.Bytes()
	l.DropSegments(plan.Key)
	// Each segment has a book of the same length, and together they have a text.
	if whole := l.Bytes(); all < 3*whole {
		t.Errorf("Bytes(): %d with two segments, %d without", all, whole)
	}
}
