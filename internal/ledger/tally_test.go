package ledger_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/experience-slo/operator/internal/ledger/ledgertest"
)

// compared is how many worlds of each kind are compared with other methods.
const compared = 3

// tally is what the property test went through, and for some worlds what the
// usual methods give for the same data.
type tally struct {
	mu                               sync.Mutex
	worlds, events, queries, samples int64
	rows                             map[string][]string
}

func (t *tally) count(name string, c *trial) {
	queries, samples := c.store.Cost()
	from, to := c.world.Start.Truncate(time.Minute), c.world.End().Truncate(time.Minute)
	events := sumOf(c.truth.events, from, to)
	row := ""
	if events > 0 && to.Sub(from) > 2*time.Hour && c.policy == ledgertest.OnKnownTarget {
		row = c.row(from, to)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.worlds++
	t.events += int64(events)
	t.queries += queries
	t.samples += samples
	if t.rows == nil {
		t.rows = map[string][]string{}
	}
	if row != "" && len(t.rows[name]) < compared {
		t.rows[name] = append(t.rows[name], fmt.Sprintf("%-13s %s", name, row))
	}
}

// row compares the truth, which the book was found equal to, with increase()
// over the whole world and with the average of 5-minute ratios.
func (c *trial) row(from, to time.Time) string {
	c.store.Fail = nil
	span := fmt.Sprintf("%ds", int(to.Sub(from).Seconds()))
	increase := c.value("sum(increase("+c.kind.total+"["+span+"]))", to)
	ratio := c.value("avg_over_time(("+c.kind.ratio+")["+span+":1m])", to)
	busy := c.value("avg_over_time((("+c.kind.ratio+") >= 0)["+span+":1m])", to)
	points, events := sumOf(c.truth.points, from, to), sumOf(c.truth.events, from, to)
	return fmt.Sprintf("%7s %8s %6d %10.0f %12.1f %+7.1f%% %8.2f%% %8.2f%% %8.2f%%", to.Sub(from), c.world.Scrape,
		len(c.world.Incidents), events, increase, 100*(increase/events-1), 100*points/events, 100*ratio, 100*busy)
}

func (c *trial) value(expr string, at time.Time) float64 {
	v, err := c.store.Value(context.Background(), expr, at)
	if err != nil {
		c.Fatalf("Value(%s): %v", expr, err)
	}
	return v
}

// String prints the tally.
func (t *tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d worlds, %d events scraped, %d queries, %d samples read\n", t.worlds, t.events, t.queries, t.samples)
	b.WriteString("kind             length   scrape  incid     events   increase()     off    truth  5m avg  without NaN\n")
	for name := range kinds {
		for _, row := range t.rows[name] {
			b.WriteString(row + "\n")
		}
	}
	return b.String()
}
