package simulate

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// Shape gives the value of a series at a moment; NaN is no sample.
type Shape func(at time.Time) float64

// Copy is a series whose samples are those of a shape, by its index.
type Copy struct {
	Labels labels.Labels
	Shape  int
}

// WriteCopies writes one block of series of few shapes, with a sample every
// step from start and before end: each shape is encoded once, so that a month
// of ten thousand objectives takes seconds.
func WriteCopies(dir string, start, end time.Time, step time.Duration, shapes []Shape, copies []Copy) error {
	encoded := make([]blockSeries, len(shapes))
	for i, shape := range shapes {
		for at := start; at.Before(end); at = at.Add(step) {
			if v := shape(at); v == v {
				encoded[i].append(at.UnixMilli(), v)
			}
		}
	}
	all := make([]*blockSeries, len(copies))
	for i, c := range copies {
		from := encoded[c.Shape]
		// The writer notes in each meta where it put the chunk.
		all[i] = &blockSeries{labels: c.Labels, chunks: append([]chunks.Meta(nil), from.chunks...), count: from.count}
	}
	all = slices.DeleteFunc(all, func(s *blockSeries) bool { return s.count == 0 })
	return writeBlock(dir, span{start: start, end: end}, all)
}
