package main

import (
	"context"
	"fmt"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/web"
)

// webGrace is how long requests that are under way may take when the manager ends.
const webGrace = 5 * time.Second

// addWeb has a manager serve verdicts from its cache. A replica that does not lead
// serves them too: they are what the status says.
func addWeb(mgr ctrl.Manager, address string) error {
	if address == "" || address == "0" {
		return nil
	}
	grace := webGrace
	err := mgr.Add(&manager.Server{Name: "web", Server: web.NewServer(address, lookups(mgr.GetClient())), ShutdownTimeout: &grace})
	if err != nil {
		return fmt.Errorf("add web server: %w", err)
	}
	return nil
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
	}
}
