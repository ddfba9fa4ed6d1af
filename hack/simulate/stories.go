package simulate

import "strconv"

// service is one workload of a story: what it is called, how many pods it has,
// and what happens in each of them.
type service struct {
	namespace, app string
	pods           int
	every          int  // scraped at each of so many steps
	renewed        bool // pods are replaced every day; otherwise the one pod restarts in place every Monday
	rhythm         rhythm
	streams        []stream
}

// Namespaces of the five stories.
const (
	LongHold    = "long-hold"
	AppMismatch = "app-mismatch"
	PhotoEditor = "photo-editor"
	Flight      = "flight"
	Laptop      = "laptop"
)

// web is a website: three pods, replaced one after the other every day at the
// busiest hour, scraped at every step.
func web(namespace, app string, streams ...stream) service {
	return service{namespace: namespace, app: app, pods: 3, every: 1, renewed: true, rhythm: allDay, streams: streams}
}

// exporter is one pod that speaks for a system elsewhere, scraped at each fourth
// step.
func exporter(namespace, app string, r rhythm, streams ...stream) service {
	return service{namespace: namespace, app: app, pods: 1, every: 4, rhythm: r, streams: streams}
}

// stories returns the services of all five customers.
func stories() []service {
	var all []service
	for _, story := range []func() []service{longHold, appMismatch, photoEditor, flight, laptop} {
		all = append(all, story()...)
	}
	return all
}

// longHold: the brand and its site are liked, the telephone is not. Ten minutes
// on hold, transferred, asked again, given up.
func longHold() []service {
	return []service{
		web(LongHold, "storefront",
			pageSpeed(600, 0.93, 0.80),
			tasks(90, 0.93, 0.90)),
		exporter(LongHold, "phone", officeHours,
			waits("cx_queue_wait_seconds", 28, []pair{{"outcome", "answered"}}, 0.06, 0.10, 0.20, 0.40),
			waits("cx_queue_wait_seconds", 12, []pair{{"outcome", "abandoned"}}, 0.02, 0.08, 0.20, 0.45),
			waits("cx_hold_seconds", 28, nil, 0.10, 0.12, 0.18, 0.35),
			share("cx_contacts_total", "cx_transfers_total", 28, 0.40, 0.48),
			share("cx_questions_total", "cx_first_contact_resolved_total", 28, 0.22, 0.19)),
		exporter(LongHold, "social", allDay,
			tally("cx_social_mentions_total", "sentiment", 30, nil,
				outcome{"positive", 0.72, 0.72}, outcome{"neutral", 0.20, 0.20}, outcome{"negative", 0.08, 0.08})),
	}
}

// appMismatch: signing up on the web is flawless, the app is not what the web
// promised.
func appMismatch() []service {
	return []service{
		web(AppMismatch, "signup",
			pageSpeed(500, 0.96, 0.90),
			tasks(60, 0.97, 0.95)),
		exporter(AppMismatch, "mobile-app", allDay,
			share("ux_active_users_total", "ux_crashed_users_total", 120, 0.028, 0.034),
			histogram("ux_app_start_seconds", 90, []pair{{"type", "cold"}},
				bucket{1, 0.75, 0.10, 0.06}, bucket{2, 1.5, 0.25, 0.20}, bucket{5, 3.5, 0.47, 0.44},
				bucket{10, 7, 0.14, 0.22}, bucket{inf, 14, 0.04, 0.08}),
			ratings("cx_review_score", 6, 0.46, 0.24, 0.12, 0.10, 0.08),
			share("cx_subscriptions_total", "cx_churned_total", 10, 0.12, 0.12)),
	}
}

// photoEditor: nobody finds the feature, and one friendly call puts it right.
func photoEditor() []service {
	return []service{
		web(PhotoEditor, "editor",
			tasks(80, 0.58, 0.53),
			tally("ux_search_total", "outcome", 70, nil,
				outcome{"success", 0.52, 0.48}, outcome{"failure", 0.48, 0.52})),
		exporter(PhotoEditor, "support", officeHours,
			histogram("cx_first_response_seconds", 20, nil,
				bucket{60, 40, 0.62, 0.55}, bucket{120, 90, 0.35, 0.40}, bucket{300, 200, 0.02, 0.03},
				bucket{3600, 900, 0.01, 0.02}, bucket{inf, 5400, 0, 0}),
			share("cx_questions_total", "cx_first_contact_resolved_total", 20, 0.96, 0.94),
			satisfaction(9, nil, 0.01, 0.01, 0.02, 0.26, 0.70)),
	}
}

