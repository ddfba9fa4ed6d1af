package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
)

// secondAccount is that of the second manager, so that the audit log tells the
// two apart.
const secondAccount = defaultServiceAccount + "-2"

// testTakeover runs two managers: one works, the other takes over when the first
// crashes, and repeats nothing.
func (s *stage) testTakeover(t *testing.T) {
	t.Parallel()
	c, server := install(t), s.prometheus(t)
	c.bindAlike(t, secondAccount)
	c.declare(t, "shop", server.URL)
	first := s.start(t, c.kubeconfig(t, defaultServiceAccount), "--metrics-secure=false", longLease)
	leader := c.leads(t, "")
	second := s.start(t, c.kubeconfig(t, secondAccount), "--metrics-secure=false", longLease)
	second.answers(t, "/readyz", http.StatusOK)
	second.answers(t, "/healthz", http.StatusOK)
	before := c.settled(t, "shop")
	if asked, _ := c.audit(t, secondAccount, 0); len(asked) == 0 || len(writes(asked)) > 0 {
		t.Errorf("the manager that waits asked %d times and wrote %v", len(asked), writes(asked))
	}

	if err := first.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	fresh := promises()[0].objective("later")
	c.connect(t, "later", server.URL, "2m")
	c.create(t, fresh)
	c.leads(t, leader)
	led := time.Since(killed)
	c.judged(t, fresh, before[fresh.Name])
	t.Logf("after kill -9 of the leader, another led after %s and had judged a new objective after %s",
		led.Round(100*time.Millisecond), time.Since(killed).Round(100*time.Millisecond))

	second.idle(t, len(before)+1)
	text, err := second.read(t.Context(), "http", "")
	if err != nil {
		t.Fatal(err)
	}
	checkFigures(t, parsePage(t, text), "shop", before)
	if diff := cmp.Diff(before, c.settled(t, "shop")); diff != "" {
		t.Errorf("figures: -before, +after the takeover:\n%s", diff)
	}
	asked, _ := c.audit(t, secondAccount, 0)
	t.Logf("the second manager wrote %v", writes(asked))
	asked = slices.DeleteFunc(asked, func(e parts.AuditEvent) bool {
		return e.Object.Resource != "objectives" || e.Object.Namespace == fresh.Namespace
	})
	if diff := cmp.Diff(map[string]int{}, writes(asked)); diff != "" {
		t.Errorf("writes on objectives on which there is nothing new: -want, +got:\n%s", diff)
	}
}

// leads waits until somebody else than before holds the lease, and says who.
func (c *installed) leads(t *testing.T, before string) (holder string) {
	t.Helper()
	eventually(t, "a new leader", func(context.Context) error {
		if holder = c.leader(t); holder == before {
			return fmt.Errorf("the lease is held by %q", holder)
		}
		return nil
	})
	return holder
}

// judged waits until an objective says what it should.
func (c *installed) judged(t *testing.T, o *v1alpha1.Objective, want figures) {
	t.Helper()
	eventually(t, "the verdict on "+o.Name, func(ctx context.Context) error {
		if err := c.admin.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		if diff := cmp.Diff(want, figuresOf(o)); diff != "" {
			return errors.New("-want, +got:\n" + diff)
		}
		return nil
	})
}

// bindAlike gives an account the roles of the operator's own.
func (c *installed) bindAlike(t *testing.T, account string) {
	t.Helper()
	alike := func(o client.Object, subjects *[]rbacv1.Subject) {
		for _, s := range *subjects {
			if s.Name != defaultServiceAccount || s.Namespace != defaultNamespace {
				continue
			}
			s.Name = account
			*subjects = append(*subjects, s)
			if err := c.admin.Update(t.Context(), o); err != nil {
				t.Fatalf("update %s: %v", o.GetName(), err)
			}
			return
		}
	}
	everywhere, there := &rbacv1.ClusterRoleBindingList{}, &rbacv1.RoleBindingList{}
	if err := errors.Join(c.admin.List(t.Context(), everywhere), c.admin.List(t.Context(), there)); err != nil {
		t.Fatal(err)
	}
	for i := range everywhere.Items {
		alike(&everywhere.Items[i], &everywhere.Items[i].Subjects)
	}
	for i := range there.Items {
		alike(&there.Items[i], &there.Items[i].Subjects)
	}
}
