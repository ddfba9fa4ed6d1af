package source

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// runtimeInfo is what Prometheus answers of itself.
func runtimeInfo(retention string) answer {
	return jsonAnswer(http.StatusOK, fmt.Sprintf(`{"status":"success","data":{"startTime":"2026-05-04T09:00:00Z","CWD":"/","reloadConfigSuccess":true,
		"lastConfigTime":"2026-05-04T09:00:00Z","corruptionCount":0,"goroutineCount":40,"GOMAXPROCS":2,"GOGC":"75","GODEBUG":"","storageRetention":%q}}`, retention))
}

func TestRetention(t *testing.T) {
	const day = 24 * time.Hour
	type want struct {
		Retention Retention
		Outcome   outcome
	}
	cases := map[string]struct {
		reason string
		args   answer
		want   want
	}{
		"Time":  {reason: "as most are run", args: runtimeInfo("15d"), want: want{Retention: Retention{"15d", 15 * day}}},
		"Weeks": {reason: "Prometheus writes whole weeks and years as such", args: runtimeInfo("4w"), want: want{Retention: Retention{"4w", 28 * day}}},
		"Years": {reason: "a long memory", args: runtimeInfo("2y"), want: want{Retention: Retention{"2y", 730 * day}}},
		"Both": {
			reason: "the size says nothing about time", args: runtimeInfo("15d or 10GiB"),
			want: want{Retention: Retention{"15d or 10GiB", 15 * day}},
		},
		"Size": {
			reason: "a size alone may be any time", args: runtimeInfo("10GiB"),
			want: want{Retention: Retention{Text: "10GiB"}},
		},
		"Three": {
			reason: "bounds that come later are no time either", args: runtimeInfo("15d or 10GiB or 80%"),
			want: want{Retention: Retention{"15d or 10GiB or 80%", 15 * day}},
		},
		"None": {reason: "not every server tells", args: runtimeInfo("")},
		"Elsewhere": {
			reason: "nor has every one the address",
			args:   answer{code: http.StatusNotFound, media: "text/plain", body: "404 page not found"},
			want:   want{Outcome: outcome{ReasonNotPrometheus, shop + " has no Prometheus API at this address (HTTP 404): check spec.url and its path prefix"}},
		},
		"OtherShape": {
			reason: "or answers there as Prometheus does",
			args:   jsonAnswer(http.StatusOK, `{"status":"success","data":{"storageRetention":15}}`),
			want:   want{Outcome: outcome{ReasonNotPrometheus, shop + " answered something that is not the Prometheus API: check spec.url and its path prefix"}},
		},
		"Down": {
			reason: "a server that failed may tell later",
			args:   answer{code: http.StatusServiceUnavailable, media: "text/plain", body: "down"},
			want:   want{Outcome: outcome{ReasonServer, shop + " failed (HTTP 503 Service Unavailable): look at its state and its log"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := &recorder{next: tc.args}
			got, err := connect(t, serve(t, server).URL).Retention(t.Context())
			if diff := cmp.Diff(tc.want, want{got, outcomeOf(t, err)}); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if path := server.last(t).path; path != "/api/v1/status/runtimeinfo" {
				t.Errorf("asked %s", path)
			}
		})
	}
}

func TestNow(t *testing.T) {
	scalar := func(value string) answer {
		return jsonAnswer(http.StatusOK, fmt.Sprintf(`{"status":"success","data":{"resultType":"scalar","result":[1,%q]}}`, value))
	}
	notATime := outcome{ReasonNotPrometheus, shop + " did not answer a time to time(), so it is not the Prometheus API: check spec.url and its path prefix"}
	type want struct {
		Now     time.Time
		Outcome outcome
	}
	cases := map[string]struct {
		reason string
		args   answer
		want   want
	}{
		"Prometheus": {reason: "milliseconds are kept", args: scalar("1777885200.25"), want: want{Now: time.Unix(1777885200, 250_000_000)}},
		"NaN":        {reason: "no number is no time", args: scalar("NaN"), want: want{Outcome: notATime}},
		"Infinite":   {reason: "nor is there one after all others", args: scalar("+Inf"), want: want{Outcome: notATime}},
		"Negative":   {reason: "nor was there Prometheus before 1970", args: scalar("-1"), want: want{Outcome: notATime}},
		"Nothing": {
			reason: "a server that does not answer functions",
			args:   jsonAnswer(http.StatusOK, `{"status":"success","data":{"resultType":"vector","result":[]}}`),
			want:   want{Outcome: notATime},
		},
		"Unauthorized": {
			reason: "as with every query", args: answer{code: http.StatusUnauthorized},
			want: want{Outcome: outcome{ReasonUnauthorized, shop + " refused the credentials (HTTP 401): check spec.authentication, its Secret and spec.tenant"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := &recorder{next: tc.args}
			got, err := connect(t, serve(t, server).URL).Now(t.Context())
			if diff := cmp.Diff(tc.want, want{got, outcomeOf(t, err)}); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			asked := server.last(t).form
			if _, told := asked["time"]; told || !cmp.Equal([]string{"time()"}, asked["query"]) {
				t.Errorf("asked %v, want time() at the server's own time", asked)
			}
		})
	}
}
