package simulate

import (
	"context"
	"crypto/sha256"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// monday is the end of history in these tests, seven hours after the weekly
// restart and three after the daily rollout.
var monday = time.Date(2026, time.March, 2, 16, 3, 7, 0, time.UTC)

func parseBound(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// openHistory writes the day before monday and opens the blocks with the real TSDB.
func openHistory(t *testing.T, w *World) storage.Queryable {
	t.Helper()
	dir := t.TempDir()
	if err := w.WriteHistory(dir, monday, 1, 15*time.Second, nil); err != nil {
		t.Fatal(err)
	}
	options := tsdb.DefaultOptions()
	options.RetentionDuration = 0
	db, err := tsdb.Open(dir, promslog.NewNopLogger(), nil, options, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if got := len(db.Blocks()); got != 2 {
		t.Fatalf("want one block for each of two begun days, got %d", got)
	}
	return db
}

// walk gives every series with its samples.
func walk(t *testing.T, db storage.Queryable, visit func(l labels.Labels, it chunkenc.Iterator)) {
	t.Helper()
	q, err := db.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = q.Close() }()
	set := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, ".+"))
	for set.Next() {
		visit(set.At().Labels(), set.At().Iterator(nil))
	}
	if set.Err() != nil {
		t.Fatal(set.Err())
	}
}

// TestTotalIsWhatTheBlocksHold counts every counter's movement in the blocks,
// restarts included, and compares it with the account.
func TestTotalIsWhatTheBlocksHold(t *testing.T) {
	w := New(7)
	db := openHistory(t, w) // over the Monday restart
	got := map[string]float64{}
	walk(t, db, func(l labels.Labels, it chunkenc.Iterator) {
		name := l.Get(model.MetricNameLabel)
		if name == "up" || name == startTime || gauges()[name] {
			return
		}
		key := []string{name, "namespace=" + l.Get("namespace"), "app=" + l.Get("app")}
		for _, own := range []string{"le", "outcome", "type", "sentiment", "rating", "group", "otif", "channel", "place", "task", "http_response_status_code"} {
			if v := l.Get(own); v != "" {
				key = append(key, own+"="+v)
			}
		}
		got[account(key)] += movement(it)
	})
	want := map[string]float64{}
	for key, v := range w.totals {
		want[account(strings.Split(key, "\x00"))] = v
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events by series: -account, +blocks:\n%s", diff)
	}
}

// gauges are the metrics that have no total.
func gauges() map[string]bool {
	out := map[string]bool{}
	for _, s := range stories() {
		for _, st := range s.streams {
			if st.kind == "gauge" {
				out[st.family] = true
			}
		}
	}
	return out
}

// movement adds up what a counter moved, from zero on and over resets.
func movement(it chunkenc.Iterator) float64 {
	last, moved := 0.0, 0.0
	for it.Next() != chunkenc.ValNone {
		_, v := it.At()
		if value.IsStaleNaN(v) {
			continue
		}
		if v < last {
			last = 0
		}
		moved, last = moved+v-last, v
	}
	return moved
}

// account is a key that does not depend on the order of labels.
func account(parts []string) string {
	slices.Sort(parts[1:])
	return strings.Join(parts, " ")
}

// delta is the operator's counting rule for one minute, as its design states it.
const delta = `sum(sum_over_time((sum(
  (((X or last_over_time(X[1m])) - (X offset 1m)) >= 0)
  or (X and on (job, instance) ((up offset 1m == 1) or (process_start_time_seconds > time() - 300)))
  or (X - min_over_time(X[1m]))
))[1d1h:1m]))`

