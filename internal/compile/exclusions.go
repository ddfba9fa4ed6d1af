package compile

import (
	"fmt"
	"slices"
	"sort"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/slo"
)

const (
	// foreseen is how far ahead of its making a plan knows what is excluded: a plan is
	// made anew each month.
	foreseen = 62 * 24 * time.Hour

	// remembered is how far back it knows at least: to the beginning of the longest
	// check for which minutes are kept.
	remembered = 3 * 24 * time.Hour
)

// Stretches are when an exclusion is, before and after all of its stretches.
type Stretches struct {
	slo.Recurrence
	// Withdrawn is since when it is not any more; zero where it was not taken back.
	Withdrawn time.Time
}

// StretchesOf reads when an exclusion is, or gives an *Error that names the field
// at fault.
func StretchesOf(x *v1alpha1.Exclusion) (Stretches, error) {
	out := Stretches{Recurrence: slo.Recurrence{First: slo.Span{Start: x.Spec.From.Time, End: x.Spec.To.Time}}}
	if w := x.Spec.Withdrawn; w != nil {
		out.Withdrawn = x.Spec.From.Time
		if w.At != nil {
			out.Withdrawn = w.At.Time
		}
	}
	again := x.Spec.Recurrence
	if again == nil {
		return out, nil
	}
	zone, err := zoneOf(again.TimeZone, "spec.recurrence.timeZone")
	if err != nil {
		return Stretches{}, err
	}
	out.Every, out.Location = slo.Calendar(again.Every), zone
	if again.Until != nil {
		out.Until = again.Until.Time
	}
	return out, nil
}

// Next gives the first stretch that ends after a moment, as far as it was not taken
// back.
func (s Stretches) Next(after time.Time) (slo.Span, bool) {
	next, ok := s.Recurrence.Next(after)
	if s.Withdrawn.IsZero() || !ok {
		return next, ok
	}
	if next.End.After(s.Withdrawn) {
		next.End = s.Withdrawn
	}
	return next, next.End.After(next.Start) && next.End.After(after)
}

// Within gives the stretches that are in a span, as far as they were not taken back.
func (s Stretches) Within(span slo.Span) []slo.Span {
	var out []slo.Span
	for next, ok := s.Next(span.Start); ok && next.Start.Before(span.End); next, ok = s.Next(next.End) {
		out = append(out, next)
	}
	return out
}

// Chooser reads for which objectives an exclusion is, or gives an *Error that names
// the field at fault.
func Chooser(x *v1alpha1.Exclusion) (func(*v1alpha1.Objective) bool, error) {
	chosen := labels.Nothing()
	if x.Spec.Selector != nil {
		selector, err := metav1.LabelSelectorAsSelector(x.Spec.Selector)
		if err != nil {
			return nil, &Error{Reason: v1alpha1.ReasonInvalidSpec, Field: "spec.selector", Err: err}
		}
		chosen = selector
	}
	return func(o *v1alpha1.Objective) bool {
		return o.Namespace == x.Namespace && (chosen.Matches(labels.Set(o.Labels)) ||
			slices.Contains(x.Spec.Objectives, v1alpha1.Name(o.Name)) || slices.Contains(x.Spec.Services, o.Spec.Service))
	}, nil
}

// Excludes says whether an exclusion is for an objective. One with a mistake in it
// is for none: its own status says so.
func Excludes(x *v1alpha1.Exclusion, o *v1alpha1.Objective) bool {
	chooses, err := Chooser(x)
	return err == nil && chooses(o)
}

// excludedOf gives the whole minutes of an objective that do not count, from before
// its window to some weeks ahead, and as far as is asked for.
func excludedOf(in Input, window slo.Window) []slo.Span {
	reach := slo.Span{Start: in.Now.Add(-max(window.Longest(), remembered) - 2*time.Hour), End: slo.Later(in.Now.Add(foreseen), in.Until)}
	var out []slo.Span
	for i := range in.Exclusions {
		x := &in.Exclusions[i]
		stretches, err := StretchesOf(x)
		if err != nil || !Excludes(x, in.Objective) {
			continue
		}
		for _, span := range stretches.Within(reach) {
			out = append(out, span.Minutes())
		}
	}
	return slo.Merge(out)
}

// Quiet says whether nobody is told at a moment of what an objective does: during an
// exclusion, and for some time after its end.
func (p *Plan) Quiet(at time.Time, after time.Duration) bool {
	// They are in order and apart: the last one that began ends last.
	begun := sort.Search(len(p.Excluded), func(i int) bool { return p.Excluded[i].Start.After(at) })
	// At the end of an excluded minute, and until that of the next.
	return begun > 0 && at.Before(p.Excluded[begun-1].End.Add(after+time.Minute))
}

// zoneOf reads the name of a time zone.
func zoneOf(name v1alpha1.TimeZone, field string) (*time.Location, error) {
	zone, err := time.LoadLocation(string(name))
	if err != nil || name == "Local" {
		return nil, &Error{
			Reason: v1alpha1.ReasonInvalidTimeZone, Field: field,
			Err: fmt.Errorf("%q is no time zone: write an IANA name such as Asia/Kolkata or Europe/Berlin", string(name)),
		}
	}
	return zone, nil
}
