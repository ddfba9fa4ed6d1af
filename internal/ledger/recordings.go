package ledger

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

// RecordedQuerier answers what is asked of recorded series too.
type RecordedQuerier interface {
	Querier
	// Samples gives the samples that a range selector holds at a moment.
	Samples(ctx context.Context, selector string, at time.Time) (model.Matrix, error)
}

// Ask is one objective whose recorded series are read.
type Ask struct {
	Key types.NamespacedName
	// Identity selects the objective's series.
	Identity promql.Confinement
	Book     *Book
	// From is the beginning of the time that the book must hold.
	From time.Time
}

// Recordings reads what a ruler recorded, of many objectives with each query.
type Recordings struct {
	Querier RecordedQuerier
	// MaxSeries bounds the series of an answer.
	MaxSeries int
	// Offset is how far back the ruler looks.
	Offset time.Duration
	// Concurrency is the number of batches that are read at once.
	Concurrency int
	// TooMuch tells that an answer was over a limit.
	TooMuch func(error) bool
}

const (
	// seriesOfMinutes and seriesOfBuckets are the series of one objective in an
	// answer.
	seriesOfMinutes = 4
	seriesOfBuckets = 8
	// mostNames is how many names a pattern holds before Prometheus compares each
	// label with all of them.
	mostNames = 250
	// few is how far behind objectives may be that are read together.
	few = 10 * time.Minute
	// mostSamples keeps an answer to a few megabytes.
	mostSamples = 100_000
)

// batch is objectives whose books lack the same time.
type batch struct {
	asks []Ask
	// buckets is empty where only minutes are missing.
	buckets slo.Span
	minutes []slo.Span
	width   time.Duration
}

