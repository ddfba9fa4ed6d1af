package ledger

import "github.com/experience-slo/operator/internal/slo"

// entry is what one minute or one bucket earned, and how many of its minutes
// have data.
type entry struct {
	sums    slo.Sums
	covered int
}

// plus adds up two entries.
func (e entry) plus(o entry) entry {
	return entry{sums: e.sums.Add(o.sums), covered: e.covered + o.covered}
}

// column is a run of sums in parallel slices, which take less memory than a
// slice of structs where there is no third count.
type column struct {
	points, events, aux figures
	covered             []uint8
}

func (c *column) len() int { return len(c.covered) }

func (c *column) grow(n int, aux bool) {
	c.points.grow(n)
	c.events.grow(n)
	c.covered = extend(c.covered, n)
	if aux {
		c.aux.grow(n)
	}
}

func (c *column) set(i int, e entry) {
	c.points.set(i, e.sums.Points)
	c.events.set(i, e.sums.Events)
	c.covered[i] = uint8(e.covered)
	if c.aux.len() > 0 {
		c.aux.set(i, e.sums.Aux)
	}
}

func (c *column) at(i int) entry {
	e := entry{covered: int(c.covered[i])}
	e.sums.Points, e.sums.Events = c.points.at(i), c.events.at(i)
	if c.aux.len() > 0 {
		e.sums.Aux = c.aux.at(i)
	}
	return e
}

func (c *column) add(i int, e entry) {
	c.points.set(i, c.points.at(i)+e.sums.Points)
	c.events.set(i, c.events.at(i)+e.sums.Events)
	c.covered[i] += uint8(e.covered)
	if c.aux.len() > 0 {
		c.aux.set(i, c.aux.at(i)+e.sums.Aux)
	}
}

func (c *column) addTo(s *Stretch, i int) {
	s.Sums.Points += c.points.at(i)
	s.Sums.Events += c.events.at(i)
	s.Covered += int(c.covered[i])
	if c.aux.len() > 0 {
		s.Sums.Aux += c.aux.at(i)
	}
}

// drop forgets the first n.
func (c *column) drop(n int) {
	c.points.drop(n)
	c.events.drop(n)
	c.covered = cut(c.covered, n)
	if c.aux.len() > 0 {
		c.aux.drop(n)
	}
}

func (c *column) bytes() int {
	return c.points.bytes() + c.events.bytes() + c.aux.bytes() + cap(c.covered)
}

// figures are numbers in half the memory, as long as each of them is exact
// there: counts below 16 million are, and so are halves and quarters of smaller
// ones. The first that is not moves all of them to float64.
type figures struct {
	narrow []float32
	wide   []float64
}

func (f *figures) len() int { return max(len(f.narrow), len(f.wide)) }

func (f *figures) at(i int) float64 {
	if f.wide != nil {
		return f.wide[i]
	}
	return float64(f.narrow[i])
}

func (f *figures) set(i int, v float64) {
	if f.wide == nil && float64(float32(v)) != v {
		f.widen()
	}
	if f.wide != nil {
		f.wide[i] = v
		return
	}
	f.narrow[i] = float32(v)
}

func (f *figures) widen() {
	f.wide = make([]float64, len(f.narrow))
	for i, v := range f.narrow {
		f.wide[i] = float64(v)
	}
	f.narrow = nil
}

func (f *figures) grow(n int) {
	if f.wide != nil {
		f.wide = extend(f.wide, n)
		return
	}
	f.narrow = extend(f.narrow, n)
}

// drop forgets the first n.
func (f *figures) drop(n int) {
	if f.wide != nil {
		f.wide = cut(f.wide, n)
		return
	}
	f.narrow = cut(f.narrow, n)
}

func (f *figures) bytes() int { return 4*cap(f.narrow) + 8*cap(f.wide) }

// extend appends n zeroes and reserves no more: the books are many and their
// lengths known.
func extend[T float32 | float64 | uint8](s []T, n int) []T {
	if len(s)+n <= cap(s) {
		grown := s[:len(s)+n]
		clear(grown[len(s):])
		return grown
	}
	grown := make([]T, len(s)+n, len(s)+n+1)
	copy(grown, s)
	return grown
}

func cut[T float32 | float64 | uint8](s []T, n int) []T {
	return s[:copy(s, s[n:])]
}
