package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// spread is how far apart in time the samples of a store may be written.
const spread = 400 * 24 * time.Hour

// Store is a TSDB with Prometheus' engine over it. It answers range queries as
// the ledger asks them, and counts what they cost.
type Store struct {
	db     *tsdb.DB // nil over a storage of another's
	data   storage.Queryable
	engine *promql.Engine
	// Fail, when set, is asked before each query; its error is the answer. It is
	// called from several goroutines at once.
	Fail func() error

	queries, samples atomic.Int64
}

// Open opens an empty store in a directory.
func Open(dir string) (*Store, error) {
	opts := tsdb.DefaultOptions()
	opts.WALSegmentSize = -1 // what is lost with the process is not missed
	opts.MinBlockDuration = spread.Milliseconds()
	opts.MaxBlockDuration = spread.Milliseconds()
	opts.RetentionDuration = 0
	db, err := tsdb.Open(dir, nil, nil, opts, nil)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := Over(db)
	s.db = db
	return s, nil
}

// Over answers from another's storage, which stays open after Close and cannot
// be written to.
func Over(data storage.Queryable) *Store {
	return &Store{data: data, engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: 5 * time.Minute, LookbackDelta: 5 * time.Minute,
		EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return minute },
		Parser:                   parser.NewParser(parser.Options{}),
	})}
}

// Close closes the store. The directory stays.
func (s *Store) Close() error {
	err := s.engine.Close()
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	return err
}

// Write writes all that was scraped in a world.
func (s *Store) Write(w *World) error {
	app := s.db.Appender(context.Background())
	for _, series := range w.series {
		for _, p := range series.points {
			v := p.value
			if p.stale {
				v = math.Float64frombits(value.StaleNaN)
			}
			if _, err := app.Append(0, series.labels, p.at, v); err != nil {
				return fmt.Errorf("append %s at %d: %w", series.labels, p.at, errors.Join(err, app.Rollback()))
			}
		}
	}
	return app.Commit()
}

// Put writes one sample of a series, whose labels are given as name, value,
// name, value.
func (s *Store) Put(at time.Time, v float64, pairs ...string) error {
	app := s.db.Appender(context.Background())
	if _, err := app.Append(0, labels.FromStrings(pairs...), at.UnixMilli(), v); err != nil {
		return fmt.Errorf("append %v: %w", pairs, errors.Join(err, app.Rollback()))
	}
	return app.Commit()
}

// PutHistogram writes one sample of a native histogram.
func (s *Store) PutHistogram(at time.Time, h *histogram.Histogram, pairs ...string) error {
	app := s.db.Appender(context.Background())
	if _, err := app.AppendHistogram(0, labels.FromStrings(pairs...), at.UnixMilli(), h, nil); err != nil {
		return fmt.Errorf("append %v: %w", pairs, errors.Join(err, app.Rollback()))
	}
	return app.Commit()
}

// Range answers a range query as Prometheus' HTTP API does.
func (s *Store) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) (model.Matrix, error) {
	return s.run(ctx, func() (promql.Query, error) {
		return s.engine.NewRangeQuery(ctx, s.data, nil, expr, start, end, step)
	})
}

// Samples answers an instant query of a range selector.
func (s *Store) Samples(ctx context.Context, selector string, at time.Time) (model.Matrix, error) {
	return s.run(ctx, func() (promql.Query, error) {
		return s.engine.NewInstantQuery(ctx, s.data, nil, selector, at)
	})
}

func (s *Store) run(ctx context.Context, prepare func() (promql.Query, error)) (model.Matrix, error) {
	s.queries.Add(1)
	if s.Fail != nil {
		if err := s.Fail(); err != nil {
			return nil, err
		}
	}
	query, err := prepare()
	if err != nil {
		return nil, fmt.Errorf("prepare query: %w", err)
	}
	defer query.Close()
	matrix, err := query.Exec(ctx).Matrix()
	if err != nil {
		return nil, fmt.Errorf("run query: %w", err)
	}
	s.samples.Add(query.Stats().Samples.TotalSamples)
	out := make(model.Matrix, 0, len(matrix))
	for _, series := range matrix {
		stream := &model.SampleStream{Metric: metric(series.Metric), Values: make([]model.SamplePair, 0, len(series.Floats))}
		for _, p := range series.Floats {
			stream.Values = append(stream.Values, model.SamplePair{Timestamp: model.Time(p.T), Value: model.SampleValue(p.F)})
		}
		out = append(out, stream)
	}
	return out, nil
}

// Value gives the one number of an expression at a moment, NaN where it has
// none.
func (s *Store) Value(ctx context.Context, expr string, at time.Time) (float64, error) {
	matrix, err := s.Range(ctx, expr, at, at, time.Minute)
	if err != nil || len(matrix) == 0 {
		return math.NaN(), err
	}
	return float64(matrix[0].Values[0].Value), nil
}

// Label gives the values that a label has in the answer to an expression.
func (s *Store) Label(ctx context.Context, expr, label string, at time.Time) ([]string, error) {
	matrix, err := s.Range(ctx, expr, at, at, time.Minute)
	var out []string
	for _, stream := range matrix {
		out = append(out, string(stream.Metric[model.LabelName(label)]))
	}
	return out, err
}

// Cost is the number of queries so far and of the samples that they read, each
// counted as often as a step of a query looks at it.
func (s *Store) Cost() (queries, samples int64) {
	return s.queries.Load(), s.samples.Load()
}

func metric(l labels.Labels) model.Metric {
	m := model.Metric{}
	l.Range(func(l labels.Label) { m[model.LabelName(l.Name)] = model.LabelValue(l.Value) })
	return m
}
