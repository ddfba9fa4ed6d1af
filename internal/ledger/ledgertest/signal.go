package ledgertest

import "math/rand/v2"

// Signal is a family of metrics that every pod of a world exposes.
type Signal int

// Signals.
const (
	// Requests is the counter shop_requests_total by code.
	Requests Signal = iota
	// Pages is the classic histogram page_seconds by code, with the boundaries
	// 0.5, 1, 2.5, 4 and 10.
	Pages
	// Recommend is the counter nps_responses_total by group: promoter, passive
	// or detractor.
	Recommend
	// Ratings is the counters csat_rating_sum and csat_rating_count by channel,
	// for ratings from 1 to 5.
	Ratings
)

// form is what a label set of a signal looks like.
type form struct {
	counters []counter
	// lazy label sets are exposed from their first event on, others from the
	// start of the process.
	lazy bool
	// rate is the usual number of events a minute.
	rate float64
	// observe adds one event to the counters' values.
	observe func(rng *rand.Rand, values []float64)
}

type counter struct {
	name  string
	pairs []string
}

// boundaries are the upper bounds of the buckets of page_seconds, as short and
// as long text.
var boundaries = []struct{ short, long string }{
	{"0.5", "0.5"}, {"1", "1.0"}, {"2.5", "2.5"}, {"4", "4.0"}, {"10", "10.0"}, {"+Inf", "+Inf"},
}

func (c Config) forms() []form {
	var out []form
	for _, signal := range c.Signals {
		switch signal {
		case Requests:
			out = append(out, simple("shop_requests_total", "code", "200", 20, false),
				simple("shop_requests_total", "code", "404", 1, true),
				simple("shop_requests_total", "code", "500", 0.2, true))
		case Pages:
			out = append(out, c.histogram("200", 10, false), c.histogram("500", 0.3, true))
		case Recommend:
			out = append(out, simple("nps_responses_total", "group", "promoter", 0.5, true),
				simple("nps_responses_total", "group", "passive", 0.3, true),
				simple("nps_responses_total", "group", "detractor", 0.2, true))
		case Ratings:
			out = append(out, rating("chat", 0.4), rating("phone", 0.1))
		}
	}
	return out
}

func simple(name, label, value string, rate float64, lazy bool) form {
	return form{
		counters: []counter{{name, []string{label, value}}}, lazy: lazy, rate: rate,
		observe: func(_ *rand.Rand, values []float64) { values[0]++ },
	}
}

// histogram is a count, followed by cumulative buckets.
func (c Config) histogram(code string, rate float64, lazy bool) form {
	f := form{counters: []counter{{"page_seconds_count", []string{"code", code}}}, lazy: lazy, rate: rate}
	for _, boundary := range boundaries {
		le := boundary.short
		if c.LongLE {
			le = boundary.long
		}
		f.counters = append(f.counters, counter{"page_seconds_bucket", []string{"code", code, "le", le}})
	}
	f.observe = func(rng *rand.Rand, values []float64) {
		values[0]++
		for i := 1 + rng.IntN(len(boundaries)); i < len(values); i++ {
			values[i]++
		}
	}
	return f
}

func rating(channel string, rate float64) form {
	return form{
		counters: []counter{{"csat_rating_sum", []string{"channel", channel}}, {"csat_rating_count", []string{"channel", channel}}},
		lazy:     true, rate: rate,
		observe: func(rng *rand.Rand, values []float64) {
			values[0] += float64(1 + rng.IntN(5))
			values[1]++
		},
	}
}

// block is how long traffic keeps its strength.
const block = 20 * 60 * 1000

// strength is how strong traffic is at a moment: often none, sometimes a rush.
func (c Config) strength(at int64) float64 {
	switch x := rand.New(rand.NewPCG(c.Seed, uint64(at/block))).Float64(); {
	case x < 0.3:
		return 0
	case x < 0.9:
		return x
	default:
		return 5
	}
}
