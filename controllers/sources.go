package controllers

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/metrics"
	"github.com/experience-slo/operator/internal/source"
)

// Sources holds a client for each source that the controllers of sources have
// gathered the credentials of.
type Sources struct {
	recorder *metrics.Recorder

	mu   sync.Mutex
	live map[compile.SourceKey]*Live
	// tried are the sources whose credentials were looked for, found or not.
	tried map[compile.SourceKey]bool
}

// Live is a source that can be asked. It is never written to.
type Live struct {
	Client *source.Client
	Timing Timing
	// queries counts what was asked, for the metrics of a tick.
	queries *atomic.Int64
	health  *health
	config  source.Config
	cancel  context.CancelFunc
	ctx     context.Context
}

// Timing says when a source is asked.
type Timing struct {
	Interval, Delay, StaleAfter time.Duration
	Concurrency                 int
	// Ruled says that a ruler records the deltas, QueryOffset how far back it
	// looks.
	Ruled       bool
	QueryOffset time.Duration
}

// NewSources makes an empty set.
func NewSources(recorder *metrics.Recorder) *Sources {
	return &Sources{recorder: recorder, live: map[compile.SourceKey]*Live{}, tried: map[compile.SourceKey]bool{}}
}

func timingOf(spec *v1alpha1.MetricSourceSpec) Timing {
	out := Timing{
		Interval:    spec.Interval.Duration,
		Delay:       spec.Delay.Duration,
		StaleAfter:  spec.StaleAfter.Duration,
		Concurrency: int(spec.Limits.Concurrency),
		Ruled:       spec.Rules.Recorded(),
	}
	if spec.Rules.QueryOffset != nil {
		out.QueryOffset = spec.Rules.QueryOffset.Duration
	}
	return out
}

// Get gives the source of a key, or nil.
func (s *Sources) Get(key compile.SourceKey) *Live {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[key]
}

// Tried says whether the source's controller has looked at it since it exists,
// or since this process started: before that, nothing is known against it.
func (s *Sources) Tried(key compile.SourceKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tried[key]
}

// Keys gives the keys of all sources with their timing.
func (s *Sources) Keys() map[compile.SourceKey]Timing {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[compile.SourceKey]Timing, len(s.live))
	for key, live := range s.live {
		out[key] = live.Timing
	}
	return out
}

// Put makes a client for a source, or keeps the one there is when nothing about
// it changed. It says whether the source is new or changed.
func (s *Sources) Put(key compile.SourceKey, config source.Config, timing Timing) (changed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried[key] = true
	old := s.live[key]
	if old != nil && reflect.DeepEqual(old.config, config) {
		// Others hold the old value: it is replaced, not written to.
		kept := *old
		kept.Timing = timing
		s.live[key] = &kept
		return old.Timing != timing, nil
	}
	queries := &atomic.Int64{}
	observed := config
	observed.Observe = func(o source.Observation) {
		queries.Add(1)
		s.recorder.Query(key, o)
	}
	client, err := source.New(observed)
	if err != nil {
		s.drop(key)
		return true, err
	}
	s.drop(key)
	ctx, cancel := context.WithCancel(context.Background())
	s.live[key] = &Live{Client: client, Timing: timing, queries: queries, health: &health{}, config: config, ctx: ctx, cancel: cancel}
	return true, nil
}

// Disable takes a source's client away: queries in flight end, and it counts as
// unusable.
func (s *Sources) Disable(key compile.SourceKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried[key] = true
	s.drop(key)
}

// Remove forgets a source: queries in flight end, nothing asks it any more.
func (s *Sources) Remove(key compile.SourceKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tried, key)
	s.drop(key)
}

// Close forgets all sources.
func (s *Sources) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.live {
		s.drop(key)
	}
}

func (s *Sources) drop(key compile.SourceKey) {
	if old := s.live[key]; old != nil {
		old.cancel()
		s.recorder.ForgetRules(key)
		old.Client.Close()
		delete(s.live, key)
	}
}
