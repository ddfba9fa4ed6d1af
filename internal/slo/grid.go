package slo

import "time"

// Grid is how the ledger cuts time into buckets, so that every calendar boundary of
// a window's zone falls on a bucket's edge. Bucket k covers the time after
// k·Width − Offset and up to (k+1)·Width − Offset, both counted from the Unix epoch.
// Width and Offset are whole seconds, and Offset is in [0, Width).
type Grid struct{ Width, Offset time.Duration }

// GridFor returns the widest grid of at most an hour that fits the window around
// now. A rolling window has no boundaries of its own and gets whole hours of UTC.
//
// A calendar window gets hours of its zone (in Asia/Kolkata they begin at half past
// in UTC), or less where the zone's offset changes by a fraction of an hour: half
// hours in Australia/Lord_Howe. It looks 400 days ahead and back, so the grid of a
// zone with a yearly clock change does not depend on the season; it changes only
// when a government moves the zone itself by a fraction of an hour, and then the
// ledger is rebuilt. Buckets never get shorter than a minute, which is as fine as
// anything is counted.
func GridFor(w Window, now time.Time) Grid {
	if w.Calendar == "" {
		return Grid{Width: time.Hour}
	}
	offsets := offsetsAround(now.In(w.location()))
	width := time.Hour
	for _, offset := range offsets {
		width = gcd(width, (offset - offsets[0]).Abs())
	}
	width = max(width, time.Minute)
	return Grid{Width: width, Offset: (offsets[0]%width + width) % width}
}

// offsetsAround lists the zone's UTC offsets in the longest window before and after
// now, in order of time.
func offsetsAround(now time.Time) []time.Duration {
	var offsets []time.Duration
	for at := now.Add(-MaxRolling); ; {
		_, seconds := at.Zone()
		offsets = append(offsets, time.Duration(seconds)*time.Second)
		_, end := at.ZoneBounds()
		if end.IsZero() || end.After(now.Add(MaxRolling)) {
			return offsets
		}
		at = end
	}
}

func gcd(a, b time.Duration) time.Duration {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Index returns the bucket of a minute that ends at t. A minute that ends exactly on
// an edge belongs to the bucket before it.
func (g Grid) Index(t time.Time) int64 {
	seconds := t.Unix() + int64(g.Offset/time.Second)
	if t.Nanosecond() > 0 {
		seconds++ // up to the next whole second: edges lie on whole seconds only
	}
	width := int64(g.Width / time.Second)
	return floorDiv(seconds-1, width)
}

// Start returns the edge after which bucket k begins, in UTC; Start(k+1) is where it
// ends.
func (g Grid) Start(k int64) time.Time {
	return time.Unix(k*int64(g.Width/time.Second)-int64(g.Offset/time.Second), 0).UTC()
}

func floorDiv(a, b int64) int64 {
	quotient := a / b
	if a%b < 0 {
		quotient--
	}
	return quotient
}
