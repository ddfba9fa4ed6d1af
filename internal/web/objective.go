package web

import (
	"net/http"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// Objective is how a promise stands. A percentage is a ratio, "81.3%" is 0.813; a
// score is in its own unit. Figures are null while nobody can stand for them, so
// that a comparison with one is an error and not an answer.
type Objective struct {
	Namespace   string               `json:"namespace"`
	Name        string               `json:"name"`
	Service     string               `json:"service"`
	Perspective v1alpha1.Perspective `json:"perspective"`
	// Met is the status of the condition Met: True, False or Unknown. Reason and
	// Message are why.
	Met     metav1.ConditionStatus `json:"met"`
	Reason  string                 `json:"reason"`
	Message string                 `json:"message"`

	Attainment      *float64 `json:"attainment"`
	Target          *float64 `json:"target"`
	BudgetRemaining *float64 `json:"budgetRemaining"`
	Events          *int64   `json:"events"`
	Coverage        *float64 `json:"coverage"`
	// Shown are the same figures as people read them.
	Shown Shown `json:"shown"`

	Window             *v1alpha1.EvaluatedWindow `json:"window,omitempty"`
	LastEvaluationTime *metav1.Time              `json:"lastEvaluationTime,omitempty"`
}

// Shown are figures in the objective's unit.
type Shown struct {
	Attainment      string `json:"attainment,omitempty"`
	Target          string `json:"target,omitempty"`
	BudgetRemaining string `json:"budgetRemaining,omitempty"`
	Coverage        string `json:"coverage,omitempty"`
}

func (l Lookups) objective(r *http.Request) answer {
	o, err := l.Objective(r.Context(), r.PathValue("namespace"), r.PathValue("name"))
	if err != nil {
		return missing("objective", r, err)
	}
	return answer{http.StatusOK, figures(o)}
}

// figures reads an objective's status.
func figures(o *v1alpha1.Objective) Objective {
	found := Objective{
		Namespace: o.Namespace, Name: o.Name, Service: string(o.Spec.Service), Perspective: o.Spec.Perspective,
		Met: metav1.ConditionUnknown, Reason: v1alpha1.ReasonEvaluationPending, Message: "the operator has not seen this spec yet",
	}
	ready := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || o.Status.ObservedGeneration != o.Generation {
		return found
	}
	if ready.Status != metav1.ConditionTrue || ready.Reason == v1alpha1.ReasonSuspended {
		found.Reason, found.Message = ready.Reason, ready.Message
		return found
	}
	if met := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionMet); met != nil {
		found.Met, found.Reason, found.Message = met.Status, met.Reason, met.Message
	}
	s := &o.Status
	found.Shown = Shown{Attainment: s.Attainment, Target: s.Target, BudgetRemaining: s.BudgetRemaining, Coverage: s.Coverage}
	found.Attainment, found.Target = number(s.Attainment), number(s.Target)
	found.BudgetRemaining, found.Coverage = number(s.BudgetRemaining), number(s.Coverage)
	found.Events, found.Window, found.LastEvaluationTime = s.Events, s.Window, s.LastEvaluationTime
	return found
}

// number is a figure as it is shown, "81.3%" or "4.2", as a number; nil when there
// is none. Moving the point in the text gives 0.813 and not 0.8129999.
func number(shown string) *float64 {
	plain, percent := strings.CutSuffix(shown, "%")
	if percent {
		plain += "e-2"
	}
	n, err := strconv.ParseFloat(plain, 64)
	if err != nil {
		return nil
	}
	return &n
}
