package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/experience-slo/operator/api/v1alpha1"
)

func TestWebServerThatCannotListen(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // nothing was written
	cases := map[string]struct {
		reason, address string
		want            string
	}{
		"Taken":   {"somebody else listens there", taken.Addr().String(), "address already in use"},
		"NoColon": {"a port is not an address", "8082", "missing port in address"},
		"Port":    {"there is no such port", ":123456", "invalid port"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := webServer{address: c.address}.Start(t.Context())
			for _, part := range []string{"serve verdicts: listen tcp", c.want, "set --web-bind-address to"} {
				if !strings.Contains(text(err), part) {
					t.Errorf("%s: error %q lacks %q", c.reason, text(err), part)
				}
			}
		})
	}
}

// TestWebServerEnds ends a server while a request is under way: it is answered, and
// nobody after it.
func TestWebServerEnds(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	s := webServer{address: freeAddress(t)}
	s.lookups.Gate = func(context.Context, string, string) (*v1alpha1.Gate, error) {
		close(asked)
		<-release
		return &v1alpha1.Gate{}, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended, answered := make(chan error, 1), make(chan error, 1)
	go func() { ended <- s.Start(ctx) }()
	go func() {
		code := 0
		err := errors.New("not asked")
		for until := time.Now().Add(patience); err != nil && time.Now().Before(until); {
			code, _, err = get(t.Context(), "http://"+s.address+"/v1/gates/shop/release", "")
		}
		if err == nil && code != http.StatusOK {
			err = errors.New(http.StatusText(code))
		}
		answered <- err
	}()
	<-asked
	cancel()
	eventually(t, "no new connection", func(ctx context.Context) error {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.address)
		if err != nil {
			return nil //nolint:nilerr // that is what is waited for
		}
		return errors.Join(errors.New("somebody still listens"), connection.Close())
	})
	close(release)
	if err := errors.Join(<-answered, <-ended); err != nil {
		t.Error(err)
	}
}

func TestAddWeb(t *testing.T) {
	cases := map[string]struct {
		reason, address string
		want            int
	}{
		"Address": {"it is served", ":8082", 1},
		"Zero":    {"it is served nowhere", "0", 0},
		"Empty":   {"nor for an empty address, which would be a port of its own", "", 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			added := &adding{}
			if err := addWeb(added, c.address); err != nil {
				t.Fatal(err)
			}
			if len(added.runnables) != c.want {
				t.Errorf("%s: %d servers", c.reason, len(added.runnables))
			}
			for _, r := range added.runnables {
				if led, ok := r.(manager.LeaderElectionRunnable); !ok || led.NeedLeaderElection() {
					t.Errorf("%s: a replica that does not lead serves nothing", c.reason)
				}
			}
		})
	}
}

func TestLookups(t *testing.T) {
	about := metav1.ObjectMeta{Namespace: "shop", Name: "release"}
	reader := fake.NewClientBuilder().WithScheme(managerOptions(settings{}).Scheme).
		WithObjects(&v1alpha1.Gate{ObjectMeta: about}, &v1alpha1.Objective{ObjectMeta: about}).Build()
	l := lookups(reader)
	gate, err := l.Gate(t.Context(), "shop", "release")
	if err != nil {
		t.Fatal(err)
	}
	objective, err := l.Objective(t.Context(), "shop", "release")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"shop/release", "shop/release"}, []string{gate.Namespace + "/" + gate.Name, objective.Namespace + "/" + objective.Name}); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
	if _, err := l.Gate(t.Context(), "release", "shop"); err == nil {
		t.Error("a gate was found by its names the wrong way round")
	}
}

// adding is a manager that takes runnables and does nothing else.
type adding struct {
	manager.Manager
	runnables []manager.Runnable
}

func (a *adding) Add(r manager.Runnable) error {
	a.runnables = append(a.runnables, r)
	return nil
}

func (a *adding) GetClient() client.Client { return nil }
