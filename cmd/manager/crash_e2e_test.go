package main

import (
	stdcmp "cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

const (
	crashes = 8
	// longestLife is enough to start, to backfill and to write every verdict.
	longestLife = 3 * time.Second
	// restarts are those after which the operator finds nothing new.
	restarts = 2
)

// crashSeed repeats the moments at which an earlier run killed the operator.
var crashSeed = flag.Uint64("crash-seed", 0, "seed of the moments at which TestProgram/Crash kills the manager; 0 takes the time")

// testCrash kills the operator at any moment, again and again. Afterwards all is
// as if nothing had happened, and nothing was said twice.
func (s *stage) testCrash(t *testing.T) {
	t.Parallel()
	c, server := install(t), s.prometheus(t)
	kubeconfig := c.kubeconfig(t, defaultServiceAccount)
	flags := []string{"--leader-elect=false", "--metrics-secure=false"}
	c.declare(t, "crashed", server.URL)

	decided := verdictTimes{}
	s.crash(t, c, decided, kubeconfig, flags)
	last := s.start(t, kubeconfig, flags...)
	last.idle(t, len(promises()))
	before := c.settled(t, "crashed")
	decided.look(t, c)
	eventually(t, "all that is to know of the source", c.sourcesAreKnown)
	for i := range restarts {
		if err := last.Kill(); err != nil {
			t.Fatal(err)
		}
		_, mark := c.audit(t, defaultServiceAccount, 0)
		last = s.start(t, kubeconfig, flags...)
		last.idle(t, len(promises()))
		asked, _ := c.audit(t, defaultServiceAccount, mark)
		t.Logf("restart %d with nothing new: %d requests, writes %v", i+1, len(asked), writes(asked))
		if diff := cmp.Diff(map[string]int{}, writes(asked)); diff != "" {
			t.Errorf("writes of a restart that finds nothing new: -want, +got:\n%s", diff)
		}
	}

	c.declare(t, "undisturbed", server.URL)
	reference, after := c.settled(t, "undisturbed"), c.settled(t, "crashed")
	if diff := cmp.Diff(reference, before); diff != "" {
		t.Errorf("figures: -undisturbed, +killed:\n%s", diff)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("figures: -before, +after restarts:\n%s", diff)
	}
	checkComplete(t, s.world, after)
	decided.look(t, c)
	checkSaidOnce(t, c)
	checkWrittenOnce(t, c)
	t.Logf("figures after %d kills, the same as undisturbed: %+v", crashes+restarts, after["page-speed"])
}

// sourcesAreKnown fails until each source tells what its server keeps, which is
// judged once every objective was measured.
func (c *installed) sourcesAreKnown(ctx context.Context) error {
	sources := &v1alpha1.MetricSourceList{}
	if err := c.admin.List(ctx, sources); err != nil {
		return err
	}
	for i := range sources.Items {
		s := &sources.Items[i]
		for _, kind := range []string{v1alpha1.ConditionRetentionSufficient, v1alpha1.ConditionClockInSync} {
			if meta.FindStatusCondition(s.Status.Conditions, kind) == nil {
				return fmt.Errorf("%s/%s has no condition %s", s.Namespace, s.Name, kind)
			}
		}
	}
	return nil
}

// crash starts the operator and kills it at random moments.
func (s *stage) crash(t *testing.T, c *installed, decided verdictTimes, kubeconfig string, flags []string) {
	t.Helper()
	seed := stdcmp.Or(*crashSeed, uint64(time.Now().UnixNano()))
	t.Logf("-crash-seed=%d", seed)
	random, mark := rand.New(rand.NewPCG(seed, seed)), 0
	for i := range crashes {
		life := time.Duration(random.Int64N(int64(longestLife)))
		p := s.start(t, kubeconfig, flags...)
		select {
		case <-time.After(life):
		case <-p.Done():
			t.Fatalf("the manager ended by itself:\n%s", p.Tail())
		}
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		asked, next := c.audit(t, defaultServiceAccount, mark)
		mark = next
		t.Logf("run %d, killed after %s: %d requests, writes %v, verdicts %d", i+1, life.Round(time.Millisecond), len(asked), writes(asked), decided.look(t, c))
	}
}

// verdictTimes are when the condition Met of an objective changed last.
type verdictTimes map[string]metav1.Time

// look fails the test when a verdict that was seen has changed, takes note of
// new ones, and gives their number.
func (v verdictTimes) look(t *testing.T, c *installed) int {
	t.Helper()
	found, err := c.objectives(t.Context(), "crashed")
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range found {
		met := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionMet)
		at, seen := v[name]
		if seen && (met == nil || !at.Equal(&met.LastTransitionTime)) {
			t.Errorf("the verdict on %s has flapped: %+v, first at %s", name, met, at)
		}
		if met != nil && met.Reason != v1alpha1.ReasonEvaluationPending {
			v[name] = met.LastTransitionTime
		}
	}
	return len(v)
}

