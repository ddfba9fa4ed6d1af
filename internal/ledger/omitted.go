package ledger

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/experience-slo/operator/internal/slo"
)

// Left is what counts of a cell.
type Left struct {
	Sums    slo.Sums
	Covered int
	// Excluded is how many of its minutes do not count.
	Excluded int
}

// leave leaves minutes out of what was read, as a book does: buckets that are left out
// in part are read by the minute, and those whose minutes are gone count whole.
func (p *historian) leave(ctx context.Context, out []slo.Span) error {
	wanted, grid := runsOfMinutes(out), p.Grid
	parts := map[int64]part{}
	first := grid.Index(p.From.Add(time.Minute))
	for _, piece := range piecesOf(grid, partsOf(grid, wanted, first, grid.Index(p.Fine))) {
		answer, _, err := p.minutes(ctx, piece.from, piece.to)
		if err != nil {
			return err
		}
		maps.Copy(parts, p.counted(answer, wanted, piece.buckets))
	}
	for _, k := range slices.Sorted(maps.Keys(parts)) {
		if parts[k].lacks(p.Buckets[k-first].Covered) {
			p.spared = append(p.spared, within(wanted, minutesIn(grid, k))...)
		}
	}
	p.Left = map[int]Left{}
	for _, run := range except(wanted, p.spared) {
		p.leaveRun(run, parts)
	}
	return nil
}

// leaveRun leaves out a run of minutes.
func (p *historian) leaveRun(run minutes, parts map[int64]part) {
	grid := p.Grid
	first := grid.Index(p.From.Add(time.Minute))
	until := min(run.last, minuteOf(p.Fine))
	for n := max(run.first, minuteOf(p.From)+1); n <= until; {
		k := grid.Index(time.Unix(60*n, 0))
		end := min(minutesIn(grid, k).last, until)
		left := p.Left[int(k-first)]
		left.Sums, left.Covered, left.Excluded = parts[k].sums, parts[k].covered, left.Excluded+int(end-n+1)
		p.Left[int(k-first)] = left
		n = end + 1
	}
	fine := minuteOf(p.Fine) + 1
	for n := max(run.first, fine); n <= min(run.last, minuteOf(p.To)); n++ {
		p.Left[len(p.Buckets)+int(n-fine)] = Left{Excluded: 1}
	}
}

// Spared are the excluded minutes of a stretch that count all the same, as those of
// Stretch.
func (h *History) Spared(in slo.Span) []slo.Span {
	return spansOf(within(h.spared, minutes{minuteOf(in.Start) + 1, minuteOf(in.End)}))
}
