package simulate

import (
	"math"
	"time"
)

// rhythm says how busy a service is at a moment, as a share of its busiest.
type rhythm func(t time.Time) float64

// weekly is how busy each day is, Sunday first.
var weekly = [7]float64{0.6, 1, 0.95, 0.95, 0.95, 1, 0.75}

// allDay is a service open round the clock: busiest at one in the afternoon
// (UTC), nearly asleep at one at night.
func allDay(t time.Time) float64 {
	t = t.UTC()
	hour := float64(t.Hour()) + float64(t.Minute())/60
	wave := 0.5 - 0.5*math.Cos(2*math.Pi*(hour-1)/24)
	return weekly[t.Weekday()] * (0.06 + 0.94*wave)
}

// officeHours is a desk that answers from eight to eight (UTC); outside there is
// not one event, which is neither good nor bad.
func officeHours(t time.Time) float64 {
	if hour := t.UTC().Hour(); hour < 8 || hour >= 20 {
		return 0
	}
	return allDay(t)
}
