package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
	"github.com/experience-slo/operator/hack/stories"
)

// What is applied as it is shipped, from the repository's root: the custom resource
// definitions, the catalogue and the stories.
const (
	definitions = "config/crd/bases"
	catalogue   = "config/indicators"
	storyboard  = "config/samples/stories"
)

// manifests are what the stories do not have.
//
//go:embed manifests/*.yaml
var manifests embed.FS

// startCluster starts etcd and the API server and teaches it the resources.
func (d *demo) startCluster(ctx context.Context) error {
	d.say("starting etcd and kube-apiserver")
	var err error
	d.cluster, err = parts.StartControlPlane(ctx, parts.ControlPlaneOptions{Dir: d.folder("control-plane")})
	if err != nil {
		return fmt.Errorf("start control plane: %w", err)
	}
	d.atEnd(d.cluster.Stop)
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return fmt.Errorf("make scheme: %w", err)
	}
	if d.objects, err = client.New(d.cluster.Config, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	if err := d.kubectl(ctx, nil, "apply", "--server-side", "-f", definitions); err != nil {
		return err
	}
	if err := d.kubectl(ctx, nil, "wait", "--for=condition=Established", "--timeout=30s", "-f", definitions); err != nil {
		return err
	}
	d.say("API server at %s knows the resources", d.cluster.Config.Host)
	return nil
}

// applyPromises applies the source, the catalogue, the stories and what they do
// not have.
func (d *demo) applyPromises(ctx context.Context) error {
	dir := d.folder("manifests")
	if err := os.CopyFS(d.dir, manifests); err != nil {
		return fmt.Errorf("copy manifests: %w", err)
	}
	path := filepath.Join(d.dir, "source.yaml")
	if err := os.WriteFile(path, []byte(sourceManifest(d.prometheus.URL)), 0o600); err != nil {
		return fmt.Errorf("write source: %w", err)
	}
	for _, args := range [][]string{{"-f", path}, {"-k", catalogue}, {"-k", storyboard}, {"-f", dir}} {
		if err := d.kubectl(ctx, nil, append([]string{"apply", "--server-side"}, args...)...); err != nil {
			return err
		}
	}
	d.say("applied a source, the catalogue, %d journeys and %d objectives", len(stories.All()), len(expectations()))
	return nil
}

// sourceManifest is the source that objectives use when they name none. Each story
// sees the customers of its own namespace.
func sourceManifest(url string) string {
	return fmt.Sprintf(`apiVersion: experience.slo/v1alpha1
kind: ClusterMetricSource
metadata:
  name: default
spec:
  url: %s
  delay: 15s
  tenancy: {label: namespace}
`, url)
}

// kubectl runs kubectl against the demo's cluster. What it prints goes to out,
// or, when out is nil, into the error if there is one.
func (d *demo) kubectl(ctx context.Context, out *bytes.Buffer, args ...string) error {
	cmd := exec.CommandContext(ctx, d.bin.Path(parts.Kubectl), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+d.cluster.Kubeconfig)
	var printed, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &complaint
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run kubectl %s: %w\n%s%s", args[0], err, printed.String(), complaint.String())
	}
	if out != nil {
		_, _ = printed.WriteTo(out)
	}
	return nil
}

// poll calls done every tenth of a second until it is true, fails, or ctx ends.
func poll(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
