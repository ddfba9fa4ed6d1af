package ledger

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/experience-slo/operator/internal/slo"
)

// TestColumnIsExact does to a column what is done to plain slices of float64,
// with counts, halves and sums that only a float64 holds.
func TestColumnIsExact(t *testing.T) {
	value := rapid.OneOf(
		rapid.Map(rapid.IntRange(0, 1<<26), func(n int) float64 { return float64(n) }),
		rapid.Map(rapid.IntRange(0, 1000), func(n int) float64 { return float64(n) / 2 }),
		rapid.Float64Range(-10, 10),
	)
	rapid.Check(t, func(t *rapid.T) {
		aux := rapid.Bool().Draw(t, "aux")
		var c column
		var want []entry
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			step := rapid.SampledFrom([]string{"grow", "set", "add", "add", "drop"}).Draw(t, "step")
			if len(want) == 0 {
				step = "grow"
			}
			e := entry{sums: slo.Sums{Points: value.Draw(t, "points"), Events: value.Draw(t, "events")}, covered: 1}
			if aux {
				e.sums.Aux = value.Draw(t, "aux value")
			}
			i := rapid.IntRange(0, max(len(want)-1, 0)).Draw(t, "i")
			switch step {
			case "grow":
				n := rapid.IntRange(1, 5).Draw(t, "n")
				c.grow(n, aux)
				want = append(want, make([]entry, n)...)
			case "set":
				c.set(i, e)
				want[i] = e
			case "add":
				c.add(i, e)
				want[i] = entry{sums: want[i].sums.Add(e.sums), covered: want[i].covered + 1}
			case "drop":
				c.drop(i)
				want = want[i:]
			}
			compareColumn(t, &c, want)
		}
	})
}

func compareColumn(t *rapid.T, c *column, want []entry) {
	if c.len() != len(want) {
		t.Fatalf("len(): %d, want %d", c.len(), len(want))
	}
	for i, e := range want {
		var got Stretch
		c.addTo(&got, i)
		if got.Sums != e.sums || got.Covered != e.covered {
			t.Fatalf("%d: %+v, want %+v", i, got, e)
		}
	}
}

func TestFiguresAreNarrowWhileExact(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   []float64
		want   int // bytes
	}{
		"Counts":   {reason: "Counts are exact.", args: []float64{1, 2, 1 << 24}, want: 4 * 4},
		"Halves":   {reason: "So are halves.", args: []float64{0.5, 1000.5, 3}, want: 4 * 4},
		"Large":    {reason: "A large odd count needs more.", args: []float64{1, 1<<24 + 1, 2}, want: 8 * 3},
		"Fraction": {reason: "So does a third.", args: []float64{1, 1. / 3, 2}, want: 8 * 3},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var f figures
			f.grow(len(tc.args))
			for i, v := range tc.args {
				f.set(i, v)
			}
			for i, v := range tc.args {
				if got := f.at(i); math.Abs(got-v) > 0 {
					t.Errorf("\n%s\nat(%d): %v, want %v", tc.reason, i, got, v)
				}
			}
			if got := f.bytes(); got != tc.want {
				t.Errorf("\n%s\nbytes(): %d, want %d", tc.reason, got, tc.want)
			}
		})
	}
}
