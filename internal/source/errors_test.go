package source

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTransient(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   []Reason
		want   bool
	}{
		"Permanent": {
			reason: "the description, the query or a limit has to change, so asking again cannot help",
			args:   []Reason{ReasonInvalidConfig, ReasonInvalidQuery, ReasonTooLarge, ReasonTooManySeries},
			want:   false,
		},
		"Transient": {
			reason: "a server, a network, a certificate or a grant may be mended without a change in the cluster",
			args: []Reason{
				ReasonUnauthorized, ReasonCertificate, ReasonUnreachable, ReasonTimeout, ReasonCanceled,
				ReasonNotPrometheus, ReasonPartial, ReasonRateLimited, ReasonServer,
			},
			want: true,
		},
		"None": {
			reason: "success is nothing to repeat",
			args:   []Reason{""},
			want:   false,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, r := range tc.args {
				if diff := cmp.Diff(tc.want, r.Transient()); diff != "" {
					t.Errorf("\n%s\n%q.Transient(): -want, +got:\n%s", tc.reason, r, diff)
				}
			}
		})
	}
}

func TestReasonOf(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   error
		want   Reason
	}{
		"Nil":     {reason: "no error has no reason", args: nil, want: ""},
		"Foreign": {reason: "another error has no reason", args: errors.New("boom"), want: ""},
		"Direct":  {reason: "the error itself", args: &Error{Reason: ReasonServer}, want: ReasonServer},
		"Wrapped": {
			reason: "callers add context with %w",
			args:   fmt.Errorf("evaluate objective: %w", &Error{Reason: ReasonTimeout}),
			want:   ReasonTimeout,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ReasonOf(tc.args)); diff != "" {
				t.Errorf("\n%s\nReasonOf(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestErrorUnwrap(t *testing.T) {
	err := error(&Error{Reason: ReasonCanceled, Message: "was cancelled", Err: context.Canceled})
	if !errors.Is(err, context.Canceled) {
		t.Error("errors.Is(err, context.Canceled) = false: the cause must stay reachable")
	}
	if diff := cmp.Diff("was cancelled", err.Error()); diff != "" {
		t.Errorf("Error(): -want, +got:\n%s", diff)
	}
}