// TestPromQLFindsTheTotal lets Prometheus's own engine count the history.
func TestPromQLFindsTheTotal(t *testing.T) {
	w := New(7)
	db := openHistory(t, w)
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 50_000_000, Timeout: 10 * time.Minute, LookbackDelta: 5 * time.Minute})
	count := func(t *testing.T, expr string) float64 {
		t.Helper()
		q, err := engine.NewInstantQuery(context.Background(), db, nil, expr, monday)
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		vector, err := q.Exec(context.Background()).Vector()
		if err != nil || len(vector) != 1 {
			t.Fatalf("want one value, got %v, %v", vector, err)
		}
		return vector[0].F
	}
	cases := map[string]struct {
		reason string
		expr   string
		want   float64
	}{
		"LastValues": {
			reason: "a pod's last value is all it counted",
			expr:   `sum(last_over_time(web_vitals_lcp_seconds_count{namespace="flight"}[1d1h]))`,
			want:   w.Total("web_vitals_lcp_seconds_count", "namespace", Flight),
		},
		"Rollouts": {
			reason: "minutes add up to everything, over pods that come and go",
			expr:   strings.ReplaceAll(delta, "X", `web_vitals_lcp_seconds_bucket{namespace="long-hold",le="2.5"}`),
			want:   w.Total("web_vitals_lcp_seconds_bucket", "namespace", LongHold, "le", "2.5"),
		},
		"Restart": {
			reason: "minutes add up to everything, over a restart in place",
			expr:   strings.ReplaceAll(delta, "X", `cx_contacts_total{namespace="long-hold"}`),
			want:   w.Total("cx_contacts_total", "namespace", LongHold),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.want == 0 {
				t.Fatal("the account is empty")
			}
			if diff := cmp.Diff(c.want, count(t, c.expr)); diff != "" {
				t.Errorf("%s: -account, +PromQL:\n%s", c.reason, diff)
			}
		})
	}
}

// TestPodsEndWithMarkers looks at the ends of all series: those of replaced pods
// carry a staleness marker, those of living pods do not.
func TestPodsEndWithMarkers(t *testing.T) {
	w := New(7)
	db := openHistory(t, w)
	alive := map[string]bool{}
	for _, target := range w.Targets() {
		alive[target.Labels["namespace"]+"/"+target.Labels["pod"]] = true
	}
	replaced := 0
	walk(t, db, func(l labels.Labels, it chunkenc.Iterator) {
		last := 0.0
		for it.Next() != chunkenc.ValNone {
			_, last = it.At()
		}
		living := alive[l.Get("namespace")+"/"+l.Get("pod")]
		if value.IsStaleNaN(last) == living {
			t.Errorf("%s: alive %v, but last sample %v", l, living, last)
		}
		if !living && l.Get(model.MetricNameLabel) == "up" {
			replaced++
		}
	})
	if replaced != 18 {
		t.Errorf("want the three pods of six websites replaced once, got %d", replaced)
	}
}

func TestHistoryIsDeterministic(t *testing.T) {
	files := func(seed uint64) map[string][32]byte {
		dir := t.TempDir()
		if err := New(seed).WriteHistory(dir, monday, 1, time.Minute, nil); err != nil {
			t.Fatal(err)
		}
		sums := map[string][32]byte{}
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			sums[strings.TrimPrefix(path, dir)] = sha256.Sum256(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return sums
	}
	first := files(1)
	if len(first) == 0 {
		t.Fatal("no files written")
	}
	if diff := cmp.Diff(first, files(1)); diff != "" {
		t.Errorf("the same seed gave other files:\n%s", diff)
	}
	if cmp.Equal(first, files(2)) {
		t.Error("another seed gave the same files")
	}
}

func TestDaysBetween(t *testing.T) {
	midnight := time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)
	cases := map[string]struct {
		reason     string
		start, end time.Time
		want       []span
	}{
		"Nothing":  {reason: "no time, no block", start: monday, end: monday},
		"OneDay":   {reason: "from midnight to midnight", start: midnight, end: midnight.Add(24 * time.Hour), want: []span{{midnight, midnight.Add(24 * time.Hour)}}},
		"TwoParts": {reason: "begun days are blocks too, and none overlap", start: midnight.Add(-time.Hour), end: monday, want: []span{{midnight.Add(-time.Hour), midnight}, {midnight, monday}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := daysBetween(c.start, c.end)
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(span{})); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

func TestWriteHistoryReports(t *testing.T) {
	cases := map[string]struct {
		reason string
		dir    func(t *testing.T) string
		want   []int
		fails  bool
	}{
		"Progress": {reason: "each block is reported", dir: func(t *testing.T) string { return t.TempDir() }, want: []int{1, 2}},
		"NoFolder": {
			reason: "a file in the way is an error",
			dir: func(t *testing.T) string {
				path := filepath.Join(t.TempDir(), "file")
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				return path
			},
			fails: true,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got []int
			err := New(1).WriteHistory(c.dir(t), monday, 1, time.Minute, func(done, total int) {
				if total != 2 {
					t.Errorf("want two blocks in all, got %d", total)
				}
				got = append(got, done)
			})
			if (err != nil) != c.fails {
				t.Fatalf("%s: unexpected error %v", c.reason, err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}
