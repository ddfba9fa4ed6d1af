package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/web"
)

// began is when the checks of these tests did.
var began = metav1.NewTime(time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC))

// world is what lookups find.
type world struct {
	gate      *v1alpha1.Gate
	objective *v1alpha1.Objective
	journey   *v1alpha1.Journey
	err       error
}

// lookups find the objects of a world by their names.
func (w world) lookups() web.Lookups {
	return web.Lookups{Gate: lookup(w, "gates", w.gate), Objective: lookup(w, "objectives", w.objective), Journey: lookup(w, "journeys", w.journey)}
}

// lookup finds an object, or nothing where it is of another name.
func lookup[T interface {
	comparable
	client.Object
}](w world, resource string, o T) func(context.Context, string, string) (T, error) {
	var none T
	return func(_ context.Context, namespace, name string) (T, error) {
		if w.err == nil && o != none && o.GetNamespace() == namespace && o.GetName() == name {
			return o, nil
		}
		return none, w.fault(resource, name)
	}
}

func (w world) fault(resource, name string) error {
	if w.err != nil {
		return w.err
	}
	return apierrors.NewNotFound(schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: resource}, name)
}

// reply is what a tool receives.
type reply struct {
	Code  int
	Allow string
	Body  string
}

// ask sends a request to a handler.
func ask(t *testing.T, w world, method, target, body string) reply {
	t.Helper()
	recorder := httptest.NewRecorder()
	web.Handler(w.lookups()).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body)))
	head := recorder.Header()
	want := map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
	for name, value := range want {
		if got := head.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	if !json.Valid(recorder.Body.Bytes()) {
		t.Errorf("the body is no JSON: %q", recorder.Body)
	}
	return reply{recorder.Code, head.Get("Allow"), strings.TrimSuffix(recorder.Body.String(), "\n")}
}

