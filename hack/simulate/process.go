package simulate

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// process is one pod from its first scrape to its last.
type process struct {
	service *service
	labels  []pair    // target labels, as service discovery would attach them
	born    time.Time // when this process started; moves when it restarts in place
	offset  int64     // milliseconds into each scrape period
	end     time.Time // when the pod goes away; zero for those alive when history ends
	random  *rand.Rand
	counts  [][]float64 // per stream and outcome
	values  []float64   // per series, streams in order
	at      time.Time   // how far the traffic has been drawn
}

// week is how often a pod that is never replaced restarts in place.
const week = 7 * 24 * time.Hour

// newProcess starts a pod of a service. The same seed, service and birth give
// the same pod.
func newProcess(seed uint64, s *service, number, replica int, born, end time.Time) *process {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s/%s/%d/%d", s.namespace, s.app, replica, born.UnixMilli()) // a hash takes everything
	sum := h.Sum64()
	p := &process{
		service: s, born: born, end: end, at: born, offset: int64(sum % 3_600_000),
		random: rand.New(rand.NewPCG(seed, sum)),
		labels: []pair{
			{"app", s.app},
			{"instance", fmt.Sprintf("10.%d.%d.%d:8080", number, replica, sum%250+1)},
			{"job", s.app},
			{"namespace", s.namespace},
			{"pod", podName(s, replica, sum)},
		},
	}
	n := 0
	for _, st := range s.streams {
		p.counts = append(p.counts, make([]float64, len(st.outcomes)))
		n += len(st.series)
	}
	p.values = make([]float64, n)
	return p
}

// podName is what a Deployment would call a renewed pod, and a StatefulSet one
// that stays.
func podName(s *service, replica int, sum uint64) string {
	if s.renewed {
		return fmt.Sprintf("%s-%05x", s.app, sum>>44)
	}
	return fmt.Sprintf("%s-%d", s.app, replica)
}

// restarts reports whether the process restarts in place at or before t, and
// when: Mondays at nine (UTC), for pods that are not replaced.
func (p *process) restarts(t time.Time) (time.Time, bool) {
	if p.service.renewed {
		return time.Time{}, false
	}
	due := epochMonday.Add((p.at.Sub(epochMonday)/week + 1) * week)
	return due, !due.After(t)
}

// epochMonday is some Monday at nine before any history.
var epochMonday = time.Date(1970, time.January, 5, 9, 0, 0, 0, time.UTC)

// reset begins every counter at zero at the moment of a restart. What happened
// since the last scrape has been seen by nobody.
func (p *process) reset(at time.Time) {
	p.born, p.at = at, at
	for _, c := range p.counts {
		clear(c)
	}
	clear(p.values)
}

// advance draws the traffic up to t and brings the series' values up to date.
func (p *process) advance(t time.Time) {
	load, hours := p.service.rhythm(t), t.Sub(p.at).Hours()
	p.at = t
	next := 0
	for i := range p.service.streams {
		s := &p.service.streams[i]
		if s.draw(p.random, p.counts[i], load, hours) {
			for j := range s.series {
				p.values[next+j] = s.series[j].value(p.counts[i])
			}
		}
		next += len(s.series)
	}
}
