// Package web answers tools that deploy and can ask over HTTP alone: the web
// metric of Argo Rollouts, the webhooks of Flagger, curl. It serves what the status
// of gates and objectives says, as small JSON documents, over lookups that it is
// given: it reads no cluster and changes nothing. An answer is never empty and
// never 204, which the one tool takes for success and the other for failure.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// Lookups find objects by namespace and name. Where there is none, the error is
// one for which apierrors.IsNotFound is true.
type Lookups struct {
	Gate      func(ctx context.Context, namespace, name string) (*v1alpha1.Gate, error)
	Objective func(ctx context.Context, namespace, name string) (*v1alpha1.Objective, error)
	Journey   func(ctx context.Context, namespace, name string) (*v1alpha1.Journey, error)
}

// The limits of a server. A tool sends one small request at a time, and is told to
// come back rather than kept waiting.
const (
	lookupTime = 5 * time.Second
	headerTime = 5 * time.Second
	readTime   = 10 * time.Second
	writeTime  = 15 * time.Second
	idleTime   = time.Minute
	maxHeaders = 16 << 10
	maxBody    = 64 << 10
)

// NewServer returns a server of the endpoints on an address such as ":8082". It is
// plain HTTP and asks nobody who they are.
func NewServer(address string, l Lookups) *http.Server {
	return &http.Server{
		Addr: address, Handler: Handler(l),
		ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHeaders,
	}
}

// Handler serves
//
//	GET  /v1/gates/{namespace}/{name}[?revision=R]        how a check stands
//	POST /v1/gates/{namespace}/{name}/check[?revision=R]  200 when the release may go on
//	POST /v1/gates/{namespace}/{name}/failed[?revision=R] 200 when it must not
//	GET  /v1/objectives/{namespace}/{name}                figures of an objective
//	GET  /v1/journeys/{namespace}/{name}                  how a journey stands
func Handler(l Lookups) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/gates/{namespace}/{name}", answering(http.MethodGet, l.gate))
	mux.HandleFunc("/v1/gates/{namespace}/{name}/check", answering(http.MethodPost, l.check))
	mux.HandleFunc("/v1/gates/{namespace}/{name}/failed", answering(http.MethodPost, l.failed))
	mux.HandleFunc("/v1/objectives/{namespace}/{name}", answering(http.MethodGet, l.objective))
	mux.HandleFunc("/v1/journeys/{namespace}/{name}", answering(http.MethodGet, l.journey))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(http.StatusNotFound, "nothing is served here: ask for /v1/gates/NAMESPACE/NAME, "+
			"/v1/gates/NAMESPACE/NAME/check, /v1/gates/NAMESPACE/NAME/failed, /v1/objectives/NAMESPACE/NAME or "+
			"/v1/journeys/NAMESPACE/NAME").write(w)
	})
	return mux
}

// answer is what a tool is told.
type answer struct {
	code int
	body any
}

// refusal is the body of an answer that is about the request.
type refusal struct {
	Error string `json:"error"`
}

func refuse(code int, format string, args ...any) answer {
	return answer{code, refusal{fmt.Sprintf(format, args...)}}
}

func (a answer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(a.code)
	_ = json.NewEncoder(w).Encode(a.body) // who hung up needs no answer
}

// answering serves one method. GET is HEAD too.
func answering(method string, f func(*http.Request) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
			w.Header().Set("Allow", method)
			refuse(http.StatusMethodNotAllowed, "%s is not served here: use %s", r.Method, method).write(w)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		ctx, cancel := context.WithTimeout(r.Context(), lookupTime)
		defer cancel()
		f(r.WithContext(ctx)).write(w)
	}
}

// missing words an error of a lookup.
func missing(kind string, r *http.Request, err error) answer {
	namespace, name := r.PathValue("namespace"), r.PathValue("name")
	if apierrors.IsNotFound(err) {
		return refuse(http.StatusNotFound, "there is no %s %q in namespace %q: create it, or correct the path, "+
			"which ends in NAMESPACE/NAME", kind, name, namespace)
	}
	return refuse(http.StatusServiceUnavailable, "cannot read %s %q in namespace %q, try again: %v", kind, name, namespace, err)
}

// badRequest words what is wrong with a request.
func badRequest(err error) answer {
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return refuse(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes: send less", tooLarge.Limit)
	}
	return refuse(http.StatusBadRequest, "%v", err)
}
