package ledgertest

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

const (
	second = int64(1000)
	minute = 60 * second
)

// slot is a place in which one pod follows another.
type slot struct {
	w         *World
	rng       *rand.Rand
	incidents []Incident
	target    *target
}

// target is one pod from its first scrape to its end.
type target struct {
	instance       string
	process        process
	up, started    *series
	next, lastGood int64
	firstGood      int64
	// entry is the first good scrape since the target was discovered or failed.
	entry int64
	// old says that the process was old when it was first scraped.
	old, troubled          bool
	failUntil, silentUntil int64
	present                []*series
}

// process is what counts inside a pod.
type process struct {
	started  int64
	advanced int64
	streams  []*stream
}

// stream is one label set with its counters.
type stream struct {
	form
	values   []float64
	born     bool
	series   []*series
	lastSeen int64
}

func (s *slot) run() {
	start, end := s.w.Start.UnixMilli(), s.w.End().UnixMilli()
	if s.rng.IntN(2) == 0 {
		s.enterYoung(start)
	} else {
		s.enterOld(start)
	}
	for s.target.next <= end {
		for len(s.incidents) > 0 && start+s.incidents[0].At.Milliseconds() <= s.target.next {
			incident := s.incidents[0]
			s.incidents = s.incidents[1:]
			s.meet(incident, start+incident.At.Milliseconds())
		}
		if s.target.next <= end {
			s.scrape(s.target, s.target.next)
			s.target.next += s.interval()
		}
	}
}

func (s *slot) interval() int64 { return s.w.Scrape.Milliseconds() }

// meet lets an incident happen. The next scrape is the first one that sees it.
func (s *slot) meet(incident Incident, at int64) {
	t, length := s.target, incident.For.Milliseconds()
	switch incident.Kind {
	case Replace:
		s.retire(t)
		s.enterYoung(at + length)
	case Discover:
		s.retire(t)
		s.enterOld(at + length)
	case Restart:
		if t.old && t.next-t.firstGood < 2*minute {
			return
		}
		t.process.restart(at + min(length, 2*minute))
		t.failUntil = max(t.failUntil, t.process.started)
	case Fail:
		t.failUntil = max(t.failUntil, at+length)
	case Silence:
		t.silentUntil = max(t.silentUntil, at+length)
	}
}

// retire ends a target as Prometheus does: at the next time of a scrape, either
// it is gone, or that scrape fails first.
func (s *slot) retire(t *target) {
	at := t.next
	if at < t.silentUntil || (t.lastGood == 0 && !t.troubled) {
		return // nobody watched
	}
	for _, series := range t.present {
		series.end(at)
	}
	t.present = nil
	if s.rng.IntN(2) == 0 {
		t.up.put(at, 0)
		at += s.interval()
	}
	t.up.end(at)
}

// enterYoung begins a pod whose process starts now and is scraped soon.
func (s *slot) enterYoung(started int64) {
	s.enter(started, started+1+s.rng.Int64N(s.interval()))
}

// enterOld begins a pod whose process has been counting for a while.
func (s *slot) enterOld(at int64) {
	first := at + s.rng.Int64N(s.interval())
	s.enter(first-6*minute-s.rng.Int64N(3*60*minute), first)
	s.target.process.advance(s, first)
	for _, stream := range s.target.process.streams {
		stream.born = stream.born || stream.happened()
	}
}

func (s *slot) enter(started, first int64) {
	s.w.names++
	t := &target{instance: fmt.Sprintf("pod-%d:8080", s.w.names), next: first}
	t.up = s.w.newSeries(t, "up")
	t.started = s.w.newSeries(t, "process_start_time_seconds")
	for _, f := range s.w.forms() {
		stream := &stream{form: f, values: make([]float64, len(f.counters))}
		for _, c := range f.counters {
			stream.series = append(stream.series, s.w.newSeries(t, c.name, c.pairs...))
		}
		t.process.streams = append(t.process.streams, stream)
	}
	t.process.restart(started)
	s.target = t
}

func (s *slot) scrape(t *target, at int64) {
	must := s.mustSucceed(t, at)
	if at < t.silentUntil && !must {
		return
	}
	if at < t.failUntil && !must {
		s.fail(t, at)
		return
	}
	if t.process.started > at { // down, but the domain ends here
		t.process.restart(at - second)
	}
	t.process.advance(s, at)
	if t.firstGood == 0 {
		t.firstGood, t.entry, t.old = at, at, at-t.process.started >= 4*minute
	}
	if t.troubled {
		t.entry, t.troubled = at, false
	}
	t.up.put(at, 1)
	t.started.put(at, float64(t.process.started)/1000)
	t.present = append(t.present[:0], t.started)
	for _, stream := range t.process.streams {
		t.expose(stream, at)
	}
	t.lastGood = at
}

// mustSucceed keeps a world inside its domain.
func (s *slot) mustSucceed(t *target, at int64) bool {
	next := at + s.interval()
	if t.lastGood > 0 {
		return next-t.lastGood >= 5*minute
	}
	age := next - t.process.started
	return age >= 4*minute && age <= 6*minute
}

func (s *slot) fail(t *target, at int64) {
	t.up.put(at, 0)
	for _, series := range t.present {
		series.end(at)
	}
	t.present, t.troubled = nil, true
}

func (t *target) expose(s *stream, at int64) {
	if !s.born {
		s.born = s.happened() && t.mayBear(s, at)
	}
	if !s.born {
		clear(s.values)
		return
	}
	for i, series := range s.series {
		series.put(at, s.values[i])
	}
	t.present, s.lastSeen = append(t.present, s.series...), at
}

func (t *target) mayBear(s *stream, at int64) bool {
	if gone := at - s.lastSeen; s.lastSeen > 0 && gone <= 6*minute {
		return gone <= 5*minute
	}
	young := at-t.process.started < 4*minute
	return at == t.firstGood || young || at-t.entry >= 2*minute
}

// restart has the process count from zero.
func (p *process) restart(at int64) {
	p.started, p.advanced = at, at
	for _, s := range p.streams {
		clear(s.values)
		s.born = !s.lazy
	}
}

// advance lets traffic flow up to a moment.
func (p *process) advance(s *slot, to int64) {
	for p.advanced < to {
		until := min(to, (p.advanced/block+1)*block)
		minutes := float64(until-p.advanced) / float64(minute) * s.w.strength(p.advanced)
		for _, stream := range p.streams {
			events := int(2*stream.rate*minutes*s.rng.Float64() + s.rng.Float64()*float64(min(1, int(minutes*1e6))))
			for range events {
				stream.observe(s.rng, stream.values)
			}
		}
		p.advanced = until
	}
}

func (s *stream) happened() bool {
	return slices.ContainsFunc(s.values, func(v float64) bool { return v > 0 })
}
