package stories

import (
	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/simulate"
)

// Story is what the objects of one customer have to say.
type Story struct {
	// Namespace is where they are, and the name of their folder.
	Namespace string
	// Journey is its name.
	Journey string
	// Verdict, Pattern and Weakest are what its status says.
	Verdict v1alpha1.JourneyVerdict
	Pattern v1alpha1.JourneyPattern
	Weakest v1alpha1.Label
	// UX and CX are the scores.
	UX, CX Figure
	// Promises are all of its objectives by name.
	Promises map[string]Promise
}

// Figure is a number in the unit in which it is shown, and how far from it is near
// enough. Traffic follows from the time that a run begins at, so a margin is five
// standard errors of two weeks or more.
type Figure struct{ About, Within float64 }

// Promise is what an objective has to say.
type Promise struct {
	// Kept is whether it is met.
	Kept bool
	// Attainment is the figure that shows it.
	Attainment Figure
}

// kept is a promise that holds.
func kept(about, within float64) Promise {
	return Promise{Kept: true, Attainment: Figure{about, within}}
}

// broken is one that does not.
func broken(about, within float64) Promise { return Promise{Attainment: Figure{about, within}} }

// whole is a score from which nothing is missing.
var whole = Figure{About: 100}

// All are the five stories in the order in which they are told, and the last one
// turned round.
func All() []Story {
	return []Story{longHold(), appMismatch(), photoEditor(), flight(), laptop(), laptopTurnedRound()}
}

// longHold is a perfect site, and ten minutes on hold.
func longHold() Story {
	return Story{
		Namespace: simulate.LongHold, Journey: "question",
		Verdict: v1alpha1.JourneyBroken, Pattern: v1alpha1.PatternGoodProductPoorService, Weakest: "support",
		UX: whole, CX: Figure{28.6, 0.1},
		Promises: map[string]Promise{
			"social-mood":              kept(92, 2),
			"page-speed":               kept(84.3, 1),
			"task-success":             kept(91, 1),
			"hold-time":                broken(36, 4),
			"transfers":                broken(55, 4),
			"abandonment":              broken(70, 4),
			"first-contact-resolution": broken(20, 0.1),
		},
	}
}

// appMismatch is a flawless website before an app that is not.
func appMismatch() Story {
	return Story{
		Namespace: simulate.AppMismatch, Journey: "subscription",
		Verdict: v1alpha1.JourneyBroken, Pattern: v1alpha1.PatternBrokenJourney, Weakest: "app",
		UX: Figure{74.8, 2.2}, CX: Figure{36.7, 0.1},
		Promises: map[string]Promise{
			"page-speed":       kept(92, 1),
			"responsiveness":   kept(92.3, 1),
			"stability":        kept(93.3, 1),
			"sign-up":          kept(95.7, 1),
			"crash-free-users": broken(96.9, 0.1),
			"cold-start":       broken(71, 2),
			"reviews":          broken(27.5, 0.1),
			"churn":            broken(88, 5),
		},
	}
}

// photoEditor is a feature that nobody finds, and a friendly call.
func photoEditor() Story {
	return Story{
		Namespace: simulate.PhotoEditor, Journey: "edit-a-photo",
		Verdict: v1alpha1.JourneyDegraded, Pattern: v1alpha1.PatternPoorProductGoodService, Weakest: "edit",
		UX: Figure{62.5, 1.8}, CX: Figure{81.3, 0.9},
		Promises: map[string]Promise{
			"task-success":             broken(55, 1.3),
			"search-success":           broken(50, 1.4),
			"first-response":           kept(95.5, 2.5),
			"first-contact-resolution": kept(95, 0.1),
			"satisfaction":             kept(96, 3),
		},
	}
}

// flight is booked in minutes, and begins with an hour at a counter.
func flight() Story {
	return Story{
		Namespace: simulate.Flight, Journey: "flight",
		Verdict: v1alpha1.JourneyBroken, Pattern: v1alpha1.PatternGoodProductPoorService, Weakest: "airport",
		UX: whole, CX: Figure{44.6, 2.8},
		Promises: map[string]Promise{
			"page-speed":    kept(87.3, 1),
			"booking-apdex": kept(0.92, 0.02),
			"task-success":  kept(92.7, 1),
			"booking-time":  kept(95, 1),
			"website-up":    kept(99.9, 0.1),
			"check-in-wait": broken(40.1, 2.5),
			"satisfaction":  broken(48, 6),
		},
	}
}

// laptop is a device that fails, and a maker who answers at once.
func laptop() Story {
	return Story{
		Namespace: simulate.Laptop, Journey: "laptop",
		Verdict: v1alpha1.JourneyHolding, Pattern: v1alpha1.PatternPoorProductGoodService, Weakest: "device",
		UX: Figure{84.2, 4.5}, CX: whole,
		Promises: map[string]Promise{
			"page-speed":       kept(87, 1),
			"on-time-delivery": kept(97.2, 1.4),
			"device-faults":    broken(80, 4),
			"first-response":   kept(99, 1),
			"resolution":       kept(97, 2),
			"recommendation":   kept(52, 12),
		},
	}
}

// laptopTurnedRound is a device that does not fail, and a maker who is silent.
func laptopTurnedRound() Story {
	return Story{
		Namespace: simulate.LaptopTurnedRound, Journey: "laptop",
		Verdict: v1alpha1.JourneyBroken, Pattern: v1alpha1.PatternGoodProductPoorService, Weakest: "support",
		UX: whole, CX: Figure{22.2, 5},
		Promises: map[string]Promise{
			"page-speed":       kept(87, 1),
			"on-time-delivery": kept(97.2, 1.4),
			"device-faults":    kept(99, 1.1),
			"first-response":   broken(20, 4),
			"resolution":       broken(30, 5),
			"recommendation":   broken(-20, 13),
		},
	}
}
