package ledger

import (
	"sort"

	"github.com/experience-slo/operator/internal/slo"
)

// minutes is a run of minutes, numbered as by minuteOf; the first and the last are
// in it.
type minutes struct{ first, last int64 }

// runsOfMinutes reads spans of whole minutes.
func runsOfMinutes(spans []slo.Span) []minutes {
	out := make([]minutes, 0, len(spans))
	for _, s := range spans {
		out = append(out, minutes{first: minuteOf(s.Start) + 1, last: minuteOf(s.End)})
	}
	return out
}

// within gives the parts of runs that are in another run.
func within(runs []minutes, in minutes) []minutes {
	from := sort.Search(len(runs), func(i int) bool { return runs[i].last >= in.first })
	var out []minutes
	for _, r := range runs[from:] {
		if r.first > in.last {
			break
		}
		out = append(out, minutes{first: max(r.first, in.first), last: min(r.last, in.last)})
	}
	return out
}

// count is the number of minutes in runs.
func count(runs []minutes) int {
	n := 0
	for _, r := range runs {
		n += int(r.last - r.first + 1)
	}
	return n
}

// except gives the minutes of runs that are in no other run.
func except(runs, out []minutes) []minutes {
	if len(out) == 0 {
		return runs
	}
	var left []minutes
	for _, r := range runs {
		for _, o := range within(out, r) {
			if o.first > r.first {
				left = append(left, minutes{first: r.first, last: o.first - 1})
			}
			r.first = o.last + 1
		}
		if r.first <= r.last {
			left = append(left, r)
		}
	}
	return left
}

func holds(runs []minutes, minute int64) bool {
	at := sort.Search(len(runs), func(i int) bool { return runs[i].last >= minute })
	return at < len(runs) && runs[at].first <= minute
}
