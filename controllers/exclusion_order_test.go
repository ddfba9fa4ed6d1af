package controllers

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// listing is a cache that gives exclusions in some order.
type listing struct {
	client.Reader
	items []v1alpha1.Exclusion
}

func (l listing) List(_ context.Context, into client.ObjectList, _ ...client.ListOption) error {
	into.(*v1alpha1.ExclusionList).Items = l.items
	return nil
}

// TestExclusionsInOrder holds that a plan is not made anew because a cache listed the
// same exclusions in another order.
func TestExclusionsInOrder(t *testing.T) {
	objective := &v1alpha1.Objective{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "search"}}
	exclusion := func(uid types.UID, generation int64, of v1alpha1.Name) v1alpha1.Exclusion {
		return v1alpha1.Exclusion{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprintf("of-%s", uid), UID: uid, Generation: generation},
			Spec:       v1alpha1.ExclusionSpec{Objectives: []v1alpha1.Name{of}},
		}
	}
	a, b, c := exclusion("a", 1, "search"), exclusion("b", 3, "search"), exclusion("c", 2, "search")
	cases := map[string]struct {
		reason string
		args   []v1alpha1.Exclusion
		want   string
	}{
		"None":     {"nothing is excluded", nil, ""},
		"Same":     {"the order of before", []v1alpha1.Exclusion{a, b, c}, " a/1 b/3 c/2"},
		"Backward": {"another order is no change", []v1alpha1.Exclusion{c, b, a}, " a/1 b/3 c/2"},
		"Mixed":    {"whichever it is, and whatever is between", []v1alpha1.Exclusion{b, exclusion("aa", 1, "checkout"), a, c}, " a/1 b/3 c/2"},
		"Changed":  {"but another generation is", []v1alpha1.Exclusion{c, exclusion("b", 4, "search"), a}, " a/1 b/4 c/2"},
		"Gone":     {"and so is one that is no more", []v1alpha1.Exclusion{c, a}, " a/1 c/2"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cached := slices.Clone(tc.args)
			g := &gatherer{cached: listing{items: tc.args}}
			found, err := g.exclusionsOf(t.Context(), objective)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, references{exclusions: found}.excluded()); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(cached, tc.args); diff != "" {
				t.Errorf("%s: what the cache gave was changed: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
