package compile

import (
	"errors"
	"strings"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/slo"
)

// UnitOf gives the unit in which an objective's target and figures are written. It
// is that of the plan, for those who have no plan.
func UnitOf(o *v1alpha1.ObjectiveSpec) (slo.Unit, error) {
	score := o.Indicator.Score
	switch {
	case strings.HasSuffix(string(o.Target), "%"):
		return slo.Percent, nil
	case o.Indicator.Apdex != nil:
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
