package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// shop is the name of the source in every test, so that messages are literal.
const shop = "MetricSource shop/default"

// patience bounds what a test waits for; nothing comes near it unless it fails.
const patience = 10 * time.Second

func TestMain(m *testing.M) {
	// A developer's own AWS settings must not change what the tests see.
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE":             "/nonexistent",
		"AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
		"AWS_EC2_METADATA_DISABLED":   "true",
		"AWS_ACCESS_KEY_ID":           "",
		"AWS_SECRET_ACCESS_KEY":       "",
		"AWS_PROFILE":                 "",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

// oneVector is a good answer to an instant query: up{job="a"} is 1.
const oneVector = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1700000000,"1"]}]}}`

// answer is a handler that always gives the same answer.
type answer struct {
	code   int
	media  string
	header map[string]string
	body   string
}

func (a answer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", a.media)
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.code)
	_, _ = io.WriteString(w, a.body)
}

func jsonAnswer(code int, body string) answer {
	return answer{code: code, media: "application/json", body: body}
}

// hang answers nothing until the client is gone.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// recorder keeps the requests a handler got.
type recorder struct {
	next     http.Handler
	mu       sync.Mutex
	requests []request
}

type request struct {
	method, path, host string
	header             http.Header
	form               map[string][]string
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	rec.mu.Lock()
	rec.requests = append(rec.requests, request{r.Method, r.URL.Path, r.Host, r.Header.Clone(), r.Form})
	rec.mu.Unlock()
	rec.next.ServeHTTP(w, r)
}

func (rec *recorder) all() []request {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return append([]request(nil), rec.requests...)
}

func (rec *recorder) last(t *testing.T) request {
	t.Helper()
	all := rec.all()
	if len(all) == 0 {
		t.Fatal("the server got no request")
	}
	return all[len(all)-1]
}

func serve(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

// connect makes a client of url, changed by the options.
func connect(t *testing.T, url string, options ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{Name: shop, URL: url, Timeout: patience}
	for _, option := range options {
		option(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatalf("New(): %v", err)
	}
	t.Cleanup(c.Close)
	return c
}

func withTimeout(d time.Duration) func(*Config) {
	return func(c *Config) { c.Timeout = d }
}

// instant asks the query that the tests do not care about.
func instant(c *Client) error {
	_, err := c.Instant(context.Background(), "up", time.Unix(1700000000, 0))
	return err
}

// outcome is what a caller sees of an error.
type outcome struct {
	Reason  Reason
	Message string
}

// outcomeOf fails the test for an error that is not an *Error, because callers
// rely on there being no other.
func outcomeOf(t *testing.T, err error) outcome {
	t.Helper()
	if err == nil {
		return outcome{}
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got a %T, want an *Error: %v", err, err)
	}
	if e.Message != err.Error() {
		t.Errorf("Error() = %q, want the message %q", err.Error(), e.Message)
	}
	return outcome{e.Reason, e.Message}
}

// formats are the ways in which a careless log line prints a value.
func formats(v any) string {
	return fmt.Sprintf("%v\n%+v\n%#v\n%s\n%q", v, v, v, v, v)
}
