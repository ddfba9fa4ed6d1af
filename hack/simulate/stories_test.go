package simulate

import (
	"math"
	"testing"
	"time"
)

func TestOutcomesAreComplete(t *testing.T) {
	for _, s := range stories() {
		for _, st := range s.streams {
			quiet, busy := 0.0, 0.0
			for _, o := range st.outcomes {
				if min(o.quiet, o.busy) < 0 || max(o.quiet, o.busy) > 1 {
					t.Errorf("%s/%s %s: outcome %q is no share: %+v", s.namespace, s.app, st.family, o.name, o)
				}
				quiet, busy = quiet+o.quiet, busy+o.busy
			}
			if math.Abs(quiet-1) > 1e-9 || math.Abs(busy-1) > 1e-9 {
				t.Errorf("%s/%s %s: shares add up to %v quiet and %v busy, want 1", s.namespace, s.app, st.family, quiet, busy)
			}
		}
	}
}

func TestHistogramValuesFitTheirBuckets(t *testing.T) {
	for _, s := range stories() {
		for _, st := range s.streams {
			if st.kind != "histogram" {
				continue
			}
			sum, below := st.series[len(st.outcomes)], 0.0
			for k, v := range sum.weights {
				le := inf
				if k < len(sum.weights)-1 {
					le = parseBound(t, st.outcomes[k].name)
				}
				if v <= below || v > le {
					t.Errorf("%s/%s %s: %v lies outside its bucket (%v, %v]", s.namespace, s.app, st.family, v, below, le)
				}
				if v*64 != math.Trunc(v*64) {
					t.Errorf("%s/%s %s: %v is no 64th, so its sums would not be exact", s.namespace, s.app, st.family, v)
				}
				below = le
			}
		}
	}
}

