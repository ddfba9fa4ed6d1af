package parts

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// startAlertmanager starts a server that ends with the test.
func startAlertmanager(t *testing.T, o AlertmanagerOptions) *Alertmanager {
	t.Helper()
	a, err := StartAlertmanager(t.Context(), o)
	if err != nil {
		t.Fatalf("StartAlertmanager: %v", err)
	}
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return a
}

// holds waits until the server holds alerts whose statuses by name are want.
func holds(t *testing.T, a *Alertmanager, want map[string]string) []Alert {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		held, err := a.Alerts(ctx)
		got := map[string]string{}
		for _, alert := range held {
			got[alert.Labels["alertname"]] = alert.Status.State
		}
		diff := cmp.Diff(want, got)
		if err == nil && diff == "" {
			return held
		}
		if ctx.Err() != nil {
			t.Fatalf("alerts by name, %v: -want, +got:\n%s", err, diff)
		}
		time.Sleep(pollEvery)
	}
}

func named(name string) Alert {
	return Alert{Labels: map[string]string{"alertname": name}, Annotations: map[string]string{"summary": name + " is up"}}
}

func TestAlertmanagerHoldsWhatIsSent(t *testing.T) {
	t.Parallel()
	a := startAlertmanager(t, AlertmanagerOptions{})
	if err := a.Send(t.Context(), named("First"), named("Second"), named("First")); err != nil {
		t.Fatalf("Send: %v", err)
	}
	held := holds(t, a, map[string]string{"First": "active", "Second": "active"})
	if len(held) != 2 {
		t.Errorf("want one alert of each name, got %d: %v", len(held), held)
	}
	for _, alert := range held {
		want := named(alert.Labels["alertname"])
		got := Alert{Labels: alert.Labels, Annotations: alert.Annotations}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("alert: -want, +got:\n%s", diff)
		}
	}
	over := named("First")
	over.EndsAt = time.Now()
	if err := a.Send(t.Context(), over); err != nil {
		t.Fatalf("Send: %v", err)
	}
	holds(t, a, map[string]string{"Second": "active"})
}

func TestAlertmanagerSilence(t *testing.T) {
	t.Parallel()
	a := startAlertmanager(t, AlertmanagerOptions{})
	id, err := a.Silence(t.Context(), map[string]string{"alertname": "Loud"}, time.Hour)
	if err != nil {
		t.Fatalf("Silence: %v", err)
	}
	if err := a.Send(t.Context(), named("Loud"), named("Other")); err != nil {
		t.Fatalf("Send: %v", err)
	}
	for _, alert := range holds(t, a, map[string]string{"Loud": "suppressed", "Other": "active"}) {
		want := []string{}
		if alert.Labels["alertname"] == "Loud" {
			want = []string{id}
		}
		if diff := cmp.Diff(want, alert.Status.SilencedBy); diff != "" {
			t.Errorf("%s is silenced by: -want, +got:\n%s", alert.Labels["alertname"], diff)
		}
	}
}

func TestAlertmanagerRefuses(t *testing.T) {
	t.Parallel()
	a := startAlertmanager(t, AlertmanagerOptions{})
	if err := a.Send(t.Context(), Alert{Labels: map[string]string{}}); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("Send of an alert without labels: want the answer 400, got %v", err)
	}
	if _, err := a.Silence(t.Context(), nil, time.Hour); err == nil {
		t.Error("Silence of everything: want an error")
	}
}

func TestAlertmanagerStop(t *testing.T) {
	t.Parallel()
	kept := t.TempDir()
	cases := map[string]struct {
		reason string
		dir    string
		want   error
	}{
		"Temporary": {reason: "a temporary folder goes with the server", want: os.ErrNotExist},
		"Own":       {reason: "a folder of the caller stays", dir: kept},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := startAlertmanager(t, AlertmanagerOptions{Dir: tc.dir})
			if err := a.Stop(); err != nil {
				t.Fatalf("%s: Stop: %v", tc.reason, err)
			}
			if !ended(a.process.pid) {
				t.Errorf("%s: process %d still exists", tc.reason, a.process.pid)
			}
			if _, err := os.Stat(filepath.Join(a.Dir, "alertmanager.yml")); !errors.Is(err, tc.want) {
				t.Errorf("%s: configuration: want %v, got %v", tc.reason, tc.want, err)
			}
			if _, err := a.Alerts(t.Context()); err == nil {
				t.Errorf("%s: Alerts of a stopped server: want an error", tc.reason)
			}
		})
	}
}

func TestStartAlertmanagerThatFails(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		o      AlertmanagerOptions
		want   string
	}{
		"BadConfiguration": {
			reason: "the error quotes what the server logged",
			o:      AlertmanagerOptions{ConfigYAML: "route: {receiver: nobody, no_such_field: 1}"},
			want:   "no_such_field",
		},
		"BadFlag": {
			reason: "a flag that it does not know is named",
			o:      AlertmanagerOptions{Flags: []string{"--no-such-flag"}},
			want:   "no-such-flag",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := StartAlertmanager(t.Context(), tc.o)
			if a != nil || err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: want no server and an error with %q, got %v, %v", tc.reason, tc.want, a, err)
			}
		})
	}
}
