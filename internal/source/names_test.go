package source

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestNames checks what is asked for, and what is made of the answer.
func TestNames(t *testing.T) {
	start, end := time.Unix(1700000000, 0), time.Unix(1700003600, 0)
	type want struct {
		// asked is the path and the selector.
		asked, match string
		names        []string
		reason       Reason
	}
	cases := map[string]struct {
		reason string
		args   func(*Client) ([]string, error)
		body   string
		want   want
	}{
		"Labels": {
			reason: "the labels of some series",
			args:   func(c *Client) ([]string, error) { return c.LabelNames(t.Context(), `up{job="a"}`, start, end) },
			body:   `{"status":"success","data":["instance","job"]}`,
			want:   want{asked: "/prefix/api/v1/labels", match: `up{job="a"}`, names: []string{"instance", "job"}},
		},
		"Values": {
			reason: "the values of one label of all series",
			args:   func(c *Client) ([]string, error) { return c.LabelValues(t.Context(), "job", "", start, end) },
			body:   `{"status":"success","data":["a","b"]}`,
			want:   want{asked: "/prefix/api/v1/label/job/values", names: []string{"a", "b"}},
		},
		"Partial": {
			reason: "names of a part of the series are not all",
			args:   func(c *Client) ([]string, error) { return c.LabelValues(t.Context(), "job", "", start, end) },
			body:   `{"status":"success","data":["a"],"warnings":["a store is away"]}`,
			want:   want{asked: "/prefix/api/v1/label/job/values", reason: ReasonPartial},
		},
		"PartialLabels": {
			reason: "nor are labels",
			args:   func(c *Client) ([]string, error) { return c.LabelNames(t.Context(), "", start, end) },
			body:   `{"status":"success","data":["a"],"warnings":["a store is away"]}`,
			want:   want{asked: "/prefix/api/v1/labels", reason: ReasonPartial},
		},
		"NotPrometheus": {
			reason: "a page for people has no such names",
			args:   func(c *Client) ([]string, error) { return c.LabelNames(t.Context(), "", start, end) },
			body:   `<html>`,
			want:   want{asked: "/prefix/api/v1/labels", reason: ReasonNotPrometheus},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got want
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := r.ParseForm(); err != nil || r.Form.Get("start") != "1700000000" || r.Form.Get("end") != "1700003600" {
					t.Errorf("%s: asked for other times: %v, %v", tc.reason, r.Form, err)
				}
				got.asked, got.match = r.URL.Path, r.Form.Get("match[]")
				answer{code: http.StatusOK, media: "application/json", body: tc.body}.ServeHTTP(w, r)
			}))
			defer server.Close()
			client, err := New(Config{Name: shop, URL: server.URL + "/prefix"})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			got.names, err = tc.args(client)
			got.reason = ReasonOf(err)
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
