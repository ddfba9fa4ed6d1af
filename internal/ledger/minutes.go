package ledger

import "time"

// MostMinutes is how far back a book keeps minutes at the most: for the day that
// a gate may take, and another one in which no operator ran.
const MostMinutes = 2 * fine

// usual is how far back minutes are kept for the plan alone.
func (t Terms) usual() time.Duration {
	if t.Longest <= fine {
		return t.Longest
	}
	return recent
}

// Keep has the book keep minutes from further back, in whole days up to
// MostMinutes, so that few different needs make it grow once. Those that it has
// already stay; those before are not read again.
func (b *Book) Keep(back time.Duration) {
	b.reading.Lock() // a refresh under way has asked for the minutes that were kept
	defer b.reading.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.kept()
	if back <= old {
		return
	}
	back = min((back + fine - 1).Truncate(fine), MostMinutes)
	if back <= old {
		return
	}
	if known := b.cursor.Add(-old); !b.cursor.IsZero() && known.After(b.known) {
		b.known = known
	}
	b.regrow(int((back + b.terms.Grid.Width) / time.Minute))
}

// regrow makes the ring longer.
func (b *Book) regrow(n int) {
	old := b.minutes
	b.minutes = column{}
	b.minutes.grow(n, b.hasAux())
	if b.cursor.IsZero() {
		return
	}
	last, length := minuteOf(b.cursor), int64(old.len())
	for m := last - length + 1; m <= last; m++ {
		b.minutes.set(int(m%int64(n)), old.at(int(m%length)))
	}
}

// Between sums the whole minutes after start up to end, or up to the last that
// was read. It is false where the book does not hold all of them by the minute.
// A stretch that has not begun is empty.
func (b *Book) Between(start, end time.Time) (Stretch, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	start, end = start.Truncate(time.Minute), end.Truncate(time.Minute)
	if end.After(b.cursor) {
		end = b.cursor
	}
	switch {
	case b.cursor.IsZero() || !b.holds(start) || b.cursor.Sub(start) > b.kept():
		return Stretch{}, false
	case !end.After(start):
		return Stretch{Start: start, End: start}, true
	default:
		return b.sumMinutes(start, end), true
	}
}

// reaches says whether the book has read all since a moment by the minute, or
// will: an empty book reads what it is asked for.
func (b *Book) reaches(since time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cursor.IsZero() || b.holds(since)
}

func (b *Book) holds(since time.Time) bool {
	return !since.Before(b.began) && !since.Before(b.known)
}
