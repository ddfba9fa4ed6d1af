package cli

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/kube"
)

// opening is a calendar and where it was found.
type opening struct {
	manifest
	spec *v1alpha1.CalendarSpec
	// checked says that it was looked at, and wrong that it has a mistake, which is
	// told of once.
	checked, wrong bool
}

func (v *inventory) keepCalendar(namespace string, m manifest) error {
	found := &v1alpha1.Calendar{}
	if err := convert(m.object, found); err != nil {
		return err
	}
	v.calendars[types.NamespacedName{Namespace: namespace, Name: found.Name}] = &opening{manifest: m, spec: &found.Spec}
	return nil
}

// nameOfCalendar is how the inventory knows where a calendar was seen.
func nameOfCalendar(key types.NamespacedName) string { return "Calendar " + key.String() }

// checkCalendars finds the mistakes of calendars, whether an objective names them or
// not.
func (v *inventory) checkCalendars(now time.Time) {
	for key, c := range v.calendars {
		if c.checked {
			continue
		}
		c.checked = true
		if _, err := compile.HoursOf(c.spec, now); err != nil {
			c.wrong = true
			v.refuse(c.manifest, nameOfCalendar(key), faultOf(err))
		}
	}
}

// hours gives what an objective is compiled with its calendar, if it has one. It is
// false where that has a mistake of its own, which was told of.
func (v *inventory) hours(in *compile.Input) bool {
	key, refers := compile.CalendarOf(in.Objective, in.Indicator)
	if !refers {
		return true
	}
	found := v.calendars[key]
	if found == nil {
		_, refused := v.seen[nameOfCalendar(key)]
		return !refused
	}
	in.Calendar = found.spec
	return !found.wrong
}

// takeReferences reads from a cluster what an objective refers to, beside its source.
// What is not there is told of where the objective is compiled, as the operator does.
func (v *inventory) takeReferences(ctx context.Context, cluster *kube.Cluster, o *v1alpha1.Objective) error {
	indicator, err := cluster.Indicator(ctx, o)
	if errors.Is(err, kube.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if key, refers := compile.IndicatorOf(o); refers {
		v.indicators[key] = &template{spec: indicator}
	}
	key, refers := compile.CalendarOf(o, indicator)
	if !refers {
		return nil
	}
	calendar, err := cluster.Calendar(ctx, key.Namespace, key.Name)
	if errors.Is(err, kube.ErrNotFound) {
		return nil
	}
	v.calendars[key] = &opening{spec: calendar, checked: true}
	return err
}
