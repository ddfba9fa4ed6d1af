// Package rehearse is Prometheus without a server: samples in memory, its own query
// engine over them and its own rules engine, all on simulated time. What is asked of
// a real one can be asked of it, before an objective is live. The package neither
// waits nor writes, and knows nothing of objectives.
package rehearse

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

const (
	// maxSamples is how many samples one query may hold, as of Prometheus' default.
	maxSamples = 50_000_000
	// patience is how long one query may take.
	patience = 5 * time.Minute
	// lookback is how old a sample may be, as of Prometheus' default.
	lookback = 5 * time.Minute
)

// Store holds samples and answers queries of them. It may be used by several
// goroutines at once.
type Store struct {
	engine *promql.Engine

	mu sync.RWMutex
	// all are in the order of their labels.
	all []*series
}

// series is the samples of one label set, in the order of time.
type series struct {
	labels  labels.Labels
	samples []chunks.Sample
}

// NewStore makes an empty store.
func NewStore() *Store {
	return &Store{engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: maxSamples, Timeout: patience, LookbackDelta: lookback,
		EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		Parser:                   parser.NewParser(parser.Options{}),
	})}
}

// Range evaluates an expression at start, start+step and so on up to end, as the
// HTTP API does. Native histograms have no place in its answer.
func (s *Store) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) (model.Matrix, error) {
	query, err := s.engine.NewRangeQuery(ctx, s, nil, expr, start, end, step)
	if err != nil {
		return nil, fmt.Errorf("prepare query: %w", err)
	}
	defer query.Close()
	matrix, err := query.Exec(ctx).Matrix()
	if err != nil {
		return nil, fmt.Errorf("run query: %w", err)
	}
	out := make(model.Matrix, 0, len(matrix))
	for _, series := range matrix {
		stream := &model.SampleStream{Metric: metricOf(series.Metric), Values: make([]model.SamplePair, 0, len(series.Floats))}
		for _, p := range series.Floats {
			stream.Values = append(stream.Values, model.SamplePair{Timestamp: model.Time(p.T), Value: model.SampleValue(p.F)})
		}
		out = append(out, stream)
	}
	return out, nil
}

// Instant evaluates an expression at one moment.
func (s *Store) Instant(ctx context.Context, expr string, at time.Time) (model.Vector, error) {
	matrix, err := s.Range(ctx, expr, at, at, time.Minute)
	if err != nil {
		return nil, err
	}
	out := make(model.Vector, 0, len(matrix))
	for _, stream := range matrix {
		for _, v := range stream.Values {
			out = append(out, &model.Sample{Metric: stream.Metric, Timestamp: v.Timestamp, Value: v.Value})
		}
	}
	return out, nil
}

func metricOf(l labels.Labels) model.Metric {
	out := model.Metric{}
	l.Range(func(l labels.Label) { out[model.LabelName(l.Name)] = model.LabelValue(l.Value) })
	return out
}

// find gives the series of some labels, and where it is or belongs.
func (s *Store) find(l labels.Labels) (int, bool) {
	return slices.BinarySearchFunc(s.all, l, func(s *series, l labels.Labels) int { return labels.Compare(s.labels, l) })
}

// append adds samples that are younger than those of their series. Readers keep
// what they were given: samples are never moved or changed.
func (s *Store) append(l labels.Labels, more ...chunks.Sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, found := s.find(l)
	if !found {
		s.all = slices.Insert(s.all, at, &series{labels: l})
	}
	s.all[at].samples = append(s.all[at].samples, more...)
}

// Querier reads the samples between two moments in milliseconds, both included.
func (s *Store) Querier(mint, maxt int64) (storage.Querier, error) {
	return &querier{LabelQuerier: storage.NoopQuerier(), store: s, mint: mint, maxt: maxt}, nil
}

// querier selects; the engine asks nothing else.
type querier struct {
	storage.LabelQuerier

	store      *Store
	mint, maxt int64
}

// Select gives the series that match, in the order of their labels.
func (q *querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	q.store.mu.RLock()
	defer q.store.mu.RUnlock()
	out := &seriesSet{at: -1}
	for _, s := range q.store.all {
		if matches(s.labels, matchers) {
			if samples := q.within(s.samples); len(samples) > 0 {
				out.all = append(out.all, entry(s.labels, samples))
			}
		}
	}
	return out
}

func matches(l labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(l.Get(m.Name)) {
			return false
		}
	}
	return true
}

// within cuts out the samples of the time that is asked for.
func (q *querier) within(samples []chunks.Sample) []chunks.Sample {
	from := sort.Search(len(samples), func(i int) bool { return samples[i].T() >= q.mint })
	to := sort.Search(len(samples), func(i int) bool { return samples[i].T() > q.maxt })
	return samples[from:max(from, to)]
}

// entry gives copies of histograms, which the engine changes.
func entry(l labels.Labels, samples []chunks.Sample) storage.Series {
	return &storage.SeriesEntry{Lset: l, SampleIteratorFn: func(chunkenc.Iterator) chunkenc.Iterator {
		return storage.NewListSeriesIteratorWithCopy(chunks.SampleSlice(samples))
	}}
}

// seriesSet is series that were selected.
type seriesSet struct {
	all []storage.Series
	at  int
}

func (s *seriesSet) Next() bool                      { s.at++; return s.at < len(s.all) }
func (s *seriesSet) At() storage.Series              { return s.all[s.at] }
func (*seriesSet) Err() error                        { return nil }
func (*seriesSet) Warnings() annotations.Annotations { return nil }

// point is a sample: a number, or a histogram.
type point struct {
	at        int64
	value     float64
	histogram *histogram.FloatHistogram
}

func (p point) T() int64                      { return p.at }
func (point) ST() int64                       { return 0 }
func (p point) F() float64                    { return p.value }
func (point) H() *histogram.Histogram         { return nil }
func (p point) FH() *histogram.FloatHistogram { return p.histogram }

// Type says which of both it is.
func (p point) Type() chunkenc.ValueType {
	if p.histogram != nil {
		return chunkenc.ValFloatHistogram
	}
	return chunkenc.ValFloat
}

// Copy copies the histogram too.
func (p point) Copy() chunks.Sample {
	if p.histogram != nil {
		p.histogram = p.histogram.Copy()
	}
	return p
}
