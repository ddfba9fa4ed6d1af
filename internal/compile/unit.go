package compile

import (
	"errors"
	"strings"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/slo"
)

// UnitOf gives the unit in which an objective's target and figures are written. It
// is that of the plan, for those who have no plan. Only for a score does it look at
// the indicator that the objective refers to.
func UnitOf(in Input) (slo.Unit, error) {
	if strings.HasSuffix(string(in.Objective.Spec.Target), "%") {
		return slo.Percent, nil
	}
	resolved, err := Resolve(in)
	if err != nil {
		return slo.Unit{}, err
	}
	return scoreUnit(resolved.Spec.Indicator)
}

func scoreUnit(in v1alpha1.ObjectiveIndicator) (slo.Unit, error) {
	score := in.Score
	switch {
	case in.Apdex != nil:
		return slo.Apdex, nil
	case score != nil && score.NetPromoter != nil:
		return slo.NetPromoter, nil
	case score != nil && score.Mean != nil:
		lowest, err := decimal("spec.indicator.score.mean.lowest", score.Mean.Lowest)
		if err != nil {
			return slo.Unit{}, err
		}
		highest, err := decimal("spec.indicator.score.mean.highest", score.Mean.Highest)
		if err != nil {
			return slo.Unit{}, err
		}
		return slo.Mean(lowest, highest)
	default:
		return slo.Unit{}, errors.New("the indicator does not say in which unit its target is")
	}
}
