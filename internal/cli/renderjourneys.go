package cli

import (
	"fmt"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/rules"
)

// journeyManifest is a journey and where it was found.
type journeyManifest struct {
	manifest
	*v1alpha1.Journey
}

// nameOfJourney is how messages name a journey.
func nameOfJourney(j *v1alpha1.Journey) string {
	return fmt.Sprintf("Journey %s/%s", j.Namespace, j.Name)
}

// along is a journey and its objectives.
type along struct {
	journeyManifest
	evaluate.Way
}

// alongJourneys chooses the objectives of journeys. One whose objectives cannot be
// chosen has a mistake.
func (v *inventory) alongJourneys() []along {
	var out []along
	for _, j := range v.journeys {
		way, err := evaluate.Along(j.Journey, v.countable(j.Journey, nil))
		if err != nil {
			v.refuse(j.manifest, nameOfJourney(j.Journey), faultOf(err))
			continue
		}
		out = append(out, along{j, way})
	}
	return out
}

// renderJourneys makes the rules of journeys along objectives and their rules.
func (v *inventory) renderJourneys(objectives []rendered) []rendered {
	known := map[types.NamespacedName]rendered{}
	for _, r := range objectives {
		known[r.plan.Key] = r
	}
	var out []rendered
	for _, j := range v.alongJourneys() {
		if v.refused() {
			continue // nothing is printed, and an objective may lack its rules for that
		}
		v.noteChoice(j)
		r, err := rulesAlong(j, known)
		if err != nil {
			v.refuse(j.manifest, nameOfJourney(j.Journey), faultOf(err))
			continue
		}
		if why := r.journey.Untold(); why != "" {
			v.note("%s has no rules: %s", nameOfJourney(j.Journey), why)
			continue
		}
		out = append(out, r)
	}
	return out
}

// noteChoice tells in what the objectives of a journey may be others in a cluster.
func (v *inventory) noteChoice(j along) {
	for _, stage := range j.Spec.Stages {
		if stage.Objectives.Selector != nil {
			v.note("%s: the selector of stage %s chooses among the manifests alone", nameOfJourney(j.Journey), stage.Name)
		}
		for _, s := range j.Stages[stage.Name] {
			v.noteAbsent(j, s)
		}
	}
	if j.Completion != nil {
		v.noteAbsent(j, *j.Completion)
	}
}

func (v *inventory) noteAbsent(j along, s evaluate.Staged) {
	switch {
	case s.Objective != nil:
	case s.Namespace != "":
		v.note("%s: Objective %s is not among the manifests, or not shared with namespace %q: it is taken not to exist", nameOfJourney(j.Journey), s, j.Namespace)
	default:
		v.note("%s: Objective %s/%s is not among the manifests: it is taken not to exist", nameOfJourney(j.Journey), j.Namespace, s)
	}
}

// rulesAlong renders a journey as the operator does. It has no group where rules
// cannot tell whether the journey is broken.
func rulesAlong(j along, known map[types.NamespacedName]rendered) (rendered, error) {
	sources := map[compile.SourceKey]*v1alpha1.MetricSourceSpec{}
	stages, completion, err := j.Plans(func(s evaluate.Staged) (*compile.Plan, error) {
		if s.Objective == nil {
			return nil, nil //nolint:nilnil // there is none, as of one that has no rules
		}
		r, found := known[types.NamespacedName{Namespace: s.Objective.Namespace, Name: s.Objective.Name}]
		if !found {
			return nil, nil //nolint:nilnil // as above
		}
		// The rules beside record it, whether or not the source has the operator install
		// them.
		plan := *r.plan
		plan.Ruled, sources[plan.Source] = true, r.source
		return &plan, nil
	})
	if err != nil {
		return rendered{}, err
	}
	out := rendered{journey: rules.NewJourney(j.Journey, stages, completion)}
	if out.journey.Untold() != "" {
		return out, nil
	}
	out.source = sources[out.journey.Source()]
	group, err := rules.JourneyGroup(out.journey, rules.SettingsOf(out.source))
	out.groups = []monitoringv1.RuleGroup{group}
	return out, err
}
