package ledger

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/experience-slo/operator/internal/slo"
)

// stride is how many minutes one query of a history asks for: a query over longer
// holds too many samples at once for some servers.
const stride = 24 * time.Hour

// Cell is what one minute or one bucket holds.
type Cell struct {
	Sums slo.Sums
	// Covered is how many of its minutes have data.
	Covered int
	// Invalid says that samples of NaN or infinity were left out.
	Invalid bool
}

// History is what was counted over a stretch of time: by the bucket at first, and
// by the minute from Fine on. A book keeps less, since it looks at the present.
type History struct {
	Grid slo.Grid
	// From and Fine are edges of buckets, To is the end of a minute.
	From, Fine, To   time.Time
	Buckets, Minutes []Cell
	// Recorded are the minutes, by index, that a ruler counts otherwise because a
	// counter was reset in them.
	Recorded map[int]slo.Sums
	// Left is what counts of cells of which some minutes do not, by their index: buckets
	// first, and then minutes.
	Left map[int]Left
	// Exact is that of the terms. Longer stretches begin with a whole bucket.
	Exact time.Duration

	// spared are those of a book.
	spared []minutes
}

// Past is the time that a history is read of.
type Past struct {
	// From is when it begins, Fine since when it is read by the minute, and To when it
	// ends.
	From, Fine, To time.Time
	// Excluded are whole minutes that do not count, in order and apart.
	Excluded []slo.Span
}

// Exact is how long a stretch up to the present may be that a book sums by the
// minute.
func (t Terms) Exact() time.Duration { return t.usual() }

// ReadHistory reads a time that has passed.
func ReadHistory(ctx context.Context, q Querier, terms Terms, over Past) (*History, error) {
	h := &History{Grid: terms.Grid, Exact: terms.usual(), Recorded: map[int]slo.Sums{}, To: over.To.Truncate(time.Minute)}
	h.From, h.Fine = h.edge(over.From), h.edge(over.Fine)
	h.Buckets = make([]Cell, h.bucket(h.Fine))
	h.Minutes = make([]Cell, max(int(h.To.Sub(h.Fine)/time.Minute), 0))
	past := &historian{h, &reader{terms: terms, q: q, reads: sync.OnceValues(terms.Queries.Reads)}}
	for at := h.From; at.Before(h.Fine); at = at.Add(chunk) {
		if err := past.readBuckets(ctx, at, slo.Earlier(at.Add(chunk), h.Fine)); err != nil {
			return nil, err
		}
	}
	for at := h.Fine; at.Before(h.To); at = at.Add(stride) {
		if err := past.readMinutes(ctx, at, slo.Earlier(at.Add(stride), h.To)); err != nil {
			return nil, err
		}
	}
	if err := past.leave(ctx, over.Excluded); err != nil {
		return nil, err
	}
	return h, nil
}

// edge is the last edge of a bucket that is not after a moment.
func (h *History) edge(at time.Time) time.Time {
	return h.Grid.Start(h.Grid.Index(at.Truncate(time.Minute).Add(time.Minute)))
}

// bucket is the index of the bucket that begins at an edge.
func (h *History) bucket(edge time.Time) int { return int(edge.Sub(h.From) / h.Grid.Width) }

// historian fills a history.
type historian struct {
	*History
	*reader
}

func (p *historian) readBuckets(ctx context.Context, from, to time.Time) error {
	width := p.Grid.Width
	t, err := p.bucketTable(ctx, from, to, width)
	if err != nil {
		return err
	}
	entries, broken := t.entries(p.terms.Formula)
	// One NaN spoils the sum of its bucket: the minutes beside it still count.
	for _, run := range runsOf(broken, width, 0) {
		minutes, _, err := p.rawMinutes(ctx, run.from, run.to)
		if err != nil {
			return err
		}
		p.gather(minutes, entries)
	}
	for at, e := range entries {
		p.Buckets[p.bucket(time.Unix(at, 0))-1] = Cell{Sums: e.sums, Covered: e.covered}
	}
	for _, at := range broken {
		p.Buckets[p.bucket(time.Unix(at, 0))-1].Invalid = true
	}
	return nil
}

func (p *historian) readMinutes(ctx context.Context, from, to time.Time) error {
	reads, err := p.reads()
	if err != nil {
		return err
	}
	t, err := p.table(ctx, reads.Minute, from, to, time.Minute)
	if err != nil {
		return err
	}
	resets := t.resets(p.terms.Formula)
	recorded, _ := t.rows(resets).entries(p.terms.Formula)
	if err := p.recount(ctx, reads.ExactMinute, t, resets, time.Minute); err != nil {
		return err
	}
	entries, broken := t.entries(p.terms.Formula)
	for at, e := range entries {
		p.Minutes[p.minute(at)] = Cell{Sums: e.sums, Covered: e.covered}
	}
	for _, at := range broken {
		p.Minutes[p.minute(at)].Invalid = true
	}
	for at, e := range recorded {
		p.Recorded[p.minute(at)] = e.sums
	}
	return nil
}

// minute is the index of the minute that ends at a second.
func (h *History) minute(end int64) int {
	return int(time.Unix(end, 0).Sub(h.Fine)/time.Minute) - 1
}

// rows are copies of some rows of a table.
func (t table) rows(at []int64) table {
	out := table{}
	for _, second := range at {
		out[second] = maps.Clone(t[second])
	}
	return out
}
