package rehearse

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// maxValues bounds the values of one series: a year of minutes.
const maxValues = 600_000

// Series is a series as promtool's unit tests write it.
type Series struct {
	labels labels.Labels
	values []parser.SequenceValue
}

// ParseSeries reads the labels and the values of a series, such as
// `up{job="shop"} 1x60`, in promtool's notation.
func ParseSeries(text string) (Series, error) {
	l, values, err := parser.NewParser(parser.Options{}).ParseSeriesDesc(text)
	switch {
	case err != nil:
		return Series{}, fmt.Errorf("parse series %q: %w", text, err)
	case l.Get(model.MetricNameLabel) == "":
		return Series{}, fmt.Errorf("parse series %q: it has no name", text)
	case len(values) == 0:
		return Series{}, fmt.Errorf("parse series %q: it has no values: write them behind it, such as 0+1x60", text)
	case len(values) > maxValues:
		return Series{}, fmt.Errorf("parse series %q: it has %d values, which is more than %d: take a longer interval", text, len(values), maxValues)
	}
	return Series{l, values}, nil
}

// Length is how many values a series has, left out ones too.
func (s Series) Length() int { return len(s.values) }

// errTwice says that a series is there twice.
var errTwice = errors.New("it is there twice: leave one out")

// Load writes a series whose first value is at start, and each other one an
// interval later. A series can be loaded once.
func (s *Store) Load(from Series, start time.Time, interval time.Duration) error {
	s.mu.RLock()
	_, twice := s.find(from.labels)
	s.mu.RUnlock()
	if twice {
		return fmt.Errorf("load series %s: %w", from.labels, errTwice)
	}
	var samples []chunks.Sample
	for i, v := range from.values {
		if !v.Omitted {
			at := start.Add(time.Duration(i) * interval).UnixMilli()
			samples = append(samples, point{at, v.Value, v.Histogram})
		}
	}
	s.append(from.labels, samples...)
	return nil
}
