package simulate

import (
	"fmt"
	"strconv"
)

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

// Namespaces of the five stories, and of the last one turned round.
const (
	LongHold          = "long-hold"
	AppMismatch       = "app-mismatch"
	PhotoEditor       = "photo-editor"
	Flight            = "flight"
	Laptop            = "laptop"
	LaptopTurnedRound = "laptop-turned-round"
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
	for _, story := range []func() []service{longHold, appMismatch, photoEditor, flight, laptop, laptopTurnedRound} {
		all = append(all, story()...)
	}
	return all
}

// longHold: the brand and its site are liked, the telephone is not. Ten minutes
// on hold, transferred, asked again, given up.
func longHold() []service {
	phone := []pair{{"channel", "phone"}}
	return []service{
		web(LongHold, "storefront",
			pageSpeed(600, 0.93, 0.80),
			tasks("order", 90, 0.93, 0.90)),
		exporter(LongHold, "phone", officeHours,
			waits("cx_queue_wait_seconds", 28, outcomeOf("answered", phone), 0.06, 0.10, 0.08, 0.25, 0.35),
			waits("cx_queue_wait_seconds", 12, outcomeOf("abandoned", phone), 0.02, 0.08, 0.10, 0.30, 0.35),
			waits("cx_hold_seconds", 28, phone, 0.10, 0.326, 0.07, 0.25, 0.20),
			share("cx_contacts_total", "cx_transfers_total", 28, phone, 0.40, 0.465)),
		exporter(LongHold, "help-desk", allDay, oneTouch(40, 200)...),
		exporter(LongHold, "social", allDay,
			tally("cx_social_mentions_total", "sentiment", 30, nil,
				outcome{"positive", 0.72, 0.72}, outcome{"neutral", 0.20, 0.20}, outcome{"negative", 0.08, 0.08})),
	}
}

// appMismatch: signing up on the web is flawless, the app is not what the web
// promised. Its users count themselves; its maker's console and the app store
// know of them too.
func appMismatch() []service {
	app := exporter(AppMismatch, "mobile-app", allDay,
		share("ux_active_users_total", "ux_crashed_users_total", 120, nil, 0.028, 0.034),
		histogram("ux_app_start_seconds", 90, []pair{{"type", "cold"}},
			bucket{1, 0.75, 0.10, 0.06}, bucket{2, 1.5, 0.25, 0.20}, bucket{5, 3.5, 0.455, 0.405},
			bucket{10, 7, 0.15, 0.24}, bucket{inf, 14, 0.045, 0.095}),
		ratings("cx_review_score", 6, 0.46, 0.24, 0.12, 0.10, 0.08),
		share("cx_renewals_total", "cx_churned_total", 10, []pair{{"channel", "app"}}, 0.12, 0.12),
		level("ux_active_users", 12_000, nil), level("ux_crashed_users", 372, nil))
	for i, ratings := range []float64{460, 240, 120, 100, 80} {
		app.streams = append(app.streams, level(fmt.Sprintf("appstores_ratings_%d_total", i+1), ratings, nil))
	}
	return []service{
		web(AppMismatch, "signup",
			pageSpeed(500, 0.96, 0.90),
			vital("web_vitals_inp_seconds", 500, [3]bucket{{0.2, 0.125, 0.95, 0.91}, {0.5, 0.375, 0.04, 0.07}, {inf, 1, 0.01, 0.02}}),
			vital("web_vitals_cls", 500, [3]bucket{{0.1, 0.0625, 0.94, 0.93}, {0.25, 0.1875, 0.04, 0.05}, {inf, 0.5, 0.02, 0.02}}),
			tasks("sign-up", 60, 0.97, 0.95)),
		app,
	}
}

// photoEditor: nobody finds the feature, and one friendly call puts it right.
func photoEditor() []service {
	phone := []pair{{"channel", "phone"}}
	return []service{
		web(PhotoEditor, "editor",
			tasks("edit", 80, 0.585, 0.533),
			tally("ux_search_total", "outcome", 70, nil,
				outcome{"success", 0.527, 0.487}, outcome{"failure", 0.473, 0.513})),
		exporter(PhotoEditor, "support", officeHours,
			histogram("cx_first_response_seconds", 20, phone,
				bucket{60, 40, 0.62, 0.55}, bucket{120, 90, 0.35, 0.40}, bucket{300, 200, 0.02, 0.03},
				bucket{3600, 900, 0.01, 0.02}, bucket{inf, 5400, 0, 0}),
			satisfaction(9, phone, 0.01, 0.01, 0.02, 0.26, 0.70)),
		exporter(PhotoEditor, "help-desk", allDay, oneTouch(190, 200)...),
	}
}

// flight: booked in minutes, then an hour at a counter with rude staff.
func flight() []service {
	return []service{
		web(Flight, "booking",
			pageSpeed(500, 0.94, 0.84),
			requests(900, "200", 0.92, 0.84),
			requests(3, "500", 0.90, 0.90),
			tasks("book", 70, 0.94, 0.92),
			histogram("ux_booking_seconds", 60, nil,
				bucket{300, 200, 0.55, 0.50}, bucket{600, 450, 0.42, 0.44}, bucket{inf, 900, 0.03, 0.06})),
		exporter(Flight, "website-probe", allDay, reading("probe_success", 0.0008)),
		exporter(Flight, "airport", allDay,
			waits("cx_onsite_wait_seconds", 60, []pair{{"place", "check-in"}}, 0.05, 0.09, 0.10, 0.18, 0.28),
			satisfaction(12, []pair{{"channel", "airport"}}, 0.22, 0.16, 0.14, 0.28, 0.20)),
	}
}