// idle waits until the program has measured every objective, has reconciled
// each once before that and once after, and has nothing left to do.
func (p *program) idle(t *testing.T, objectives int) {
	t.Helper()
	eventually(t, "an idle manager", func(ctx context.Context) error {
		text, err := p.read(ctx, "http", "")
		if err != nil {
			return err
		}
		read := parsePage(t, text)
		measured := len(read["experience_objective_events"].GetMetric())
		reconciled := read.sum("controller_runtime_reconcile_total", "controller", "objective")
		busy := read.sum("workqueue_depth", "controller", "objective") + read.sum("controller_runtime_active_workers", "controller", "objective")
		if measured < objectives || reconciled < float64(2*objectives) || busy > 0 {
			return fmt.Errorf("%d of %d objectives are measured, after %.0f reconciliations, %.0f to come", measured, objectives, reconciled, busy)
		}
		return nil
	})
}

// checkSaidOnce reads the events on objectives: an objective's only news is its
// verdict, once where nobody disturbed the operator. A kill between a write and
// its event loses the event: it is never said twice.
func checkSaidOnce(t *testing.T, c *installed) {
	t.Helper()
	found := &eventsv1.EventList{}
	if err := c.admin.List(t.Context(), found); err != nil {
		t.Fatal(err)
	}
	said := map[string]int{}
	for i := range found.Items {
		e := &found.Items[i]
		if e.Regarding.Kind == "Objective" {
			said[e.Namespace+"/"+e.Regarding.Name+" "+e.Reason]++
			if e.Series != nil {
				t.Errorf("%s on %s is a series of %d", e.Reason, e.Regarding.Name, e.Series.Count)
			}
		}
	}
	lost := 0
	for _, p := range promises() {
		once, atMostOnce := "undisturbed/"+p.name+" "+p.verdict, "crashed/"+p.name+" "+p.verdict
		if said[once] != 1 {
			t.Errorf("%s: %d events", once, said[once])
		}
		if said[atMostOnce] > 1 {
			t.Errorf("%s: %d events", atMostOnce, said[atMostOnce])
		}
		if said[atMostOnce] == 0 {
			lost++
		}
		delete(said, once)
		delete(said, atMostOnce)
	}
	t.Logf("%d of %d events were lost between a write and its event", lost, len(promises()))
	if len(said) > 0 {
		t.Errorf("other events on objectives: %v", slices.Sorted(maps.Keys(said)))
	}
}

// checkWrittenOnce counts the writes of each objective's status over all runs:
// one says that the evaluation is pending, one is the verdict.
func checkWrittenOnce(t *testing.T, c *installed) {
	t.Helper()
	asked, _ := c.audit(t, defaultServiceAccount, 0)
	patches := map[string]int{}
	for i := range asked {
		if e := &asked[i]; e.Verb == "patch" && e.Object.Resource == "objectives" && e.Response.Code < 300 {
			patches[e.Object.Namespace+"/"+e.Object.Name]++
		}
	}
	for name, n := range patches {
		if n > 2 {
			t.Errorf("the status of %s was written %d times", name, n)
		}
	}
	if want := 2 * len(promises()); len(patches) != want {
		t.Errorf("%d objectives were written, want %d", len(patches), want)
	}
}
