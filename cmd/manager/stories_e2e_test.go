package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/stories"
)

// testStories applies the catalogue and the stories as they are shipped. Each
// customer gets the verdict, the pattern and the weakest stage that a person would
// give, from the promises that a person would find kept or broken.
func (s *stage) testStories(t *testing.T) {
	t.Parallel()
	c, server := install(t), s.prometheus(t)
	c.kubectl(t, "apply", "--server-side", "-k", "../../config/indicators")
	shared := &v1alpha1.ClusterMetricSource{}
	shared.Name = v1alpha1.DefaultSourceName
	shared.Spec.URL, shared.Spec.Timeout = server.URL, duration(t, "2m")
	// One Prometheus for all of them: a story sees its own customers alone.
	shared.Spec.Tenancy = &v1alpha1.Tenancy{Label: "namespace"}
	c.create(t, shared)
	c.kubectl(t, "apply", "--server-side", "-k", "../../config/samples/stories")
	s.start(t, c.kubeconfig(t, defaultServiceAccount), "--leader-elect=false", "--metrics-secure=false")
	for _, story := range stories.All() {
		t.Run(story.Namespace, func(t *testing.T) { c.comesOut(t, &story) })
	}
}

// comesOut waits until a journey has its verdict, and holds it and its objectives
// against the story.
func (c *installed) comesOut(t *testing.T, story *stories.Story) {
	t.Helper()
	j := &v1alpha1.Journey{}
	key := client.ObjectKey{Namespace: story.Namespace, Name: story.Journey}
	// Longer than other tests wait: weeks of all stories are read at once.
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, 4*patience, true, func(ctx context.Context) (bool, error) {
		if err := c.admin.Get(ctx, key, j); err != nil {
			return false, fmt.Errorf("get journey: %w", err)
		}
		return stories.Told(j), nil
	})
	if err != nil {
		t.Fatalf("a verdict on %s: %v; the status is %+v", key, err, j.Status)
	}
	objectives, err := c.objectives(t.Context(), story.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%-8s %-22s weakest %-7s UX %-5s CX %-5s, %d objectives", j.Status.Verdict, j.Status.Pattern, j.Status.WeakestStage,
		j.Status.Scores.UX, j.Status.Scores.CX, len(objectives))
	if wrong := story.Differences(j, objectives); len(wrong) > 0 {
		t.Errorf("the story does not come out as it is told:\n  %s", strings.Join(wrong, "\n  "))
	}
}