// laptop: one in five is defective; the maker answers at once and sends a
// technician, about whom hardly anybody answers a survey.
func laptop() []service {
	all := maker(Laptop, 0.20, support{
		response: []bucket{{300, 120, 0.60, 0.55}, {900, 600, 0.30, 0.33}, {3600, 1800, 0.095, 0.11}, {14400, 7200, 0.005, 0.01}, {inf, 20000, 0, 0}},
		repair:   []bucket{{14400, 9000, 0.45, 0.40}, {86400, 40000, 0.53, 0.565}, {inf, 120000, 0.02, 0.035}},
		promoter: 0.66, detractor: 0.14,
	})
	desk := &all[len(all)-1]
	desk.streams = append(desk.streams, satisfaction(0.05, []pair{{"channel", "technician"}}, 0.02, 0.03, 0.05, 0.30, 0.60))
	return all
}

// laptopTurnedRound: one in a hundred is defective, and whoever writes about it
// hears nothing for hours.
func laptopTurnedRound() []service {
	return maker(LaptopTurnedRound, 0.01, support{
		response: []bucket{{300, 120, 0.02, 0.02}, {900, 600, 0.05, 0.05}, {3600, 1800, 0.13, 0.13}, {14400, 7200, 0.20, 0.20}, {inf, 20000, 0.60, 0.60}},
		repair:   []bucket{{14400, 9000, 0.05, 0.05}, {86400, 40000, 0.25, 0.25}, {inf, 120000, 0.70, 0.70}},
		promoter: 0.25, detractor: 0.45,
	})
}

// support is what a maker's customers meet when they need help.
type support struct {
	response, repair    []bucket
	promoter, detractor float64
}

// maker sells laptops, of which a share is defective.
func maker(namespace string, faults float64, s support) []service {
	email := []pair{{"channel", "email"}}
	return []service{
		web(namespace, "shop",
			pageSpeed(400, 0.93, 0.84),
			tally("cx_orders_total", "otif", 8, []pair{{"channel", "shop"}},
				outcome{"true", 0.975, 0.97}, outcome{"false", 0.025, 0.03})),
		exporter(namespace, "devices", allDay,
			share("ux_devices_activated_total", "ux_device_faults_total", 15, nil, faults, faults)),
		exporter(namespace, "support", allDay,
			histogram("cx_first_response_seconds", 16, email, s.response...),
			histogram("cx_resolution_seconds", 14, email, s.repair...),
			tally("cx_nps_responses_total", "group", 6, []pair{{"channel", "survey"}},
				outcome{"promoter", s.promoter, s.promoter},
				outcome{"passive", 1 - s.promoter - s.detractor, 1 - s.promoter - s.detractor},
				outcome{"detractor", s.detractor, s.detractor})),
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

// vital is another measure of page views: good ones, tolerable ones and the rest.
func vital(family string, peak float64, buckets [3]bucket) stream {
	return histogram(family, peak, nil, buckets[:]...)
}

// tasks are attempts at what people came for, of which the given shares succeed.
func tasks(task string, peak, quiet, busy float64) stream {
	return tally("ux_task_total", "outcome", peak, []pair{{"task", task}},
		outcome{"success", quiet, busy}, outcome{"failure", 1 - quiet, 1 - busy})
}

// waits are seconds spent waiting: shares within 20 s, 120 s, 300 s, 600 s and
// 900 s; what is left waits longer.
func waits(family string, peak float64, labels []pair, short, fair, some, long, longer float64) stream {
	rest := 1 - short - fair - some - long - longer
	return histogram(family, peak, labels,
		bucket{20, 12, short, short * 0.8}, bucket{120, 80, fair, fair * 0.8},
		bucket{300, 200, some, some}, bucket{600, 450, long, long}, bucket{900, 750, longer, longer},
		bucket{inf, 1200, rest, rest + (short+fair)*0.2})
}

// outcomeOf adds how a wait ended to labels.
func outcomeOf(outcome string, labels []pair) []pair {
	return append([]pair{{"outcome", outcome}}, labels...)
}

// oneTouch are the gauges of a help desk: tickets that one answer settled, of
// those that it looked at.
func oneTouch(settled, sample float64) []stream {
	return []stream{
		level("zendesk_one_touch_tickets_last_30d", settled, nil),
		level("zendesk_sample_size", sample, []pair{{"window", "30d"}}),
	}
}

// satisfaction is a survey from 1 to 5; shares[i] choose i+1.
func satisfaction(peak float64, labels []pair, shares ...float64) stream {
	outcomes := make([]outcome, len(shares))
	for i, p := range shares {
		outcomes[i] = outcome{strconv.Itoa(i + 1), p, p}
	}
	return tally("cx_csat_responses_total", "rating", peak, labels, outcomes...)
}
