package simulate

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/index"
)

// staleMarker tells Prometheus that a series has ended.
var staleMarker = math.Float64frombits(value.StaleNaN)

// samplesPerChunk is what Prometheus itself puts into a chunk.
const samplesPerChunk = 120

// segmentSize bounds a chunk file; a day's block is far smaller.
const segmentSize = 64 << 20

// blockSeries is one series of one block, encoded as it is written. Samples go
// straight into chunks: a tsdb.BlockWriter would keep a head with a write path
// that is made for concurrent scrapes, and takes ten times as long.
type blockSeries struct {
	labels   labels.Labels
	chunks   []chunks.Meta
	appender chunkenc.Appender
	count    int
}

// newBlockSeries returns the empty series of a pod: up, the process's start,
// then those of its streams.
func newBlockSeries(p *process) []*blockSeries {
	all := []*blockSeries{
		{labels: seriesLabels(p, "up", nil)},
		{labels: seriesLabels(p, startTime, nil)},
	}
	for _, st := range p.service.streams {
		for _, s := range st.series {
			all = append(all, &blockSeries{labels: seriesLabels(p, s.name, s.labels)})
		}
	}
	return all
}

// seriesLabels joins a metric name, a series' own labels and its target's.
func seriesLabels(p *process, name string, own []pair) labels.Labels {
	b := labels.NewScratchBuilder(1 + len(own) + len(p.labels))
	b.Add(model.MetricNameLabel, name)
	for _, l := range slices.Concat(own, p.labels) {
		b.Add(l.name, l.value)
	}
	b.Sort()
	return b.Labels()
}

// append adds a sample; times have to ascend.
func (s *blockSeries) append(t int64, v float64) {
	if s.count%samplesPerChunk == 0 {
		c := chunkenc.NewXORChunk()
		s.appender, _ = c.Appender() // an empty chunk always has one
		s.chunks = append(s.chunks, chunks.Meta{Chunk: c, MinTime: t})
	}
	s.appender.Append(0, t, v)
	s.chunks[len(s.chunks)-1].MaxTime = t
	s.count++
}

// writeBlock writes one block below dir.
func writeBlock(dir string, b span, all []*blockSeries) error {
	slices.SortFunc(all, func(a, b *blockSeries) int { return labels.Compare(a.labels, b.labels) })
	meta := tsdb.BlockMeta{
		ULID: blockID(b), MinTime: b.start.UnixMilli(), MaxTime: b.end.UnixMilli(), Version: 1,
		Compaction: tsdb.BlockMetaCompaction{Level: 1},
	}
	meta.Compaction.Sources = []ulid.ULID{meta.ULID}
	for _, s := range all {
		meta.Stats.NumSeries++
		meta.Stats.NumChunks += uint64(len(s.chunks))
		meta.Stats.NumSamples += uint64(s.count)
		meta.Stats.NumFloatSamples += uint64(s.count)
	}
	path := filepath.Join(dir, meta.ULID.String())
	if err := os.MkdirAll(path, 0o755); err != nil {
		return fmt.Errorf("make block folder: %w", err)
	}
	if err := writeSeries(path, all); err != nil {
		return err
	}
	text, err := json.Marshal(meta)
	if err != nil {
		return fmt.Errorf("encode block meta: %w", err)
	}
	// The meta file comes last: a block without it is no block.
	if err := os.WriteFile(filepath.Join(path, "meta.json"), text, 0o644); err != nil {
		return fmt.Errorf("write block meta: %w", err)
	}
	return nil
}

// blockID is a ULID made of the block's own times, so that the same history has
// the same files.
func blockID(b span) ulid.ULID {
	var id ulid.ULID
	_ = id.SetTime(uint64(b.end.UnixMilli())) // fails after the year 10889
	binary.BigEndian.PutUint64(id[6:14], uint64(b.start.UnixMilli()))
	return id
}

// writeSeries writes the chunks and the index of sorted series.
func writeSeries(path string, all []*blockSeries) (err error) {
	cw, err := chunks.NewWriter(filepath.Join(path, "chunks"), chunks.WithSegmentSize(segmentSize))
	if err != nil {
		return fmt.Errorf("open chunk files: %w", err)
	}
	defer func() { err = errors.Join(err, cw.Close()) }()
	iw, err := index.NewWriter(context.Background(), filepath.Join(path, "index"))
	if err != nil {
		return fmt.Errorf("open index: %w", err)
	}
	defer func() { err = errors.Join(err, iw.Close()) }()
	for _, symbol := range symbols(all) {
		if err := iw.AddSymbol(symbol); err != nil {
			return fmt.Errorf("add symbol %q: %w", symbol, err)
		}
	}
	for i, s := range all {
		if err := cw.WriteChunks(s.chunks...); err != nil {
			return fmt.Errorf("write chunks of %s: %w", s.labels, err)
		}
		if err := iw.AddSeries(storage.SeriesRef(i), s.labels, s.chunks...); err != nil {
			return fmt.Errorf("index %s: %w", s.labels, err)
		}
	}
	return nil
}

// symbols returns every label name and value once, in order.
func symbols(all []*blockSeries) []string {
	seen := map[string]struct{}{}
	for _, s := range all {
		s.labels.Range(func(l labels.Label) {
			seen[l.Name], seen[l.Value] = struct{}{}, struct{}{}
		})
	}
	list := make([]string, 0, len(seen))
	for symbol := range seen {
		list = append(list, symbol)
	}
	slices.Sort(list)
	return list
}
