package main

import (
	"context"
	"fmt"
	"net"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/web"
)

// webGrace is how long requests that are under way may take when the manager ends.
const webGrace = 5 * time.Second

// addWeb has a manager serve verdicts from its cache, once that is filled.
func addWeb(mgr ctrl.Manager, address string) error {
	if address == "" || address == "0" {
		return nil
	}
	if err := mgr.Add(webServer{address: address, lookups: lookups(mgr.GetClient())}); err != nil {
		return fmt.Errorf("add web server: %w", err)
	}
	return nil
}

// webServer serves verdicts until its context ends.
type webServer struct {
	address string
	lookups web.Lookups
}

// NeedLeaderElection says that every replica serves: verdicts are what the status
// says.
func (s webServer) NeedLeaderElection() bool { return false }

// Start serves until the context ends and what is under way is answered.
func (s webServer) Start(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.address)
	if err != nil {
		return fmt.Errorf("serve verdicts: %w: set --web-bind-address to an address that is free, or to 0", err)
	}
	grace := webGrace
	server := manager.Server{Name: "web", Server: web.NewServer(s.address, s.lookups), Listener: listener, ShutdownTimeout: &grace}
	return server.Start(ctx)
}

func lookups(reader client.Reader) web.Lookups {
	return web.Lookups{
		Gate: func(ctx context.Context, namespace, name string) (*v1alpha1.Gate, error) {
			found := &v1alpha1.Gate{}
			return found, reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, found)
		},
		Objective: func(ctx context.Context, namespace, name string) (*v1alpha1.Objective, error) {
			found := &v1alpha1.Objective{}
			return found, reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, found)
		},
		Journey: func(ctx context.Context, namespace, name string) (*v1alpha1.Journey, error) {
			found := &v1alpha1.Journey{}
			return found, reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, found)
		},
	}
}