func TestRefusals(t *testing.T) {
	const (
		revision = `{"metadata":{"revision":"1.4.2"}}`
		nothing  = `{"error":"nothing is served here: ask for /v1/gates/NAMESPACE/NAME, /v1/gates/NAMESPACE/NAME/check, /v1/gates/NAMESPACE/NAME/failed, /v1/objectives/NAMESPACE/NAME or /v1/journeys/NAMESPACE/NAME"}`
		object   = `: send a JSON object like {\"metadata\": {\"revision\": \"1.4.2\"}}, or nothing"}`
	)
	type args struct{ method, target, body string }
	cases := map[string]struct {
		reason string
		world  world
		args   args
		want   reply
	}{
		"Root":    {"somebody looks around", world{}, args{"GET", "/", ""}, reply{404, "", nothing}},
		"NoName":  {"a path that is too short", world{}, args{"GET", "/v1/gates/shop", ""}, reply{404, "", nothing}},
		"NoPath":  {"a path that is too long", world{}, args{"GET", "/v1/objectives/shop/page-speed/more", ""}, reply{404, "", nothing}},
		"Version": {"another version", world{}, args{"POST", "/v2/gates/shop/release/check", ""}, reply{404, "", nothing}},
		"NoGate": {"a gate that is not there", world{}, args{"GET", "/v1/gates/shop/release", ""},
			reply{404, "", `{"error":"there is no gate \"release\" in namespace \"shop\": create it, or correct the path, which ends in NAMESPACE/NAME"}`}},
		"NoGateToCheck": {"the same of a webhook", world{gate: gate(passed)}, args{"POST", "/v1/gates/shop/relaese/check", revision},
			reply{404, "", `{"error":"there is no gate \"relaese\" in namespace \"shop\": create it, or correct the path, which ends in NAMESPACE/NAME"}`}},
		"NoObjective": {"an objective that is not there", world{}, args{"GET", "/v1/objectives/shop/page-speed", ""},
			reply{404, "", `{"error":"there is no objective \"page-speed\" in namespace \"shop\": create it, or correct the path, which ends in NAMESPACE/NAME"}`}},
		"Unreadable": {"a cache that is not filled yet", world{err: errors.New("the cache is not started")}, args{"GET", "/v1/gates/shop/release", ""},
			reply{503, "", `{"error":"cannot read gate \"release\" in namespace \"shop\", try again: the cache is not started"}`}},
		"UnreadableObjective": {"the same of an objective", world{err: context.DeadlineExceeded}, args{"GET", "/v1/objectives/shop/page-speed", ""},
			reply{503, "", `{"error":"cannot read objective \"page-speed\" in namespace \"shop\", try again: context deadline exceeded"}`}},
		"PostGate":      {"reading is not posting", world{}, args{"POST", "/v1/gates/shop/release", "{}"}, reply{405, "GET", `{"error":"POST is not served here: use GET"}`}},
		"DeleteGate":    {"nothing is changed here", world{}, args{"DELETE", "/v1/gates/shop/release", ""}, reply{405, "GET", `{"error":"DELETE is not served here: use GET"}`}},
		"PutObjective":  {"nor there", world{}, args{"PUT", "/v1/objectives/shop/page-speed", "{}"}, reply{405, "GET", `{"error":"PUT is not served here: use GET"}`}},
		"GetCheck":      {"a webhook is posted", world{}, args{"GET", "/v1/gates/shop/release/check", ""}, reply{405, "POST", `{"error":"GET is not served here: use POST"}`}},
		"HeadFailed":    {"and nothing else", world{}, args{"HEAD", "/v1/gates/shop/release/failed", ""}, reply{405, "POST", `{"error":"HEAD is not served here: use POST"}`}},
		"Parameter":     {"a slip would ask for another release", world{}, args{"GET", "/v1/gates/shop/release?revison=1.4.2", ""}, reply{400, "", `{"error":"unknown parameter \"revison\": the only one is revision"}`}},
		"EmptyRevision": {"so would an unset variable", world{}, args{"GET", "/v1/gates/shop/release?revision=", ""}, reply{400, "", `{"error":"revision is empty: give the revision, or leave revision out for the one of the gate's spec"}`}},
		"TwoRevisions":  {"nobody knows which", world{}, args{"GET", "/v1/gates/shop/release?revision=1&revision=2", ""}, reply{400, "", `{"error":"revision is given more than once: give one"}`}},
		"Query":         {"a query that is none", world{}, args{"GET", "/v1/gates/shop/release?revision=%zz", ""}, reply{400, "", `{"error":"read query: invalid URL escape \"%zz\": write it like ?revision=1.4.2"}`}},
		"CheckQuery":    {"a webhook's query is read too", world{}, args{"POST", "/v1/gates/shop/release/check?tag=1", ""}, reply{400, "", `{"error":"unknown parameter \"tag\": the only one is revision"}`}},
		"Text":          {"a body that is no JSON", world{}, args{"POST", "/v1/gates/shop/release/check", "revision=1.4.2"}, reply{400, "", `{"error":"read body: invalid character 'r' looking for beginning of value` + object}},
		"Cut":           {"a body that ends too soon", world{}, args{"POST", "/v1/gates/shop/release/failed", `{"metadata":{`}, reply{400, "", `{"error":"read body: unexpected EOF` + object}},
		"List":          {"JSON of another form", world{}, args{"POST", "/v1/gates/shop/release/check", "[]"}, reply{400, "", `{"error":"read body: json: cannot unmarshal array into Go value of type web.payload` + object}},
		"More":          {"two bodies", world{}, args{"POST", "/v1/gates/shop/release/check", revision + revision}, reply{400, "", `{"error":"read body: more follows the first JSON value` + object}},
		"EmptyMetadata": {"an unset variable in the body", world{}, args{"POST", "/v1/gates/shop/release/check", `{"metadata":{"revision":""}}`}, reply{400, "", `{"error":"metadata.revision is empty: give the revision, or leave metadata.revision out for the one of the gate's spec"}`}},
		"Contradiction": {"nobody knows which", world{}, args{"POST", "/v1/gates/shop/release/check?revision=1.4.3", revision}, reply{400, "", `{"error":"the query asks for revision \"1.4.3\" and metadata.revision is \"1.4.2\": give one"}`}},
		"Large": {"a body that never ends", world{gate: gate(passed)}, args{"POST", "/v1/gates/shop/release/check", `{"name":"` + strings.Repeat("a", 65<<10)},
			reply{413, "", `{"error":"the body is larger than 65536 bytes: send less"}`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := ask(t, c.world, c.args.method, c.args.target, c.args.body)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

// TestServer asks a server over a connection: its limits are those of any server
// that strangers can reach, and HEAD answers as GET does.
func TestServer(t *testing.T) {
	server := web.NewServer(":8082", world{gate: gate(passed)}.lookups())
	if server.Addr != ":8082" {
		t.Errorf("it serves on %q", server.Addr)
	}
	for _, limit := range []time.Duration{server.ReadHeaderTimeout, server.ReadTimeout, server.WriteTimeout, server.IdleTimeout} {
		if limit <= 0 || limit > time.Minute {
			t.Errorf("it waits for %s", limit)
		}
	}
	live := httptest.NewUnstartedServer(server.Handler)
	live.Config = server
	live.Start()
	defer live.Close()
	cases := map[string]struct {
		reason, method, header string
		want                   int
	}{
		"Get":    {"as anybody asks", http.MethodGet, "", http.StatusOK},
		"Head":   {"as a probe asks", http.MethodHead, "", http.StatusOK},
		"Header": {"more header than anybody needs", http.MethodGet, strings.Repeat("a", 64<<10), http.StatusRequestHeaderFieldsTooLarge},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), c.method, live.URL+"/v1/gates/shop/release", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Large", c.header)
			code, body := send(t, live.Client(), request)
			if code != c.want {
				t.Errorf("%s: %d %q, want %d", c.reason, code, body, c.want)
			}
			if empty := body == ""; empty != (c.method == http.MethodHead) {
				t.Errorf("%s: the body is %q", c.reason, body)
			}
		})
	}
}

// send gives the status and the body of an answer.
func send(t *testing.T, client *http.Client, request *http.Request) (int, string) {
	t.Helper()
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // the body is read to its end
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// TestLookupsEnd holds that a lookup which hangs is given up on: a tool is told to
// come back before it gives up itself, which Argo Rollouts does after 10 s.
func TestLookupsEnd(t *testing.T) {
	var left time.Duration
	lookups := web.Lookups{Gate: func(ctx context.Context, _, _ string) (*v1alpha1.Gate, error) {
		until, ok := ctx.Deadline()
		if !ok {
			return nil, errors.New("no deadline")
		}
		left = time.Until(until)
		return nil, context.DeadlineExceeded
	}}
	recorder := httptest.NewRecorder()
	web.Handler(lookups).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/gates/shop/release", http.NoBody))
	if recorder.Code != http.StatusServiceUnavailable || left <= 0 || left >= 10*time.Second {
		t.Errorf("answered %d after at most %s", recorder.Code, left)
	}
}
