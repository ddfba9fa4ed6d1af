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
}

// Live is a source that can be asked. It is never written to.
type Live struct {
	Client *source.Client
	Timing Timing
	// queries counts what was asked, for the metrics of a tick.
	queries *atomic.Int64
	config  source.Config
	cancel  context.CancelFunc
	ctx     context.Context
}

// Timing says when a source is asked.
type Timing struct {
	Interval, Delay, StaleAfter time.Duration
	Concurrency                 int
}

// NewSources makes an empty set.
func NewSources(recorder *metrics.Recorder) *Sources {
	return &Sources{recorder: recorder, live: map[compile.SourceKey]*Live{}}
}

func timingOf(spec *v1alpha1.MetricSourceSpec) Timing {
	return Timing{
		Interval:    spec.Interval.Duration,
		Delay:       spec.Delay.Duration,
		StaleAfter:  spec.StaleAfter.Duration,
		Concurrency: int(spec.Limits.Concurrency),
	}
}

// Get gives the source of a key, or nil.
func (s *Sources) Get(key compile.SourceKey) *Live {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[key]
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
	s.live[key] = &Live{Client: client, Timing: timing, queries: queries, config: config, ctx: ctx, cancel: cancel}
	return true, nil
}

// Remove forgets a source: queries in flight end, nothing asks it any more.
func (s *Sources) Remove(key compile.SourceKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(key)
}

func (s *Sources) drop(key compile.SourceKey) {
	if old := s.live[key]; old != nil {
		old.cancel()
		old.Client.Close()
		delete(s.live, key)
	}
}
