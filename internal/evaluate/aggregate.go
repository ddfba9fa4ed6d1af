package evaluate

import (
	"math"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// scores are that of the product and that of everything that the customer meets,
// the product included.
func (o *JourneyOutcome) scores(kind v1alpha1.Aggregation) (ux, cx float64) {
	var product, all, weights, productWeights []float64
	for i := range o.Stages {
		s := &o.Stages[i]
		all, weights = append(all, s.Score), append(weights, s.weight)
		if s.product.any {
			product, productWeights = append(product, s.product.whole()), append(productWeights, s.weight)
		}
	}
	if c := o.Completion; c != nil {
		whole := c.figure()
		if c.Perspective == v1alpha1.PerspectiveUX {
			product = append(product, whole)
		}
		return aggregate(v1alpha1.AggregationWeakestLink, product, nil), whole
	}
	return aggregate(kind, product, productWeights), aggregate(kind, all, weights)
}

// aggregate makes one score of several. It is NaN where one of them is, and where
// there are none.
func aggregate(kind v1alpha1.Aggregation, scores, weights []float64) float64 {
	if len(scores) == 0 {
		return math.NaN()
	}
	least, product, sum, total := 1.0, 1.0, 0.0, 0.0
	for i, score := range scores {
		least, product = min(least, score), product*score
		if kind == v1alpha1.AggregationWeighted {
			sum, total = sum+weights[i]*score, total+weights[i]
		}
	}
	switch kind {
	case v1alpha1.AggregationWeighted:
		return sum / total
	case v1alpha1.AggregationProduct:
		return product
	default:
		return least
	}
}