// flight: booked in minutes, then an hour at a counter with rude staff.
func flight() []service {
	return []service{
		web(Flight, "booking",
			pageSpeed(500, 0.94, 0.84),
			requests(900, "200", 0.92, 0.84),
			requests(3, "500", 0.90, 0.90),
			tasks(70, 0.94, 0.92),
			histogram("ux_booking_seconds", 60, nil,
				bucket{300, 200, 0.55, 0.50}, bucket{600, 450, 0.42, 0.44}, bucket{inf, 900, 0.03, 0.06})),
		exporter(Flight, "website-probe", allDay, reading("probe_success", 0.0008)),
		exporter(Flight, "airport", allDay,
			waits("cx_onsite_wait_seconds", 60, nil, 0.06, 0.10, 0.30, 0.25),
			satisfaction(12, nil, 0.22, 0.16, 0.14, 0.28, 0.20)),
	}
}

// laptop: one in five is defective; the maker answers at once and sends a
// technician.
func laptop() []service {
	return []service{
		web(Laptop, "shop",
			pageSpeed(400, 0.93, 0.84),
			tally("cx_orders_total", "otif", 8, nil,
				outcome{"true", 0.975, 0.97}, outcome{"false", 0.025, 0.03})),
		exporter(Laptop, "devices", allDay,
			share("ux_devices_activated_total", "ux_device_faults_total", 15, 0.20, 0.20)),
		exporter(Laptop, "support", allDay,
			histogram("cx_first_response_seconds", 16, nil,
				bucket{300, 120, 0.60, 0.55}, bucket{900, 600, 0.30, 0.33}, bucket{3600, 1800, 0.095, 0.11},
				bucket{14400, 7200, 0.005, 0.01}, bucket{inf, 20000, 0, 0}),
			histogram("cx_resolution_seconds", 14, nil,
				bucket{14400, 9000, 0.45, 0.40}, bucket{86400, 40000, 0.53, 0.565}, bucket{inf, 120000, 0.02, 0.035}),
			tally("cx_nps_responses_total", "group", 6, nil,
				outcome{"promoter", 0.66, 0.66}, outcome{"passive", 0.20, 0.20}, outcome{"detractor", 0.14, 0.14}),
			satisfaction(0.05, []pair{{"channel", "technician"}}, 0.02, 0.03, 0.05, 0.30, 0.60)),
	}
}

// pageSpeed is the largest contentful paint of page views, of which the given
// shares show their main content within 2.5 s.
func pageSpeed(peak, quiet, busy float64) stream {
	return histogram("web_vitals_lcp_seconds", peak, nil,
		bucket{1, 0.75, quiet * 0.4, busy * 0.3}, bucket{2.5, 1.75, quiet * 0.6, busy * 0.7},
		bucket{4, 3, (1 - quiet) * 0.7, (1 - busy) * 0.7}, bucket{inf, 6, (1 - quiet) * 0.3, (1 - busy) * 0.3})
}

// requests are answers of a web server with one status code, of which the given
// shares come within 250 ms; half of the others take up to a second.
func requests(peak float64, code string, quiet, busy float64) stream {
	return histogram("http_server_request_duration_seconds", peak, []pair{{"http_response_status_code", code}},
		bucket{0.1, 0.0625, quiet * 0.7, busy * 0.6}, bucket{0.25, 0.1875, quiet * 0.3, busy * 0.4},
		bucket{1, 0.5, (1 - quiet) * 0.9, (1 - busy) * 0.9}, bucket{inf, 2, (1 - quiet) * 0.1, (1 - busy) * 0.1})
}

// tasks are attempts at what people came for, of which the given shares succeed.
func tasks(peak, quiet, busy float64) stream {
	return tally("ux_task_total", "outcome", peak, nil,
		outcome{"success", quiet, busy}, outcome{"failure", 1 - quiet, 1 - busy})
}

// waits are seconds spent waiting: shares within 20 s, 120 s, 300 or 600 s and
// 900 s; what is left waits longer.
func waits(family string, peak float64, labels []pair, short, fair, long, longer float64) stream {
	rest := 1 - short - fair - long - longer
	return histogram(family, peak, labels,
		bucket{20, 12, short, short * 0.8}, bucket{120, 80, fair, fair * 0.8},
		bucket{600, 450, long, long}, bucket{900, 750, longer, longer},
		bucket{inf, 1200, rest, rest + (short+fair)*0.2})
}

// satisfaction is a survey from 1 to 5; shares[i] choose i+1.
func satisfaction(peak float64, labels []pair, shares ...float64) stream {
	outcomes := make([]outcome, len(shares))
	for i, p := range shares {
		outcomes[i] = outcome{strconv.Itoa(i + 1), p, p}
	}
	return tally("cx_csat_responses_total", "rating", peak, labels, outcomes...)
}
