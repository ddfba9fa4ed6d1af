package source

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
)

func TestInstant(t *testing.T) {
	type want struct {
		Vector  model.Vector
		Outcome outcome
	}
	cases := map[string]struct {
		reason string
		args   string
		want   want
	}{
		"Vector": {
			reason: "a vector is the result",
			args:   oneVector,
			want: want{Vector: model.Vector{{
				Metric: model.Metric{"__name__": "up", "job": "a"}, Value: 1, Timestamp: 1700000000000,
			}}},
		},
		"Empty": {
			reason: "no data is an empty vector and no error",
			args:   `{"status":"success","data":{"resultType":"vector","result":[]}}`,
			want:   want{Vector: model.Vector{}},
		},
		"Scalar": {
			reason: "a scalar is a vector of one without labels",
			args:   `{"status":"success","data":{"resultType":"scalar","result":[1700000000.5,"0.25"]}}`,
			want:   want{Vector: model.Vector{{Metric: model.Metric{}, Value: 0.25, Timestamp: 1700000000500}}},
		},
		"Infos": {
			reason: "a remark on the expression does not make the answer partial",
			args:   strings.Replace(oneVector, `"data"`, `"infos":["PromQL info: metric might not be a counter"],"data"`, 1),
			want: want{Vector: model.Vector{{
				Metric: model.Metric{"__name__": "up", "job": "a"}, Value: 1, Timestamp: 1700000000000,
			}}},
		},
		"InfosAmongWarnings": {
			reason: "older servers send remarks as warnings",
			args:   strings.Replace(oneVector, `"data"`, `"warnings":["PromQL info: metric might not be a counter"],"data"`, 1),
			want: want{Vector: model.Vector{{
				Metric: model.Metric{"__name__": "up", "job": "a"}, Value: 1, Timestamp: 1700000000000,
			}}},
		},
		"Warnings": {
			reason: "a partial answer is never a result; the first warning by the alphabet is quoted",
			args:   strings.Replace(oneVector, `"data"`, `"warnings":["store b is away","PromQL info: x","store a is away"],"data"`, 1),
			want: want{Outcome: outcome{ReasonPartial,
				shop + " answered with a warning, so the result may be incomplete: store a is away"}},
		},
		"Matrix": {
			reason: "a range selector gives no instant vector",
			args:   `{"status":"success","data":{"resultType":"matrix","result":[]}}`,
			want: want{Outcome: outcome{ReasonInvalidQuery,
				shop + " answered a matrix where the query should give a number or an instant vector: change the expression"}},
		},
		"String": {
			reason: "a string is no number",
			args:   `{"status":"success","data":{"resultType":"string","result":[1,"a"]}}`,
			want: want{Outcome: outcome{ReasonInvalidQuery,
				shop + " answered a string where the query should give a number: change the expression"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := connect(t, serve(t, jsonAnswer(200, tc.args)).URL)
			vector, err := c.Instant(t.Context(), "up", time.Unix(1700000000, 0))
			got := want{Vector: vector, Outcome: outcomeOf(t, err)}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nInstant(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestRange(t *testing.T) {
	type args struct {
		body  string
		start int64
		end   int64
		step  time.Duration
	}
	type want struct {
		Matrix   model.Matrix
		Outcome  outcome
		Requests int
	}
	const good = `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[0,"1"],[60,"NaN"]]}]}}`
	const empty = `{"status":"success","data":{"resultType":"matrix","result":[]}}`
	cases := map[string]struct {
		reason string
		args   args
		want   want
	}{
		"Points": {
			reason: "every point, NaN included: judging samples is not this package's part",
			args:   args{body: good, end: 60, step: time.Minute},
			want: want{Requests: 1, Matrix: model.Matrix{{Metric: model.Metric{"a": "b"}, Values: []model.SamplePair{
				{Timestamp: 0, Value: 1}, {Timestamp: 60000, Value: model.SampleValue(nan())},
			}}}},
		},
		"OnePoint": {
			reason: "a range may be a moment",
			args:   args{body: empty, start: 60, end: 60, step: time.Minute},
			want:   want{Requests: 1, Matrix: model.Matrix{}},
		},
		"MostPoints": {
			reason: "11,000 points are allowed",
			args:   args{body: empty, end: (MaxPoints - 1) * 60, step: time.Minute},
			want:   want{Requests: 1, Matrix: model.Matrix{}},
		},
		"TooManyPoints": {
			reason: "one more is refused before it is sent",
			args:   args{body: empty, end: MaxPoints * 60, step: time.Minute},
			want: want{Outcome: outcome{ReasonInvalidQuery,
				shop + " was not asked: a range has at most 11000 points, ask for it in parts"}},
		},
		"NoStep": {
			reason: "a step of zero would divide by it",
			args:   args{body: empty, end: 60},
			want: want{Outcome: outcome{ReasonInvalidQuery,
				shop + " was not asked: a range needs a positive step and an end that is not before its start"}},
		},
		"Backwards": {
			reason: "time runs forward",
			args:   args{body: empty, start: 60, end: 0, step: time.Minute},
			want: want{Outcome: outcome{ReasonInvalidQuery,
				shop + " was not asked: a range needs a positive step and an end that is not before its start"}},
		},
		"Vector": {
			reason: "a range query that answers with a vector is not a result",
			args:   args{body: oneVector, end: 60, step: time.Minute},
			want: want{Requests: 1, Outcome: outcome{ReasonInvalidQuery,
				shop + " answered a vector where the query should give a range of numbers: change the expression"}},
		},
		"Partial": {
			reason: "a partial answer is never a result",
			args:   args{body: strings.Replace(good, `"data"`, `"warnings":["w"],"data"`, 1), end: 60, step: time.Minute},
			want: want{Requests: 1, Outcome: outcome{ReasonPartial,
				shop + " answered with a warning, so the result may be incomplete: w"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			rec := &recorder{next: jsonAnswer(200, tc.args.body)}
			c := connect(t, serve(t, rec).URL)
			matrix, err := c.Range(t.Context(), "up", time.Unix(tc.args.start, 0), time.Unix(tc.args.end, 0), tc.args.step)
			got := want{Matrix: matrix, Outcome: outcomeOf(t, err), Requests: len(rec.all())}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nRange(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func nan() float64 {
	zero := 0.0
	return zero / zero
}

func TestRequests(t *testing.T) {
	type want struct {
		Method, Path string
		Form         map[string][]string
		Agent        string
	}
	matrix := `{"status":"success","data":{"resultType":"matrix","result":[]}}`
	build := `{"status":"success","data":{"version":"3.5.0"}}`
	start := time.Unix(1700000000, 0)
	cases := map[string]struct {
		reason string
		args   string // path prefix
		body   string
		ask    func(*Client) error
		want   want
	}{
		"Instant": {
			reason: "queries go in a form, with the timeout and one series more than the limit",
			body:   oneVector,
			ask:    instant,
			want: want{Method: "POST", Path: "/api/v1/query", Agent: userAgent, Form: map[string][]string{
				"query": {"up"}, "time": {"1700000000"}, "timeout": {"10s"}, "limit": {"8"},
			}},
		},
		"InstantNow": {
			reason: "without a time the server takes its own",
			body:   oneVector,
			ask: func(c *Client) error {
				_, err := c.Instant(t.Context(), "up", time.Time{})
				return err
			},
			want: want{Method: "POST", Path: "/api/v1/query", Agent: userAgent, Form: map[string][]string{
				"query": {"up"}, "timeout": {"10s"}, "limit": {"8"},
			}},
		},
		"RangeWithPrefix": {
			reason: "Mimir serves the API below /prometheus",
			args:   "/prometheus/",
			body:   matrix,
			ask: func(c *Client) error {
				_, err := c.Range(t.Context(), `sum(a{b="&=+"})`, start, start.Add(time.Hour), time.Minute)
				return err
			},
			want: want{Method: "POST", Path: "/prometheus/api/v1/query_range", Agent: userAgent, Form: map[string][]string{
				"query": {`sum(a{b="&=+"})`}, "start": {"1700000000"}, "end": {"1700003600"}, "step": {"60"},
				"timeout": {"10s"}, "limit": {"8"},
			}},
		},
		"BuildInfo": {
			reason: "a plain GET",
			body:   build,
			ask: func(c *Client) error {
				_, err := c.BuildInfo(t.Context())
				return err
			},
			want: want{Method: "GET", Path: "/api/v1/status/buildinfo", Agent: userAgent, Form: map[string][]string{}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			rec := &recorder{next: jsonAnswer(200, tc.body)}
			c := connect(t, serve(t, rec).URL+tc.args, func(cfg *Config) { cfg.MaxSeries = 7 })
			if err := tc.ask(c); err != nil {
				t.Fatalf("ask: %v", err)
			}
			r := rec.last(t)
			got := want{r.method, r.path, r.form, r.header.Get("User-Agent")}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nrequest: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestGetFallback(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   int
		want   []string
	}{
		"NotAllowed": {reason: "a proxy that allows GET only is asked with GET", args: 405, want: []string{"POST", "GET"}},
		"Forbidden":  {reason: "some refuse POST as forbidden", args: 403, want: []string{"POST", "GET"}},
		"ServerDown": {reason: "a failing server is not asked twice", args: 503, want: []string{"POST"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			rec := &recorder{next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					answer{code: tc.args}.ServeHTTP(w, r)
					return
				}
				jsonAnswer(200, oneVector).ServeHTTP(w, r)
			})}
			var seen []Observation
			c := connect(t, serve(t, rec).URL, func(cfg *Config) {
				cfg.Observe = func(o Observation) { seen = append(seen, o) }
			})
			err := instant(c)
			var got []string
			for _, r := range rec.all() {
				got = append(got, r.method)
				if r.form["query"][0] != "up" {
					t.Errorf("%s asked %q, want up", r.method, r.form["query"])
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nmethods: -want, +got:\n%s", tc.reason, diff)
			}
			if wantErr := len(tc.want) == 1; wantErr != (err != nil) {
				t.Errorf("Instant() error = %v, want an error: %t", err, wantErr)
			}
			if len(seen) != 1 {
				t.Errorf("%d observations, want one for the query, not one for each request", len(seen))
			}
		})
	}
}

func TestBuildInfo(t *testing.T) {
	type want struct {
		Version string
		Outcome outcome
	}
	cases := map[string]struct {
		reason string
		args   answer
		want   want
	}{
		"Version": {
			reason: "the server's own word",
			args:   jsonAnswer(200, `{"status":"success","data":{"version":"3.5.0","revision":"abc"}}`),
			want:   want{Version: "3.5.0"},
		},
		"Empty": {
			reason: "an empty version is none",
			args:   jsonAnswer(200, `{"status":"success","data":{}}`),
			want:   want{Outcome: outcome{ReasonNotPrometheus, shop + " does not tell its version"}},
		},
		"Missing": {
			reason: "not every compatible server has the endpoint",
			args:   answer{code: 404},
			want: want{Outcome: outcome{ReasonNotPrometheus,
				shop + " has no Prometheus API at this address (HTTP 404): check spec.url and its path prefix"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := connect(t, serve(t, tc.args).URL)
			version, err := c.BuildInfo(t.Context())
			if diff := cmp.Diff(tc.want, want{version, outcomeOf(t, err)}); diff != "" {
				t.Errorf("\n%s\nBuildInfo(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestPing(t *testing.T) {
	vector := func(value string) string {
		return fmt.Sprintf(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,%q]}]}}`, value)
	}
	cases := map[string]struct {
		reason string
		args   answer
		want   outcome
	}{
		"Prometheus": {reason: "vector(1) is 1", args: jsonAnswer(200, vector("1")), want: outcome{}},
		"Imitation": {
			reason: "something that answers every query alike is no Prometheus",
			args:   jsonAnswer(200, vector("7")),
			want: outcome{ReasonNotPrometheus,
				shop + " did not answer 1 to vector(1), so it is not the Prometheus API: check spec.url and its path prefix"},
		},
		"Empty": {
			reason: "no data for a constant",
			args:   jsonAnswer(200, `{"status":"success","data":{"resultType":"vector","result":[]}}`),
			want: outcome{ReasonNotPrometheus,
				shop + " did not answer 1 to vector(1), so it is not the Prometheus API: check spec.url and its path prefix"},
		},
		"Unauthorized": {
			reason: "wrong credentials show at once",
			args:   answer{code: 401},
			want: outcome{ReasonUnauthorized,
				shop + " refused the credentials (HTTP 401): check spec.authentication, its Secret and spec.tenant"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			rec := &recorder{next: tc.args}
			c := connect(t, serve(t, rec).URL)
			if diff := cmp.Diff(tc.want, outcomeOf(t, c.Ping(t.Context()))); diff != "" {
				t.Errorf("\n%s\nPing(): -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff([]string{"vector(1)"}, rec.last(t).form["query"]); diff != "" {
				t.Errorf("query: -want, +got:\n%s", diff)
			}
		})
	}
}