func TestStoriesComeOutAsTold(t *testing.T) {
	w := New(1)
	// Whole weeks, because every weekday has its own load; coarse, because counts
	// do not depend on how often they are looked at.
	if err := w.WriteHistory(t.TempDir(), monday, 14, 2*time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	const lcp, hold, queue, start = "web_vitals_lcp_seconds", "cx_hold_seconds", "cx_queue_wait_seconds", "ux_app_start_seconds"
	cases := map[string]struct {
		reason      string
		part, whole []string // metric, then namespace, then further labels
		low, high   float64
	}{
		"HoldPages":       {"her site is fast", []string{lcp + "_bucket", LongHold, "le", "2.5"}, []string{lcp + "_count", LongHold}, 0.80, 0.90},
		"HoldTasks":       {"her site is easy", []string{"ux_task_total", LongHold, "outcome", "success"}, []string{"ux_task_total", LongHold}, 0.88, 0.95},
		"HoldTimes":       {"one in three is on hold for less than two minutes", []string{hold + "_bucket", LongHold, "le", "120.0"}, []string{hold + "_count", LongHold}, 0.33, 0.39},
		"HoldQueueShort":  {"few wait for less than five minutes", []string{queue + "_bucket", LongHold, "le", "300.0"}, []string{queue + "_count", LongHold}, 0.2, 0.25},
		"HoldQueueLong":   {"mostly they wait for five minutes to fifteen", []string{queue + "_bucket", LongHold, "le", "900.0"}, []string{queue + "_count", LongHold}, 0.8, 0.85},
		"HoldMentions":    {"the brand is liked", []string{"cx_social_mentions_total", LongHold, "sentiment", "negative"}, []string{"cx_social_mentions_total", LongHold}, 0.06, 0.1},
		"HoldTransfers":   {"45% are transferred", []string{"cx_transfers_total", LongHold}, []string{"cx_contacts_total", LongHold}, 0.43, 0.47},
		"HoldAbandonment": {"30% give up", []string{"cx_queue_wait_seconds_count", LongHold, "outcome", "abandoned"}, []string{"cx_queue_wait_seconds_count", LongHold}, 0.27, 0.33},
		"AppPages":        {"signing up is flawless", []string{lcp + "_bucket", AppMismatch, "le", "2.5"}, []string{lcp + "_count", AppMismatch}, 0.88, 0.96},
		"AppCrashes":      {"the app crashes for three in a hundred", []string{"ux_crashed_users_total", AppMismatch}, []string{"ux_active_users_total", AppMismatch}, 0.025, 0.04},
		"AppStarts":       {"the app starts slowly", []string{start + "_bucket", AppMismatch, "le", "5.0"}, []string{start + "_count", AppMismatch}, 0.69, 0.73},
		"AppStars":        {"about two stars", []string{"cx_review_score_sum", AppMismatch}, []string{"cx_review_score_count", AppMismatch}, 2.0, 2.2},
		"AppChurn":        {"12% cancel", []string{"cx_churned_total", AppMismatch}, []string{"cx_renewals_total", AppMismatch}, 0.10, 0.14},
		"PhotoTasks":      {"55% get it done", []string{"ux_task_total", PhotoEditor, "outcome", "success"}, []string{"ux_task_total", PhotoEditor}, 0.52, 0.58},
		"PhotoSearch":     {"half of the searches fail", []string{"ux_search_total", PhotoEditor, "outcome", "success"}, []string{"ux_search_total", PhotoEditor}, 0.47, 0.53},
		"PhotoResponse":   {"an answer within two minutes", []string{"cx_first_response_seconds_bucket", PhotoEditor, "le", "120.0"}, []string{"cx_first_response_seconds_count", PhotoEditor}, 0.93, 0.98},
		"PhotoUnhappy":    {"4% are not satisfied", []string{"cx_csat_responses_total", PhotoEditor, "rating", "3"}, []string{"cx_csat_responses_total", PhotoEditor}, 0.01, 0.03},
		"FlightWaits":     {"60% wait more than ten minutes", []string{"cx_onsite_wait_seconds_bucket", Flight, "le", "600.0"}, []string{"cx_onsite_wait_seconds_count", Flight}, 0.38, 0.42},
		"FlightBooking":   {"booked within ten minutes", []string{"ux_booking_seconds_bucket", Flight, "le", "600.0"}, []string{"ux_booking_seconds_count", Flight}, 0.93, 0.98},
		"LaptopFaults":    {"one in five is defective", []string{"ux_device_faults_total", Laptop}, []string{"ux_devices_activated_total", Laptop}, 0.18, 0.22},
		"LaptopResponse":  {"99% hear back within the hour", []string{"cx_first_response_seconds_bucket", Laptop, "le", "3600.0"}, []string{"cx_first_response_seconds_count", Laptop}, 0.98, 1},
		"LaptopRepair":    {"97% are repaired within a day", []string{"cx_resolution_seconds_bucket", Laptop, "le", "86400.0"}, []string{"cx_resolution_seconds_count", Laptop}, 0.96, 0.98},
		"TurnedFaults":    {"turned round, one in a hundred is defective", []string{"ux_device_faults_total", LaptopTurnedRound}, []string{"ux_devices_activated_total", LaptopTurnedRound}, 0.005, 0.015},
		"TurnedResponse":  {"and one in five hears back within the hour", []string{"cx_first_response_seconds_bucket", LaptopTurnedRound, "le", "3600.0"}, []string{"cx_first_response_seconds_count", LaptopTurnedRound}, 0.18, 0.22},
		"TurnedRepair":    {"three in ten within a day", []string{"cx_resolution_seconds_bucket", LaptopTurnedRound, "le", "86400.0"}, []string{"cx_resolution_seconds_count", LaptopTurnedRound}, 0.27, 0.33},
		"TurnedCritics":   {"nearly half would warn of it", []string{"cx_nps_responses_total", LaptopTurnedRound, "group", "detractor"}, []string{"cx_nps_responses_total", LaptopTurnedRound}, 0.41, 0.49},
		"LaptopPromoters": {"two thirds would recommend it", []string{"cx_nps_responses_total", Laptop, "group", "promoter"}, []string{"cx_nps_responses_total", Laptop}, 0.63, 0.69},
		"LaptopCritics":   {"one in seven would not", []string{"cx_nps_responses_total", Laptop, "group", "detractor"}, []string{"cx_nps_responses_total", Laptop}, 0.11, 0.17},
	}
	total := func(of []string) float64 {
		return w.Total(of[0], append([]string{"namespace", of[1]}, of[2:]...)...)
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := total(c.part) / total(c.whole)
			if !(got >= c.low && got <= c.high) {
				t.Errorf("%s: want between %v and %v, got %v of %v", c.reason, c.low, c.high, got, total(c.whole))
			}
		})
	}
	if few := w.Total("cx_csat_responses_total", "channel", "technician"); few < 1 || few >= 60 {
		t.Errorf("a survey almost nobody answers: want 1 to 59 answers, got %v", few)
	}
}
