package ledger

import "github.com/experience-slo/operator/internal/slo"

// entry is what one minute or one bucket earned, and how many of its minutes
// have data.
type entry struct {
	sums    slo.Sums
	covered int
}

func (c *column) grow(n int, aux bool) {
	c.points = extend(c.points, n)
	c.events = extend(c.events, n)
	c.covered = extend(c.covered, n)
	if aux {
		c.aux = extend(c.aux, n)
	}
}

// extend appends n zeroes and reserves no more: the books are many and their
// lengths known.
func extend[T float64 | uint8](s []T, n int) []T {
	if len(s)+n <= cap(s) {
		grown := s[:len(s)+n]
		clear(grown[len(s):])
		return grown
	}
	grown := make([]T, len(s)+n, len(s)+n+1)
	copy(grown, s)
	return grown
}

func (c *column) set(i int, e entry) {
	c.points[i], c.events[i], c.covered[i] = 0, 0, 0
	if c.aux != nil {
		c.aux[i] = 0
	}
	c.add(i, e)
}

func (c *column) add(i int, e entry) {
	c.points[i] += e.sums.Points
	c.events[i] += e.sums.Events
	c.covered[i] += uint8(e.covered)
	if c.aux != nil {
		c.aux[i] += e.sums.Aux
	}
}

func (c *column) addTo(s *Stretch, i int) {
	s.Sums.Points += c.points[i]
	s.Sums.Events += c.events[i]
	s.Covered += int(c.covered[i])
	if c.aux != nil {
		s.Sums.Aux += c.aux[i]
	}
}

// drop forgets the first n.
func (c *column) drop(n int) {
	c.points = cut(c.points, n)
	c.events = cut(c.events, n)
	c.covered = cut(c.covered, n)
	if c.aux != nil {
		c.aux = cut(c.aux, n)
	}
}

func cut[T float64 | uint8](s []T, n int) []T {
	return s[:copy(s, s[n:])]
}

func (c *column) bytes() int {
	return 8*(cap(c.points)+cap(c.events)+cap(c.aux)) + cap(c.covered)
}
