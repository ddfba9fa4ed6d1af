package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"

	"github.com/experience-slo/operator/internal/promql"
)

var midnight = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// recordOf makes a record of one sample each minute, half a minute late, of the
// given series: nil where it has none.
func recordOf(minutes int, series map[string]func(minute int) *float64) *Record {
	r := &Record{minutes: map[int64]recorded{}, buckets: table{}, grace: Grace}
	for name, value := range series {
		for n := 1; n <= minutes; n++ {
			if v := value(n); v != nil {
				at := midnight.Add(time.Duration(n)*time.Minute + 30*time.Second)
				r.put(name, []model.SamplePair{{Timestamp: model.TimeFromUnix(at.Unix()), Value: model.SampleValue(*v)}})
			}
		}
	}
	return r
}

func always(v float64) func(int) *float64 { return func(int) *float64 { return &v } }

func upTo(last int, v float64) func(int) *float64 {
	return func(n int) *float64 {
		if n > last {
			return nil
		}
		return &v
	}
}

func TestRecordSettle(t *testing.T) {
	at := func(minute int) time.Time { return midnight.Add(time.Duration(minute) * time.Minute) }
	cases := map[string]struct {
		reason string
		record *Record
		want   time.Time
	}{
		"None":    {reason: "Without a ruler nothing is late.", want: at(10)},
		"Current": {reason: "All is there.", record: recordOf(10, map[string]func(int) *float64{promql.RecordedResets: always(0)}), want: at(10)},
		"Late":    {reason: "Within the grace the last minutes are waited for.", record: recordOf(10, map[string]func(int) *float64{promql.RecordedResets: upTo(7, 0)}), want: at(7)},
		"Gone":    {reason: "After it they are read from raw data.", record: recordOf(10, map[string]func(int) *float64{promql.RecordedResets: upTo(6, 0)}), want: at(10)},
		"Never":   {reason: "A ruler that never recorded is not waited for.", record: recordOf(10, nil), want: at(10)},
		"Idle": {
			reason: "Events without the mark of an evaluation say nothing about the ruler.",
			record: recordOf(10, map[string]func(int) *float64{promql.RecordedEvents: always(1)}), want: at(10),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.record.settle(at(10))); diff != "" {
				t.Errorf("\n%s\nsettle(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestRecordSound(t *testing.T) {
	cases := map[string]struct {
		reason string
		record *Record
		want   bool
	}{
		"None":   {reason: "Nothing is known.", want: false},
		"Empty":  {reason: "Nothing was recorded yet.", record: recordOf(3, nil), want: false},
		"Idle":   {reason: "No events say nothing against a threshold.", record: recordOf(3, map[string]func(int) *float64{promql.RecordedResets: always(0), promql.RecordedEvents: always(0)}), want: true},
		"Earned": {reason: "Points were earned.", record: recordOf(3, map[string]func(int) *float64{promql.RecordedResets: always(0), promql.RecordedEvents: always(2), promql.RecordedPoints: upTo(1, 1)}), want: true},
		"Barren": {reason: "Events without any points may be a threshold that is no boundary.", record: recordOf(3, map[string]func(int) *float64{promql.RecordedResets: always(0), promql.RecordedEvents: always(2), promql.RecordedPoints: always(0)}), want: false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.record.Sound(); got != tc.want {
				t.Errorf("\n%s\nSound(): %t, want %t", tc.reason, got, tc.want)
			}
		})
	}
}

func TestRecordPage(t *testing.T) {
	marks := func(n int) *float64 {
		v := map[int]float64{1: 0, 2: 0, 3: 2, 5: -1, 6: 0}[n]
		if n == 4 {
			return nil
		}
		return &v
	}
	r := recordOf(6, map[string]func(int) *float64{
		promql.RecordedResets: marks,
		promql.RecordedEvents: upTo(4, 5), promql.RecordedPoints: upTo(4, 4), promql.RecordedExtra: upTo(4, 3),
	})
	out, lack := r.page(midnight, midnight.Add(6*time.Minute))
	second := func(minute int64) int64 { return midnight.Unix() + 60*minute }
	if got := []int64{lack.missing[0], lack.resets[0]}; len(lack.missing) != 1 || len(lack.resets) != 1 ||
		!cmp.Equal(got, []int64{second(4), second(3)}) || !lack.invalid {
		t.Errorf("page(...): minute 4 was not recorded, 3 had resets, 5 had NaN; got %+v", lack)
	}
	if len(out) != 2 || out[second(1)] != out[second(2)] || out[second(1)].sums.Aux != 3 || out[second(1)].covered != 1 {
		t.Errorf("page(...): minutes 1 and 2 have data, 6 has none; got %+v", out)
	}
}
