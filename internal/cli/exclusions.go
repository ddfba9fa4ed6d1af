package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/kube"
)

// keepExclusion keeps an exclusion in which there is no mistake.
func (v *inventory) keepExclusion(namespace string, m manifest) error {
	x := &v1alpha1.Exclusion{}
	if err := convert(m.object, x); err != nil {
		return err
	}
	x.Namespace = namespace
	if _, err := compile.StretchesOf(x); err != nil {
		return err
	}
	if _, err := compile.Chooser(x); err != nil {
		return err
	}
	v.exclusions = append(v.exclusions, *x)
	return nil
}

// exclude reads the exclusions of a cluster that may be for an objective.
func (v *inventory) exclude(ctx context.Context, cluster *kube.Cluster, o *v1alpha1.Objective) error {
	found, err := cluster.Exclusions(ctx, o.Namespace)
	if errors.Is(err, kube.ErrNotFound) || errors.Is(err, kube.ErrForbidden) || errors.Is(err, kube.ErrNotInstalled) {
		v.note("exclusions of namespace %q cannot be read: what is counted here has every minute: %v", o.Namespace, err)
		return nil
	}
	v.exclusions = found
	return err
}

// leftOut words what exclusions leave out of an objective's figures.
func leftOut(s *v1alpha1.ObjectiveStatus) string {
	if s.Raw == nil {
		return ""
	}
	if s.Raw.Attainment == "" {
		return s.Excluded + " of the window"
	}
	return fmt.Sprintf("%s of the window: with it %s of %s events, and %s of the budget left", s.Excluded, s.Raw.Attainment, count(s.Raw.Events), s.Raw.BudgetRemaining)
}
