package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
	"github.com/experience-slo/operator/internal/status"
)

func (v *inventory) keepJourney(namespace string, m manifest) error {
	j := journeyManifest{m, &v1alpha1.Journey{}}
	if err := convert(m.object, j.Journey); err != nil {
		return err
	}
	j.Namespace = namespace
	v.journeys = append(v.journeys, j)
	return nil
}

// judgeJourneys judges the journeys of manifests by what was found of the objectives
// there, as the operator does.
func (v *inventory) judgeJourneys(results []result) []*v1alpha1.Journey {
	known := map[string]*v1alpha1.Objective{}
	for _, r := range results {
		known[r.Namespace+"/"+r.Name] = r.Objective
	}
	var out []*v1alpha1.Journey
	for _, j := range v.journeys {
		judged := j.DeepCopy()
		way, err := evaluate.Along(judged, v.countable(judged, known))
		if err != nil {
			status.InvalidJourney(judged, err.Error())
		} else {
			status.Journey(judged, v.outcomeOf(judged, way))
		}
		out = append(out, judged)
	}
	return out
}

// countable are the objectives that a journey may count, with what was found of them.
// A grant by the labels of namespaces is taken for one, since nobody knows them here.
func (v *inventory) countable(j *v1alpha1.Journey, known map[string]*v1alpha1.Objective) evaluate.Countable {
	out := evaluate.Countable{}
	for _, o := range v.objectives {
		grant := o.Spec.SharedWith
		shared := o.Namespace == j.Namespace ||
			grant != nil && (grant.Selector != nil || slices.Contains(grant.Names, v1alpha1.Label(j.Namespace)))
		if !shared {
			continue
		}
		if out[o.Namespace] == nil {
			out[o.Namespace] = map[v1alpha1.Name]*v1alpha1.Objective{}
		}
		out[o.Namespace][v1alpha1.Name(o.Name)] = cmp.Or(known[o.Namespace+"/"+o.Name], o.Objective)
	}
	return out
}

func (v *inventory) outcomeOf(j *v1alpha1.Journey, way evaluate.Way) evaluate.JourneyOutcome {
	members := map[v1alpha1.Label][]evaluate.JourneyMember{}
	for stage, all := range way.Stages {
		for _, s := range all {
			members[stage] = append(members[stage], s.Measured(v.unitOf))
		}
	}
	var completion *evaluate.JourneyMember
	if way.Completion != nil {
		measured := way.Completion.Measured(v.unitOf)
		completion = &measured
	}
	return evaluate.Journey(&j.Spec, members, completion)
}

// unitOf is the unit in which an objective's figures are written.
func (v *inventory) unitOf(o *v1alpha1.Objective) (slo.Unit, error) {
	in, ok := v.template(declared{Objective: o})
	if !ok {
		return slo.Unit{}, fmt.Errorf("the indicator of objective %q has a mistake", o.Name)
	}
	return compile.UnitOf(in)
}

// tabulateJourneys prints journeys with the columns of kubectl get.
func tabulateJourneys(journeys []*v1alpha1.Journey) []byte {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 8, 3, ' ', 0)
	row(w, []string{"NAMESPACE", "JOURNEY", "VERDICT", "UX", "CX", "WEAKEST", "BUDGET", "PATTERN", "MET"})
	for _, j := range journeys {
		scores, met := v1alpha1.JourneyScores{}, ""
		if j.Status.Scores != nil {
			scores = *j.Status.Scores
		}
		if c := meta.FindStatusCondition(j.Status.Conditions, v1alpha1.ConditionMet); c != nil {
			met = string(c.Status)
		}
		row(w, []string{
			j.Namespace, j.Name, string(j.Status.Verdict), scores.UX, scores.CX, string(j.Status.WeakestStage),
			j.Status.BudgetRemaining, string(j.Status.Pattern), met,
		})
	}
	_ = w.Flush() // a buffer takes everything
	return out.Bytes()
}
