package web

import (
	"net/http"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// Journey is how a journey stands. Scores are ratios; they and the budget are null
// while nobody can stand for them.
type Journey struct {
	Namespace string                  `json:"namespace"`
	Name      string                  `json:"name"`
	Verdict   v1alpha1.JourneyVerdict `json:"verdict"`
	// Met is the status of the condition Met: True, False or Unknown. Reason and
	// Message are why.
	Met     metav1.ConditionStatus `json:"met"`
	Reason  string                 `json:"reason"`
	Message string                 `json:"message"`

	Pattern         v1alpha1.JourneyPattern `json:"pattern,omitempty"`
	WeakestStage    v1alpha1.Label          `json:"weakestStage,omitempty"`
	UX              *float64                `json:"ux"`
	CX              *float64                `json:"cx"`
	BudgetRemaining *float64                `json:"budgetRemaining"`
	ExhaustsAt      *metav1.Time            `json:"exhaustsAt,omitempty"`
	Stages          []Stage                 `json:"stages"`
}

// Stage is what a customer gets at a stage.
type Stage struct {
	Name    v1alpha1.Label        `json:"name"`
	Verdict v1alpha1.StageVerdict `json:"verdict"`
	Score   *float64              `json:"score"`
	Gets    string                `json:"gets,omitempty"`
}

func (l Lookups) journey(r *http.Request) answer {
	j, err := l.Journey(r.Context(), r.PathValue("namespace"), r.PathValue("name"))
	if err != nil {
		return missing("journey", r, err)
	}
	return answer{http.StatusOK, standing(j)}
}

// standing reads a journey's status. That of another spec says nothing.
func standing(j *v1alpha1.Journey) Journey {
	out := Journey{
		Namespace: j.Namespace, Name: j.Name, Verdict: v1alpha1.JourneyUnknown, Met: metav1.ConditionUnknown,
		Reason: v1alpha1.ReasonEvaluationPending, Message: "the operator has not seen this spec yet", Stages: []Stage{},
	}
	s := &j.Status
	met := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionMet)
	if met == nil || s.ObservedGeneration != j.Generation {
		return out
	}
	out.Verdict, out.Met, out.Reason, out.Message = s.Verdict, met.Status, met.Reason, met.Message
	out.Pattern, out.WeakestStage = s.Pattern, s.WeakestStage
	out.BudgetRemaining, out.ExhaustsAt = number(s.BudgetRemaining), s.ExhaustsAt
	if s.Scores != nil {
		out.UX, out.CX = number(s.Scores.UX), number(s.Scores.CX)
	}
	for _, stage := range s.Stages {
		out.Stages = append(out.Stages, Stage{stage.Name, stage.Verdict, number(stage.Score), stage.Gets})
	}
	return out
}
