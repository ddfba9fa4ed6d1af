package simulate

import (
	"fmt"
	"time"
)

// rollout is how long a replaced pod lives on beside the one that replaces it.
const rollout = 30 * time.Second

// WriteHistory writes the days before until as TSDB blocks into dir, one block
// for each day (UTC), and leaves the pods as they are at until for the live
// part. Websites are scraped every step, everything else every fourth. progress
// is told about each finished block and may be nil. It may be called once.
//
// Prometheus must be opened on dir with a retention longer than days, and
// accepts no sample older than until.
func (w *World) WriteHistory(dir string, until time.Time, days int, step time.Duration, progress func(done, total int)) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	start := until.Add(-time.Duration(days) * 24 * time.Hour)
	running := w.populate(start, until)
	blocks := daysBetween(start, until)
	for i, b := range blocks {
		var all []*blockSeries
		for _, p := range running {
			all = append(all, w.record(p, b, step)...)
		}
		if err := writeBlock(dir, b, all); err != nil {
			return fmt.Errorf("write block of %s: %w", b.start.Format(time.DateOnly), err)
		}
		if progress != nil {
			progress(i+1, len(blocks))
		}
	}
	for _, p := range running {
		w.bank(p)
		if p.end.IsZero() {
			w.alive = append(w.alive, p)
		}
	}
	return nil
}

// span is a stretch of time from start up to, and not including, end.
type span struct{ start, end time.Time }

// daysBetween cuts a stretch of time at midnights (UTC).
func daysBetween(start, end time.Time) []span {
	var days []span
	for start.Before(end) {
		next := start.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
		if next.After(end) {
			next = end
		}
		days = append(days, span{start, next})
		start = next
	}
	return days
}

// populate returns every pod that lives between start and until.
func (w *World) populate(start, until time.Time) []*process {
	var all []*process
	for number := range w.services {
		s := &w.services[number]
		for replica := range s.pods {
			born := start
			for _, at := range s.rollouts(replica, start, until) {
				all = append(all, newProcess(w.seed, s, number, replica, born, at.Add(rollout)))
				born = at
			}
			all = append(all, newProcess(w.seed, s, number, replica, born, time.Time{}))
		}
	}
	return all
}

// rollouts returns when one replica is replaced: every day around one in the
// afternoon (UTC), ten minutes after the replica before it.
func (s *service) rollouts(replica int, start, until time.Time) []time.Time {
	if !s.renewed {
		return nil
	}
	var times []time.Time
	at := start.UTC().Truncate(24 * time.Hour).Add(13*time.Hour + time.Duration(replica)*10*time.Minute)
	for ; at.Add(rollout).Before(until); at = at.Add(24 * time.Hour) {
		if at.After(start) {
			times = append(times, at)
		}
	}
	return times
}

// record takes the samples of one pod in one block.
func (w *World) record(p *process, b span, step time.Duration) []*blockSeries {
	period := step * time.Duration(p.service.every)
	t := firstScrape(p, later(b.start, p.born), period)
	if !t.Before(b.end) || p.gone(t.Add(-period)) {
		return nil
	}
	samples := newBlockSeries(p)
	for ; t.Before(b.end); t = t.Add(period) {
		if p.gone(t) {
			for _, s := range samples {
				s.append(t.UnixMilli(), staleMarker)
			}
			break
		}
		if at, ok := p.restarts(t); ok {
			w.bank(p)
			p.reset(at)
		}
		p.advance(t)
		samples[0].append(t.UnixMilli(), 1)
		samples[1].append(t.UnixMilli(), seconds(p.born))
		for i, v := range p.values {
			samples[2+i].append(t.UnixMilli(), v)
		}
	}
	return samples
}

// gone reports whether the pod no longer answers at t.
func (p *process) gone(t time.Time) bool { return !p.end.IsZero() && !t.Before(p.end) }

// later returns the later of two moments.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// firstScrape returns the first scrape of a pod at or after t. As in Prometheus,
// each target keeps an offset of its own within the period.
func firstScrape(p *process, t time.Time, period time.Duration) time.Time {
	offset := p.offset % period.Milliseconds()
	n := (t.UnixMilli() - offset + period.Milliseconds() - 1) / period.Milliseconds()
	return time.UnixMilli(n*period.Milliseconds() + offset)
}
