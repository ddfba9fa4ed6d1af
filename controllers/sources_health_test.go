package controllers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/internal/source"
)

var morning = time.Date(2026, time.May, 4, 9, 0, 0, 0, time.UTC)

func TestSkewOf(t *testing.T) {
	const took = 2 * time.Second
	cases := map[string]struct {
		reason string
		server time.Duration
		want   time.Duration
	}{
		"Same":   {reason: "the server answered while it was asked", server: time.Second},
		"First":  {reason: "at once", server: 0},
		"Last":   {reason: "at last", server: took},
		"Behind": {reason: "before it was asked, by its clock", server: -time.Minute, want: -time.Minute},
		"Ahead":  {reason: "after it had answered", server: took + time.Minute, want: time.Minute},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := skewOf(morning.Add(tc.server), morning, morning.Add(took)); got != tc.want {
				t.Errorf("%s: got %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

// TestOverdue follows objectives that are not recorded: each gets three minutes
// from when it was first missing.
func TestOverdue(t *testing.T) {
	a, b := types.NamespacedName{Namespace: "shop", Name: "a"}, types.NamespacedName{Namespace: "shop", Name: "b"}
	steps := []struct {
		reason  string
		at      time.Duration
		missing []types.NamespacedName
		want    []string
	}{
		{reason: "new rules take a while", at: 0, missing: []types.NamespacedName{a}},
		{reason: "not yet", at: 3*time.Minute - time.Second, missing: []types.NamespacedName{a, b}},
		{reason: "the first one is late", at: 3 * time.Minute, missing: []types.NamespacedName{a, b}, want: []string{"shop/a"}},
		{reason: "and then the other", at: 6 * time.Minute, missing: []types.NamespacedName{a, b}, want: []string{"shop/a", "shop/b"}},
		{reason: "one that came is not missing", at: 7 * time.Minute, missing: []types.NamespacedName{b}, want: []string{"shop/b"}},
		{reason: "and gets its time again", at: 8 * time.Minute, missing: []types.NamespacedName{a, b}, want: []string{"shop/b"}},
		{reason: "none is", at: 20 * time.Minute},
		{reason: "nothing is left of before", at: 21 * time.Minute, missing: []types.NamespacedName{a, b}},
	}
	h := &health{}
	for _, step := range steps {
		if diff := cmp.Diff(step.want, h.overdue(step.missing, morning.Add(step.at))); diff != "" {
			t.Errorf("%s, at %s: -want +got:\n%s", step.reason, step.at, diff)
		}
	}
}

// learned is what a check found out, in words that compare.
type learned struct {
	Version   string
	Retention source.Retention
	Skew      string
}

// TestLearn has a server tell all, fail for once, and no longer tell.
func TestLearn(t *testing.T) {
	var failing atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if code := int(failing.Load()); code != 0 {
			http.Error(w, "not now", code)
			return
		}
		data := map[string]string{
			"buildinfo": `{"version":"3.11.3"}`, "runtimeinfo": `{"storageRetention":"15d"}`,
			"query": fmt.Sprintf(`{"resultType":"scalar","result":[1,"%d"]}`, morning.Add(time.Hour).Unix()),
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"status":"success","data":%s}`, data[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]])
	}))
	t.Cleanup(server.Close)
	client, err := source.New(source.Config{Name: "shop", URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)

	all := learned{Version: "3.11.3", Retention: source.Retention{Text: "15d", Time: 15 * 24 * time.Hour}, Skew: "1h0m0s"}
	steps := []struct {
		reason string
		code   int
		want   learned
	}{
		{reason: "it fails at first", code: http.StatusServiceUnavailable},
		{reason: "it tells all", want: all},
		{reason: "a failure says nothing of what was told", code: http.StatusServiceUnavailable, want: all},
		{reason: "nor does a wish for fewer questions", code: http.StatusTooManyRequests, want: all},
		{reason: "another server may be there, which does not tell", code: http.StatusNotFound},
		{reason: "or this one forbids to ask", code: http.StatusForbidden},
	}
	var before *checkup
	for _, step := range steps {
		failing.Store(int64(step.code))
		found := &checkup{}
		found.learn(t.Context(), client, before, func() time.Time { return morning })
		got := learned{Version: found.version, Retention: found.retention}
		if found.skew != nil {
			got.Skew = found.skew.String()
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", step.reason, diff)
		}
		before = found
	}
}
