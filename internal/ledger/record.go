package ledger

import (
	"time"

	"github.com/prometheus/common/model"

	"github.com/experience-slo/operator/internal/promql"
)

// Grace is how long a ruler may take to record a minute before the minute
// counts as one that it did not record.
const Grace = 3 * time.Minute

// Record is what a ruler recorded of one objective. A nil record is that of an
// objective which no ruler records.
type Record struct {
	// minutes are by the second at which they end.
	minutes map[int64]recorded
	// buckets are by the second at which they end.
	buckets table
	// grace is Grace and how far back the ruler looks.
	grace time.Duration
	// recipe is what the recorded numbers were made from.
	recipe string
}

// recorded is one minute.
type recorded struct {
	entry
	// marked says that the minute was recorded, with data or without, and earned
	// that its points were, too.
	marked, earned bool
	// resets is the number of resets around it, -1 where a value was left out.
	resets float64
}

// clear forgets what was read.
func (r *Record) clear() {
	clear(r.minutes)
	clear(r.buckets)
}

// put takes the samples of one recorded series.
func (r *Record) put(name string, values []model.SamplePair) {
	for _, v := range values {
		// A sample stands for the whole minute that ended last before it.
		at := v.Timestamp.Time().Truncate(time.Minute).Unix()
		m := r.minutes[at]
		switch name {
		case promql.RecordedEvents:
			m.sums.Events, m.covered = float64(v.Value), 1
		case promql.RecordedPoints:
			m.sums.Points, m.earned = float64(v.Value), true
		case promql.RecordedExtra:
			m.sums.Aux = float64(v.Value)
		case promql.RecordedResets:
			m.marked, m.resets = true, float64(v.Value)
		}
		r.minutes[at] = m
	}
}

// newest is the end of the last minute that was recorded, zero where none was.
func (r *Record) newest() time.Time {
	last := int64(0)
	if r == nil {
		return time.Time{}
	}
	for at, m := range r.minutes {
		if m.marked {
			last = max(last, at)
		}
	}
	if last == 0 {
		return time.Time{}
	}
	return time.Unix(last, 0).UTC()
}

// settle takes the end of a stretch back to the last minute that was recorded,
// where the ruler is only late.
func (r *Record) settle(to time.Time) time.Time {
	if r == nil {
		return to
	}
	newest := r.newest()
	if newest.IsZero() || newest.After(to) || to.Sub(newest) > r.grace {
		return to
	}
	return newest
}

// gap is the minutes and buckets that must be read from raw data.
type gap struct {
	// missing were not recorded, or are not complete.
	missing []int64
	// resets were recorded while a counter was reset.
	resets []int64
	// invalid says that a value was no finite number.
	invalid bool
}

// page gives the entries of the minutes after from up to to, and what is missing.
func (r *Record) page(from, to time.Time) (map[int64]entry, gap) {
	out := map[int64]entry{}
	var g gap
	for minute := from.Add(time.Minute); !minute.After(to); minute = minute.Add(time.Minute) {
		at := minute.Unix()
		switch m := r.minutes[at]; {
		case !m.marked, m.covered > 0 && !m.earned: // a rule failed, and the next did not
			g.missing = append(g.missing, at)
		case m.resets > 0:
			g.resets = append(g.resets, at)
		case m.resets < 0:
			g.invalid = true
		case m.covered > 0:
			out[at] = m.entry
		}
	}
	return out, g
}

// whole gives the entries of buckets, and those that are not complete or had a
// reset.
func (r *Record) whole(from, to time.Time, width time.Duration) (map[int64]entry, gap) {
	out := map[int64]entry{}
	var g gap
	for end := from.Add(width); !end.After(to); end = end.Add(width) {
		at := end.Unix()
		row := r.buckets[at]
		complete := row[promql.LaneRecorded] == width.Minutes() && row[promql.LaneEarned] == row[promql.LaneMinutes]
		if !complete || row[promql.LaneResets] > 0 {
			g.missing = append(g.missing, at)
			continue
		}
		g.invalid = g.invalid || row[promql.LaneInvalid] < 0
		if minutes, ok := row[promql.LaneMinutes]; ok {
			e := entry{covered: int(minutes)}
			e.sums.Events, e.sums.Points, e.sums.Aux = row[promql.LaneEvents], row[promql.LanePoints], row[promql.LaneExtra]
			out[at] = e
		}
	}
	return out, g
}

// Sound says that the minutes and buckets which were recorded hold no events
// without any points. Where they do, a threshold that is no bucket boundary
// cannot be told from bad service.
func (r *Record) Sound() bool {
	if r == nil || r.newest().IsZero() {
		return false
	}
	events, points := 0.0, 0.0
	for _, m := range r.minutes {
		events, points = events+m.sums.Events, points+m.sums.Points
	}
	for _, row := range r.buckets {
		events, points = events+row[promql.LaneEvents], points+row[promql.LanePoints]
	}
	return points > 0 || events == 0
}