// Read gives a record of each objective, with what its book lacks up to the
// minute that ends at to.
func (r Recordings) Read(ctx context.Context, asks []Ask, to time.Time) (map[types.NamespacedName]*Record, error) {
	to = to.Truncate(time.Minute)
	records := make(map[types.NamespacedName]*Record, len(asks))
	for _, a := range asks {
		records[a.Key] = &Record{
			minutes: map[int64]recorded{}, buckets: table{}, grace: Grace + r.Offset, recipe: a.Book.terms.Queries.ID(),
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(r.Concurrency, 1))
	for _, b := range r.batches(asks, to) {
		group.Go(func() error { return r.readHalves(ctx, b, records) })
	}
	return records, group.Wait()
}

// batches joins objectives that lack the same time.
func (r Recordings) batches(asks []Ask, to time.Time) []batch {
	type lack struct {
		from time.Time
		grid slo.Grid
		kept time.Duration
		// apart words the buckets that are left out in part.
		apart string
	}
	alike, apart := map[lack][]Ask{}, map[lack][]slo.Span{}
	for _, a := range asks {
		key := lack{from: a.Book.begin(a.From), grid: a.Book.terms.Grid, kept: a.Book.kept()}
		spans := a.Book.apart(key.from, to)
		if behind := to.Sub(key.from); behind <= min(few, key.kept) && !a.Book.Cursor().IsZero() {
			key = lack{} // the last minutes of one are those of the others
		}
		key.apart = fmt.Sprint(spans)
		alike[key], apart[key] = append(alike[key], a), spans
	}
	var out []batch
	for key, group := range alike {
		b := batch{width: key.grid.Width}
		if key.from.IsZero() {
			b.minutes = []slo.Span{{Start: earliest(group, to.Add(-Grace-r.Offset)), End: to}}
		} else {
			b.minutes, b.buckets = stretches(key.grid, key.from, to, key.kept)
		}
		b.minutes = append(b.minutes, apart[key]...)
		out = append(out, r.split(b, group)...)
	}
	return out
}

// earliest is where the first of some books goes on, and not after a moment: how
// late a ruler is shows in the minutes before.
func earliest(asks []Ask, notAfter time.Time) time.Time {
	first := notAfter
	for _, a := range asks {
		if c := a.Book.Cursor(); c.Before(first) {
			first = c
		}
	}
	return first
}

// split cuts a batch so that its answers stay within bounds.
func (r Recordings) split(b batch, asks []Ask) []batch {
	slices.SortFunc(asks, func(x, y Ask) int {
		return cmp.Or(cmp.Compare(x.Key.Namespace, y.Key.Namespace), cmp.Compare(x.Key.Name, y.Key.Name))
	})
	series, minutes := seriesOfMinutes, 0
	if !b.buckets.Start.IsZero() {
		series = seriesOfBuckets
	}
	for _, span := range b.minutes {
		minutes = max(minutes, int(span.End.Sub(span.Start)/time.Minute))
	}
	n := min(r.MaxSeries/series, mostNames, mostSamples/max(minutes*seriesOfMinutes, 1))
	var out []batch
	for part := range slices.Chunk(asks, max(n, 1)) {
		next := b
		next.asks = part
		out = append(out, next)
	}
	return out
}

// readHalves reads a batch, in halves where the answer is over a limit: names
// that several namespaces share, and series whose labels changed a while ago, are
// more than was reckoned with. One objective alone is then read from raw data.
func (r Recordings) readHalves(ctx context.Context, b batch, records map[types.NamespacedName]*Record) error {
	err := r.read(ctx, b, records)
	if err == nil || r.TooMuch == nil || !r.TooMuch(err) {
		return err
	}
	for _, a := range b.asks {
		records[a.Key].clear()
	}
	if len(b.asks) == 1 {
		return nil
	}
	middle := len(b.asks) / 2
	first, second := b, b
	first.asks, second.asks = b.asks[:middle], b.asks[middle:]
	if err := r.readHalves(ctx, first, records); err != nil {
		return err
	}
	return r.readHalves(ctx, second, records)
}

// read fills the records of a batch. No other batch has them.
func (r Recordings) read(ctx context.Context, b batch, records map[types.NamespacedName]*Record) error {
	own := make(map[types.NamespacedName]*Record, len(b.asks))
	for _, a := range b.asks {
		own[a.Key] = records[a.Key]
	}
	confine := confinementOf(b.asks)
	for _, span := range b.minutes {
		if err := r.readMinutes(ctx, confine, span, own); err != nil {
			return err
		}
	}
	for start := b.buckets.Start; start.Before(b.buckets.End); start = start.Add(chunk) {
		end := start.Add(chunk)
		if end.After(b.buckets.End) {
			end = b.buckets.End
		}
		if err := r.readBuckets(ctx, confine, slo.Span{Start: start, End: end}, b.width, own); err != nil {
			return err
		}
	}
	return nil
}

func (r Recordings) readMinutes(ctx context.Context, confine promql.Confinement, span slo.Span, records map[types.NamespacedName]*Record) error {
	n := int(span.End.Sub(span.Start) / time.Minute)
	if n <= 0 {
		return nil
	}
	// What stands for the last minute has a timestamp within the next.
	at := span.End.Add(time.Minute - time.Millisecond)
	matrix, err := r.Querier.Samples(ctx, promql.RecordedMinutes(n, confine), at)
	if err != nil {
		return err
	}
	for _, stream := range matrix {
		if record := records[keyOf(stream.Metric)]; record != nil {
			record.put(string(stream.Metric[model.MetricNameLabel]), stream.Values)
		}
	}
	return nil
}

func (r Recordings) readBuckets(ctx context.Context, confine promql.Confinement, span slo.Span, width time.Duration, records map[types.NamespacedName]*Record) error {
	matrix, err := r.Querier.Range(ctx, promql.RecordedBuckets(width, confine), span.Start.Add(width), span.End, width)
	if err != nil {
		return err
	}
	for _, stream := range matrix {
		record := records[keyOf(stream.Metric)]
		if record == nil {
			continue
		}
		lane := string(stream.Metric[promql.LaneLabel])
		for _, sample := range stream.Values {
			record.buckets.put(sample.Timestamp.Unix(), lane, float64(sample.Value))
		}
	}
	return nil
}

func keyOf(metric model.Metric) types.NamespacedName {
	return types.NamespacedName{Namespace: string(metric["namespace"]), Name: string(metric["objective"])}
}

// confinementOf selects the series of all objectives of a batch.
func confinementOf(asks []Ask) promql.Confinement {
	values := map[string]map[string]bool{}
	add := func(label, value string) {
		if values[label] == nil {
			values[label] = map[string]bool{}
		}
		values[label][value] = true
	}
	for _, a := range asks {
		for label, value := range a.Identity.Labels() {
			add(label, value)
		}
	}
	var out promql.Confinement
	for _, label := range slices.Sorted(maps.Keys(values)) {
		out = out.ConfineAny(label, slices.Sorted(maps.Keys(values[label]))...)
	}
	return out
}
