package ledger

import (
	"slices"
	"time"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
)

// table is the answer to one query: lanes by the second at which a step ends.
type table map[int64]map[string]float64

func (t table) put(at int64, lane string, value float64) {
	if t[at] == nil {
		t[at] = make(map[string]float64, 4)
	}
	t[at][lane] = value
}

// entries applies the formula to each row, and gives the rows that hold a value
// that is no finite number. A row in which the events have no data is a gap,
// whatever else it holds.
func (t table) entries(f compile.Formula) (map[int64]entry, []int64) {
	out := make(map[int64]entry, len(t))
	var broken []int64
	for at, lanes := range t {
		if _, ok := lanes[f.Events[0].Lane]; !ok {
			continue
		}
		sums, finite := f.Sums(lanes)
		if !finite {
			broken = append(broken, at)
			continue
		}
		covered, isBucket := lanes[promql.LaneMinutes]
		if !isBucket {
			covered = 1
		}
		out[at] = entry{sums: sums, covered: int(covered)}
	}
	slices.Sort(broken)
	return out, broken
}

// resets gives the rows in which a counter may have been reset. A row in which
// the events have no data stays the gap that it is.
func (t table) resets(f compile.Formula) []int64 {
	var rows []int64
	for at, lanes := range t {
		if _, ok := lanes[f.Events[0].Lane]; ok && lanes[promql.LaneResets] > 0 {
			rows = append(rows, at)
		}
	}
	slices.Sort(rows)
	return rows
}

// churned gives the rows of the steady form that are not steady. A row whose
// churn is no number is not steady either.
func (t table) churned() []int64 {
	var rows []int64
	for at, lanes := range t {
		if churn, ok := lanes[promql.LaneChurn]; ok && churn != 0 {
			rows = append(rows, at)
		}
	}
	slices.Sort(rows)
	return rows
}

// run is a stretch of consecutive rows: from the beginning of the first to the
// end of the last.
type run struct{ from, to time.Time }

// runsOf joins rows, in order, to runs: a run costs one query. Rows with no more
// than slack between them are joined too.
func runsOf(rows []int64, step, slack time.Duration) []run {
	var runs []run
	for _, second := range rows {
		end := time.Unix(second, 0)
		start := end.Add(-step)
		if n := len(runs); n > 0 && start.Sub(runs[n-1].to) <= slack {
			runs[n-1].to = end
			continue
		}
		runs = append(runs, run{from: start, to: end})
	}
	return runs
}
